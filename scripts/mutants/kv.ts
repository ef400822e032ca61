/**
 * Breakages of what the interface of Deno KV promises.
 *
 * @module
 */
import type { Promised } from "./types.ts";

const CRASHES = "kv: a commit is there as a whole after a crash, and its versionstamp is never given out again";
const TAKEN_BACK = "kv: no read and no check shows what is taken back";
const KEYS = "kv keys: each kind of part has its bytes, comes back, and stands in its order";
const VALUES = "kv values: each kind comes back, with what it shares and the order of its properties";
const DEPTH = "kv values: nested up to a depth on writing as on reading; deeper is an error, not an overflow";
const LENGTHS = "kv values: no length in the bytes is believed";
const GROWING = "kv values: a resizable buffer and its views come back; one that could grow without end is refused";
const SIZES = "kv values: bytes alone and KvU64 are told apart, and take in a limit what they take in Deno";
const FAILED_SYNC = "kv: once a sync has failed, only what is known to be durable is shown";

/** What the interface of Deno KV promises. */
export const kvPromises: Promised[] = [
  {
    sentence: "When a commit resolves it would survive a power cut, and all of it is there or nothing.",
    mutants: [
      {
        id: "commit-in-pieces",
        in: "commit",
        find: "const writing = database.wrote(store.batch(written), written);",
        replace: "const writing = (async () => { for (const one of written) await store.batch([one]); })();",
        killers: [CRASHES],
      },
      {
        id: "commit-not-awaited",
        in: "commit",
        find: "database.wrote(store.batch(written), written);",
        replace: 'database.wrote(store.batch(written, { durability: "write" }), written);',
        killers: [CRASHES],
      },
    ],
  },
  {
    sentence: "No read of a `Kv` shows what may yet be rolled back, and no commit fails for what was rolled back.",
    mutants: [
      {
        id: "pending-read-as-it-is",
        in: "Database.isLasting",
        find: "<= this.#durable;",
        replace: "<= this.#durable + Infinity;",
        killers: [TAKEN_BACK],
      },
      {
        id: "rolled-back-kept-as-read",
        in: "Database.lasts",
        find: "if (isTakenBack(error)) return false;",
        replace: "if (isTakenBack(error)) return true;",
        killers: [TAKEN_BACK],
      },
      {
        id: "listed-while-pending",
        in: "openList",
        find: "if (database.isLasting(undefined) || await database.lasts()) return steps;",
        replace: "if (database !== undefined) return steps;",
        killers: [FAILED_SYNC],
      },
      {
        id: "check-fails-on-what-is-pending",
        in: "commit",
        find: "if (!await database.lasts()) continue;",
        replace: "if (!await Promise.resolve(true)) continue;",
        killers: [TAKEN_BACK],
      },
    ],
  },
  {
    sentence: "A watch shows each change that lasts, an expiry at its time, and nothing that may be rolled back.",
    mutants: [
      {
        id: "watch-shows-what-is-pending",
        in: "Watcher.pull",
        find: "const found = await this.#database.read(this.#keys);",
        replace: "const found = this.#keys.map((key) => store.get(key));",
        killers: ["kv: no watch shows what is taken back"],
      },
      {
        id: "watch-not-woken",
        in: "Database.wrote",
        find: "if (this.onWrite.size > 0) {",
        replace: "if (this.onWrite.size < 0) {",
        killers: ["kv: watches of all handles of a directory see the commits of each at once"],
      },
      {
        id: "watch-without-expiries",
        in: "Watcher.pull",
        find: "(key) => store.expiresAt(key) ?? Infinity",
        replace: "(key) => store.expiresAt(key) && Infinity || Infinity",
        killers: ["kv: a watch shows an expiry before anything that happens later, and only if it still comes"],
      },
      {
        id: "watch-held-for-ever",
        in: "Watcher.end",
        find: "onWrite.get(name)?.delete(this.#wake);",
        replace: "onWrite.get(name)?.has(this.#wake);",
        killers: ["kv: a watch that is over holds nothing, also one that nobody reads"],
      },
    ],
  },
  {
    sentence: "A store that was cleared under its handles is one of `openKv` still, when it is opened again.",
    mutants: [
      {
        id: "cleared-store-not-marked",
        in: "Batch.operations",
        find: "if (changes && store.has(MARK_KEY)) return this.#operations;",
        replace: "if (changes) return this.#operations;",
        killers: ["kv extras: the store below can be cleared; the next commit marks it again"],
      },
    ],
  },
  {
    sentence: "Versionstamps grow from commit to commit, across reopens and crashes, and each is given out once.",
    mutants: [
      {
        id: "commit-without-a-record",
        in: "Batch.operations",
        find: "if (changes && store.has(MARK_KEY)) return this.#operations;",
        replace: "if (store.has(MARK_KEY)) return this.#operations;",
        killers: [CRASHES],
      },
      {
        id: "commit-numbered-as-the-last-one",
        in: "commit",
        find: "const sequence = store.lastSequence + 1;",
        replace: "const sequence = store.lastSequence;",
        killers: [TAKEN_BACK],
      },
    ],
  },
  {
    sentence: "Keys come back as they were set, in the order of Deno KV.",
    mutants: [
      {
        id: "negative-number-not-flipped",
        in: "flipIn",
        find: "isNegative ? 0xff : i === 0 ? 0x80 : 0",
        replace: "isNegative || i === 0 ? 0x80 : 0",
        killers: [KEYS],
      },
      {
        id: "zero-not-escaped",
        in: "writeBytes",
        find: "if (byte === 0) writer.byte(ESCAPE);",
        replace: "if (byte < 0) writer.byte(ESCAPE);",
        killers: [KEYS],
      },
      {
        id: "negative-bigint-as-positive",
        in: "writeBigint",
        find: "isNegative ? ZERO - size : ZERO + size",
        replace: "ZERO + size",
        killers: [KEYS],
      },
    ],
  },
  {
    sentence: "A value comes back as structured clone copies it, with what it shares and with its holes.",
    mutants: [
      {
        id: "shared-object-written-twice",
        in: "ValueWriter.#object",
        find: "if (id !== undefined) return",
        replace: "if (id !== undefined && id < 0) return",
        killers: [VALUES],
      },
      {
        id: "reference-to-the-next-object",
        in: "ValueReader.value",
        find: "this.#objects[this.varint()]",
        replace: "this.#objects[this.varint() + 1]",
        killers: [VALUES],
      },
      {
        id: "hole-written-as-undefined",
        in: "ValueWriter.#array",
        find: "keys[length - 1] === String(length - 1)",
        replace: "keys.length <= length",
        killers: [VALUES],
      },
    ],
  },
  {
    sentence: "Whatever bytes a value is read from, there is a value or an error, in bounded stack and memory.",
    mutants: [
      {
        id: "nested-without-bound",
        in: "ValueReader.#object",
        find: "if (++this.#depth > MAX_DEPTH) throw",
        replace: "if (++this.#depth > Infinity) throw",
        killers: [DEPTH],
      },
      {
        id: "length-believed",
        in: "ValueReader.#take",
        find: "if (length > this.#bytes.length - start) throw",
        replace: "if (start > this.#bytes.length) throw",
        killers: [LENGTHS],
      },
      {
        id: "element-beyond-the-array",
        in: "ValueReader.#properties",
        find: "key >= target.length",
        replace: "key < 0",
        killers: [LENGTHS],
      },
      {
        id: "reserved-without-bound",
        in: "mayReserve",
        find: "reservedBytes <= MAX_RESERVED + 4 * valueBytes",
        replace: "reservedBytes <= MAX_RESERVED * 4 * valueBytes",
        killers: [GROWING],
      },
    ],
  },
  {
    sentence: "A value counts in Deno's limits what it counts in Deno KV.",
    mutants: [
      {
        id: "size-with-the-first-byte",
        in: "sizeOfValue",
        find: "encoded.length : encoded.length - 1",
        replace: "encoded.length : encoded.length",
        killers: [SIZES],
      },
    ],
  },
];
