/**
 * What the cases of the conformance suite are made with.
 *
 * @module
 */

/** An implementation, as far as the cases use it. */
// deno-lint-ignore no-explicit-any -- cases call it with wrong arguments, too
export type Kv = any;

/** What is tested. */
export interface Subject {
  /** Opens a new, empty store in memory. */
  open(): Promise<Kv>;
  /** Makes a number for `sum`, `min` and `max`. */
  KvU64: new (value: bigint) => { value: bigint };
  /** Prints a value as the console of the runtime does. */
  inspect(value: unknown): string;
}

/** A case: it gets an empty store, which is closed afterwards. */
export interface Case {
  /** What holds. */
  name: string;
  /** Sees to it. */
  run(kv: Kv, subject: Subject): unknown;
}

/** The values that are listed. */
export async function collect(list: AsyncIterable<{ key: unknown; value: unknown }>): Promise<unknown[]> {
  const values = [];
  for await (const { value } of list) values.push(value);
  return values;
}

/** Sets `[name, 0]` to `[name, n - 1]` to their numbers. */
export async function fill(kv: Kv, name: string, n: number): Promise<void> {
  const operation = kv.atomic();
  for (let i = 0; i < n; i++) operation.set([name, i], i);
  await operation.commit();
}

/** A string that makes the encoded key of one part so many bytes long. */
export function ofBytes(bytes: number, letter: string = "a"): string {
  return letter.repeat(bytes - 2);
}

/** Collects cases: the array, and the function that adds to it. */
export function caseList(): { cases: Case[]; add: (name: string, run: Case["run"]) => void } {
  const cases: Case[] = [];
  return { cases, add: (name, run) => void cases.push({ name, run }) };
}
