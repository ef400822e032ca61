/**
 * Commits. The checks are made and the changes are written to the log in one synchronous step, so nothing comes between
 * them. The commit then waits until it is durable. What it has seen may be pending; if that is rolled back, so is what
 * was written after it.
 *
 * @module
 */
import type { BatchOperation, Expiry } from "../../mod.ts";
import { platform } from "../platform/mod.ts";
import { type Database, nameOf } from "./database.ts";
import { encodeKey, type KvKey } from "./keys.ts";
import { check } from "./limits.ts";
import { MARK, MARK_KEY } from "./mark.ts";
import { entryOf, type Message } from "./message.ts";
import { queueOf } from "./queue.ts";
import { sequenceOf, sizeOf, stampWith, storedOf, type StoredValue, valueOf, versionstampOf } from "./stored.ts";
import type { AtomicCheck, KvCommitError, KvCommitResult } from "./types.ts";
import { isU64, KvU64 } from "./u64.ts";

/** The last part of a key that becomes the versionstamp of the commit. */
export const COMMIT_VERSIONSTAMP: symbol = Symbol("KvCommitVersionstamp");
/** The longest time that Deno takes and the store takes, too. */
const LONGEST_MS = 2 ** 52;
/** The mutations that combine a `KvU64` with the one that is there. */
export type Combining = "sum" | "min" | "max";
/** What becomes of the two. */
const COMBINE: Record<Combining, (a: bigint, b: bigint) => bigint> = {
  sum: (a: bigint, b: bigint) => BigInt.asUintN(64, a + b),
  min: (a: bigint, b: bigint) => a < b ? a : b,
  max: (a: bigint, b: bigint) => a > b ? a : b,
};

/** Whether something is the type of a mutation that combines. */
export function isCombining(type: string): type is Combining {
  return Object.hasOwn(COMBINE, type);
}

/** A mutation with its value encoded. */
export type Mutation =
  & { key: KvKey }
  & (
    | { type: "set"; value: StoredValue; expireIn: number | undefined }
    | { type: "delete" }
    | { type: Combining; value: unknown }
  );

type Operation = BatchOperation<Uint8Array, Uint8Array>;

/** Checks and mutations of a commit. */
export interface Operations {
  /** What must hold. */
  checks: AtomicCheck[];
  /** What changes then, in this order. */
  mutations: Mutation[];
  /** What is enqueued then. */
  messages?: Message[];
}

/** Makes a commit. */
export async function commit(database: Database, operations: Operations): Promise<KvCommitResult | KvCommitError> {
  const { mutations, messages = [] } = operations;
  for (;;) {
    const { store, limits } = database;
    const now = platform.now();
    const checks = operations.checks.map(encodedCheck);
    // The numbers of its records are not below this one, and those of all earlier commits are: of these each has some.
    const sequence = store.lastSequence + 1;
    check("Too many checks", checks.length, limits.checks);
    check("Too many mutations", mutations.length + messages.length, limits.mutations);
    const batch = new Batch(database, sequence);
    const keys = mutations.map((mutation) => batch.keyOf(mutation));
    for (const { key } of checks) batch.count(key);
    for (const key of keys) batch.count(key);
    for (const [i, mutation] of mutations.entries()) batch.add(keys[i]!, mutation);
    for (const [i, message] of messages.entries()) batch.enqueue(message, { now, sequence: sequence + i });
    batch.checkSize();
    const hold = checks.every(({ key, versionstamp }) => {
      const stored = store.get(key);
      return versionstamp === (stored && versionstampOf(sequenceOf(stored)));
    });
    if (hold && batch.refusal === undefined) {
      const written = batch.operations();
      const writing = database.wrote(store.batch(written), written);
      // It waits until they are durable, or taken back.
      if (messages.length > 0) void queueOf(store).wake(now);
      await writing;
      return { ok: true, versionstamp: versionstampOf(sequence) };
    }
    // What stands against it may be pending. If that is taken back, the commit is to be made.
    if (!await database.lasts()) continue;
    if (hold) throw batch.refusal;
    return { ok: false };
  }
}

function encodedCheck({ key, versionstamp }: AtomicCheck): { key: Uint8Array; versionstamp?: string } {
  if (versionstamp === null || versionstamp === undefined) return { key: encodeKey(key) };
  if (typeof versionstamp !== "string" || !/^[0-9a-f]{20}$/i.test(versionstamp)) throw new TypeError("Invalid check");
  return { key: encodeKey(key), versionstamp: versionstamp.toLowerCase() };
}

