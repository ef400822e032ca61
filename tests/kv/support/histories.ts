/**
 * Random histories, each on two implementations of Deno KV at once, whose answers must be the same but for the digits
 * of versionstamps.
 *
 * @module
 */
import { Random } from "../../support/random.ts";
import type { Kv, Subject } from "./cases.ts";

const KEYS: unknown[][] = [
  ["a"],
  ["a", 1],
  ["a", 2],
  ["a", 2n],
  ["a", "b", true],
  ["b"],
  ["b", new Uint8Array([0])],
  [],
];
const VALUES = [0, "text", null, undefined, 5n, { a: [1] }, new Uint8Array([1, 2]), "x".repeat(65_531), () => {}];
const NUMBERS = [["n"], ["n", 1], ["n", 2], ["a"]];

/** One of two, with what it has given out. */
interface Side {
  kv: Kv;
  subject: Subject;
  /** The versionstamps of the entries that were read, in the order of reading, and the last cursor. */
  versionstamps: (string | null)[];
  cursor: string;
}

/** A call, on either side. */
type Call = (side: Side) => Promise<unknown>;

function entry({ key, value, versionstamp }: { key: unknown; value: unknown; versionstamp: string | null }, to: Side) {
  to.versionstamps.push(versionstamp);
  return { key, value, isThere: versionstamp !== null };
}

function readCall(random: Random): Call {
  const [one, other] = [random.pick(KEYS), random.pick(KEYS)];
  if (random.below(2) === 0) return async (side) => entry(await side.kv.get(one), side);
  return async (side) => (await side.kv.getMany([one, other])).map((found: never) => entry(found, side));
}

function listCall(random: Random): Call {
  const [one, other, third] = [random.pick(KEYS), random.pick(KEYS), random.pick(KEYS)];
  const selector = random.pick([
    { prefix: one },
    { start: one, end: other },
    { prefix: one, start: other },
    { prefix: one, end: third },
  ]);
  const options = { reverse: random.below(2) === 0, limit: random.pick([undefined, 1, 2]) };
  const isResumed = random.below(3) === 0;
  return async (side) => {
    const list = side.kv.list(selector, isResumed ? { ...options, cursor: side.cursor } : options);
    const found = [];
    for await (const each of list) found.push(entry(each, side));
    side.cursor = list.cursor;
    return [found, list.cursor];
  };
}

function commitCall(random: Random): Call {
  const checks = Array.from(
    { length: random.pick([0, 0, 1, 2]) },
    () => ({ key: random.pick(KEYS), from: random.below(8) }),
  );
  const isNumeric = random.below(3) === 0;
  const mutations = Array.from({ length: isNumeric ? 1 : random.below(4) }, () => ({
    type: isNumeric ? random.pick(["sum", "min", "max"]) : random.pick(["set", "set", "delete"]),
    key: random.pick(isNumeric ? NUMBERS : KEYS),
    value: random.pick(VALUES),
    number: random.pick([0n, 1n, 7n, 2n ** 64n - 1n]),
  }));
  return ({ kv, versionstamps, subject }) => {
    const operation = kv.atomic();
    // A versionstamp that was read lately, which may be that of the key, or have been.
    for (const { key, from } of checks) operation.check({ key, versionstamp: versionstamps.at(-1 - from) ?? null });
    for (const { type, key, value, number } of mutations) {
      if (type === "set") operation.set(key, value);
      else if (type === "delete") operation.delete(key);
      else if (number === 7n) operation.mutate({ type, key, value: new subject.KvU64(number) });
      else operation[type](key, number);
    }
    return operation.commit().then(({ ok }: { ok: boolean }) => ok);
  };
}

async function outcome(call: Call, side: Side): Promise<string> {
  try {
    return Deno.inspect(await call(side), { depth: 8, strAbbreviateSize: 100 });
  } catch (error) {
    const { name, message } = error as Error;
    return `${name}: ${message}`;
  }
}

/** Runs a history of `length` calls. Returns where the two first differ, `undefined` if they do not. */
export async function compareHistories(
  subjects: [Subject, Subject],
  { seed, length }: { seed: number; length: number },
): Promise<string | undefined> {
  const random = new Random(seed);
  const open = async (subject: Subject): Promise<Side> => (
    { kv: await subject.open(), subject, versionstamps: [], cursor: "" }
  );
  const [one, other] = [await open(subjects[0]), await open(subjects[1])];
  try {
    for (let i = 0; i < length; i++) {
      const call = random.pick([readCall, listCall, commitCall, commitCall])(random);
      const outcomes = [
        await outcome(async (side) => await call(side), one),
        await outcome(async (side) => await call(side), other),
      ];
      if (outcomes[0] !== outcomes[1]) return `seed ${seed}, call ${i}: ${outcomes.join(" | ")}`;
    }
    return undefined;
  } finally {
    for (const { kv } of [one, other]) kv[Symbol.dispose]();
  }
}
