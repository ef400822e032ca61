/**
 * Collects the checks and mutations of a commit.
 *
 * @module
 */
import { paced } from "../adapters/event_loop.ts";
import { commit, isCombining, type Mutation, type Operations } from "./commit.ts";
import type { Database } from "./database.ts";
import type { KvKey } from "./keys.ts";
import { type KvEnqueueOptions, type Message, messageOf } from "./message.ts";
import { storedOf, valueOf } from "./stored.ts";
import type { AtomicCheck, KvCommitError, KvCommitResult, KvMutation, KvSetOptions } from "./types.ts";
import { KvU64 } from "./u64.ts";
import { decodeValue } from "./values.ts";

/** Checks and encodes a mutation as a caller gives it, all but its key. */
function mutationOf(given: KvMutation): Mutation {
  const { key, type } = given;
  const { value, expireIn } = given as { value?: unknown; expireIn?: number };
  if (type === "delete") {
    if ("value" in given) throw new TypeError("Invalid mutation 'delete' with value");
    return { key, type };
  }
  if (type !== "set" && !isCombining(type)) throw new TypeError("Invalid mutation type");
  if (!("value" in given)) throw new TypeError(`Invalid mutation '${type}' without value`);
  return type === "set" ? setOf(key, value, { expireIn }) : { key, type, value };
}

/** Checks and encodes a set, all but its key. */
export function setOf(key: KvKey, value: unknown, options: KvSetOptions | undefined): Mutation {
  const { expireIn } = options ?? {};
  if (expireIn !== undefined && !(Number.isInteger(expireIn) && expireIn >= 0)) {
    throw new TypeError(`expireIn must be a non-negative integer: received ${expireIn}`);
  }
  return { key, type: "set", value: storedOf(value), expireIn };
}

/** Collects checks and mutations, and commits them together. */
export class AtomicOperation {
  readonly #database: Database;
  readonly #operations: Required<Operations> = { checks: [], mutations: [], messages: [] };

  static {
    // How consoles print it, on all runtimes.
    Object.defineProperty(this.prototype, Symbol.for("nodejs.util.inspect.custom"), {
      value(this: AtomicOperation, _depth: number, options: object, inspect: Inspect): string {
        return this.#printed((value) => inspect(value, options));
      },
    });
  }

  /** @internal Made by `Kv.atomic()`. */
  constructor(database: Database) {
    this.#database = database;
  }

  /** Adds checks: the commit is made only if each key has the versionstamp given, or no value if that is `null`. */
  check(...checks: AtomicCheck[]): this {
    for (const { key, versionstamp } of checks) this.#operations.checks.push({ key, versionstamp });
    return this;
  }

  /**
   * Adds mutations, which take effect in their order.
   *
   * @throws {TypeError} for one that is none; for a value that cannot be stored, also a `DataCloneError`
   */
  mutate(...mutations: KvMutation[]): this {
    for (const mutation of mutations) this.#operations.mutations.push(mutationOf(mutation));
    return this;
  }

  /** Adds to the `KvU64` of a key, modulo 2^64. A key without a value gets the number itself. */
  sum(key: KvKey, n: bigint): this {
    return this.mutate({ type: "sum", key, value: new KvU64(n) });
  }

  /** Sets the `KvU64` of a key to the number if that is less. A key without a value gets it in any case. */
  min(key: KvKey, n: bigint): this {
    return this.mutate({ type: "min", key, value: new KvU64(n) });
  }

  /** Sets the `KvU64` of a key to the number if that is greater. A key without a value gets it in any case. */
  max(key: KvKey, n: bigint): this {
    return this.mutate({ type: "max", key, value: new KvU64(n) });
  }

  /** Sets a key. The value is copied now. */
  set(key: KvKey, value: unknown, options?: KvSetOptions): this {
    this.#operations.mutations.push(setOf(key, value, options));
    return this;
  }

  /** Deletes a key. */
  delete(key: KvKey): this {
    return this.mutate({ type: "delete", key });
  }

  /**
   * Enqueues a value, as `Kv.enqueue` does, if the commit is made. The value is copied now.
   *
   * @throws {TypeError} as `Kv.enqueue` does
   */
  enqueue(value: unknown, options?: KvEnqueueOptions): this {
    this.#operations.messages.push(messageOf(value, options));
    return this;
  }

  /**
   * Makes the commit, all of it or nothing, also across a crash. Resolves once it would survive a power cut, or once it
   * is certain that a check does not hold. It may be called again, for another commit of the same.
   *
   * @throws {TypeError} for keys and values beyond the limits, and for `sum`, `min` and `max` on what is no `KvU64`
   */
  commit(): Promise<KvCommitResult | KvCommitError> {
    return paced(() => commit(this.#database, this.#operations));
  }

  /** Throws, for those who forget to call `commit`. */
  then(): never {
    throw new TypeError("'Deno.AtomicOperation' is not a promise: did you forget to call 'commit()'");
  }

  #printed(inspect: (value: unknown) => string): string {
    const { checks, mutations, messages } = this.#operations;
    const lines = [
      ...checks.map((check) => `check(${inspect(check)})`),
      ...mutations.map((mutation) => `${mutation.type}(${argumentsOf(mutation).map(inspect).join(", ")})`),
      ...messages.map((message) => `enqueue(${argumentsOfEnqueue(message).map(inspect).join(", ")})`),
    ];
    return lines.length === 0 ? "AtomicOperation (empty)" : ["AtomicOperation", ...lines].join("\n  ");
  }
}

/** The function that consoles print with. */
type Inspect = (value: unknown, options: object) => string;

/** The arguments of the call that adds a mutation. */
function argumentsOf(mutation: Mutation): unknown[] {
  if (mutation.type === "delete") return [mutation.key];
  if (mutation.type !== "set") return [mutation.key, mutation.value];
  const { key, value, expireIn } = mutation;
  return [key, valueOf(value), ...(expireIn === undefined ? [] : [{ expireIn }])];
}

function argumentsOfEnqueue({ payload, ...options }: Message): unknown[] {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return [decodeValue(payload), ...(given.length === 0 ? [] : [Object.fromEntries(given)])];
}