/** The operations of a commit, as the store takes them. */
class Batch {
  /** Why it cannot be made: what is in the store is no `KvU64`. */
  refusal: TypeError | undefined;
  readonly #database: Database;
  readonly #sequence: number;
  readonly #operations: Operation[] = [];
  #keysBytes = 0;
  #bytes = 0;
  /** The last operation of each key, by the names of the keys. Made when something looks it up. */
  #last: Map<string, Operation> | undefined;

  constructor(database: Database, sequence: number) {
    this.#database = database;
    this.#sequence = sequence;
  }

  /** Checks and counts the key of a check or a mutation. */
  count(key: Uint8Array): void {
    if (key.length === 0) throw new TypeError("key cannot be empty");
    check("Key too large for write", key.length, this.#database.limits.writeKeyBytes, " bytes");
    this.#bytes += key.length;
  }

  /** Adds what a mutation does to a key, after those before. */
  add(key: Uint8Array, mutation: Mutation): void {
    if (mutation.type === "delete") return this.#push({ type: "delete", key });
    const value = mutation.type === "set" ? mutation.value : this.#combined(key, mutation);
    const size = sizeOf(value);
    check("Value too large", size, this.#database.limits.valueBytes, " bytes");
    this.#keysBytes += key.length;
    this.#bytes += key.length + size;
    stampWith(value, this.#sequence);
    this.#push({ type: "set", key, value, ...expiryOf(mutation) });
  }

  /** Adds a message. */
  enqueue(message: Message, at: { now: number; sequence: number }): void {
    const { payload, backoffSchedule = [] } = message;
    check("enqueue payload too large", payload.length, this.#database.limits.valueBytes, " bytes");
    this.#bytes += payload.length + 4 * backoffSchedule.length;
    this.#push(entryOf(message, at));
  }

  /** Checks what was counted. */
  checkSize(): void {
    const { commitBytes, keysBytes } = this.#database.limits;
    check("Total mutation size too large", this.#bytes, commitBytes, " bytes");
    check("Total key size too large", this.#keysBytes, keysBytes, " bytes");
  }

  /**
   * The operations. There is always one that is written, so that no other commit has this number. The mark is among them
   * if the store lacks it, since somebody has cleared it.
   */
  operations(): Operation[] {
    const { store } = this.#database;
    const changes = this.#operations.some(({ type, key }) => type === "set" || store.has(key));
    if (changes && store.has(MARK_KEY)) return this.#operations;
    return [...this.#operations, { type: "set", key: MARK_KEY, value: MARK }];
  }

  /** The encoded key of a mutation. */
  keyOf({ key, type }: Mutation): Uint8Array {
    if (type !== "set" || !Array.isArray(key) || (key.at(-1) as unknown) !== COMMIT_VERSIONSTAMP) return encodeKey(key);
    if (key.length === 1) throw new TypeError("key cannot be empty");
    return encodeKey([...key.slice(0, -1), versionstampOf(this.#sequence)]);
  }

  #push(operation: Operation): void {
    this.#operations.push(operation);
    this.#last?.set(nameOf(operation.key), operation);
  }

  #combined(key: Uint8Array, { type, value }: Mutation & { type: Combining }): StoredValue {
    if (!isU64(value)) throw noOperand(type, value);
    this.#last ??= new Map(this.#operations.map((operation) => [nameOf(operation.key), operation]));
    const last = this.#last.get(nameOf(key)) ?? { type: "set", key, value: this.#database.store.get(key) };
    const stored = last.type === "set" ? last.value : undefined;
    if (stored === undefined) return storedOf(value);
    const former = valueOf(stored);
    if (isU64(former)) return storedOf(new KvU64(COMBINE[type](former.value, value.value)));
    this.refusal ??= new TypeError(`Failed to perform '${type}' mutation on a non-U64 value in the database`);
    return storedOf(value);
  }
}

/** When what a mutation sets expires. No time at all is over at once. */
function expiryOf(mutation: Mutation): Expiry {
  if (mutation.type !== "set" || mutation.expireIn === undefined) return {};
  const { expireIn } = mutation;
  if (expireIn > LONGEST_MS) throw new TypeError(`Invalid mutation: expireIn is too large: ${expireIn}`);
  return expireIn === 0 ? { expiresAt: 1 } : { ttl: expireIn };
}

function noOperand(type: Combining, value: unknown): TypeError {
  const kind = typeof value;
  if (type === "sum") return new TypeError(`Cannot sum KvU64 with ${kind[0]!.toUpperCase()}${kind.slice(1)}`);
  return new TypeError(`Failed to perform '${type}' mutation on a non-U64 operand`);
}
