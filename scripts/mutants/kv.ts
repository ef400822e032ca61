/**
 * Breakages of what the interface of Deno KV promises.
 *
 * @module
 */
import type { Promised } from "./types.ts";

const CRASHES = "kv: a commit is there as a whole after a crash, and its versionstamp is never given out again";
const TAKEN_BACK = "kv: no read and no check shows what is taken back";
const FAILED_SYNC = "kv: once a sync has failed, only what is known to be durable is shown";

/** What the interface of Deno KV promises. */
export const kvPromises: Promised[] = [
  {
    sentence: "When a commit resolves it would survive a power cut, and all of it is there or nothing.",
    mutants: [
      {
        id: "commit-in-pieces",
        in: "commit",
        find: "await database.wrote(store.batch(batch.operations()));",
        replace: "for (const one of batch.operations()) await database.wrote(store.batch([one]));",
        killers: [CRASHES],
      },
      {
        id: "commit-not-awaited",
        in: "commit",
        find: "await database.wrote(store.batch(batch.operations()));",
        replace: 'await database.wrote(store.batch(batch.operations(), { durability: "write" }));',
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
        find: 'if (KvStoreError.is(error) && error.code === "IO") return false;',
        replace: 'if (KvStoreError.is(error) && error.code === "IO") return true;',
        killers: [TAKEN_BACK],
      },
      {
        id: "listed-while-pending",
        in: "KvListIterator.#open",
        find: "if (await this.#database.lasts()) return entries;",
        replace: "if (this.#database !== undefined) return entries;",
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
    sentence: "Versionstamps grow from commit to commit, across reopens and crashes, and each is given out once.",
    mutants: [
      {
        id: "commit-without-a-record",
        in: "Batch.operations",
        find: "return changes ? this.#operations : [",
        replace: "return changes !== undefined ? this.#operations : [",
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
];
