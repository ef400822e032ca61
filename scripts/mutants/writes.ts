/**
 * Breakages of the rules about writes, and what there is to say of platforms.
 *
 * @module
 */

import type { Promised } from "./types.ts";

const BESIDE_A_SORTED_ARRAY = "order: ranges and open iterators beside a sorted array, whatever comes and goes";
const PLACE_OF_ANY_KEY =
  "bit-tree: it finds the place of any key, whatever keys have in common and whatever came and went";
const DELETED = "clock: a delete holds though the key had expired by then, the process dies and the clock goes back";

/** Rules about writes and platforms. */
export const writeRules: Promised[] = [
  {
    sentence: "After a failed fsync nothing is tried again: the kernel may report success the next time.",
    mutants: [
      {
        id: "failed-fsync-retried",
        in: "Writer.#sync",
        find: "this.fail(syncError(active.name, error)); for (const waiter of waiters) waiter.reject(log.failure!);",
        replace: "if (error === undefined) this.fail(syncError(active.name, error));\n" +
          "        return active.handle.syncData().then(() => waiters.forEach((waiter) => waiter.resolve()));",
        killers: ["failed fsync: the writes that waited for it and all behind reject with FAILED"],
      },
      {
        id: "failed-fsync-forgotten",
        in: "Log.fail",
        find: "this.failure ??= error; this.onDurable(); return this.failure;",
        replace: "return error;",
        killers: [
          "failed fsync: reads go on, everything else rejects with FAILED and its cause, and nothing more is written",
        ],
      },
      {
        id: "failed-fsync-of-a-refused-group",
        in: "Writer.write",
        find: "void syncing?.catch((cause) => this.fail(syncError(active.name, cause)));",
        replace: "void syncing?.catch(() => {});",
        killers: ["writer: a sync that fails counts also where the look at the lock beside it failed"],
      },
      {
        id: "manifest-after-a-failed-fsync",
        in: "Log.replaceManifest",
        find: "if (this.failure !== undefined) throw this.failure;",
        replace: "",
        killers: ["log: once an fsync has failed, nothing is written any more, and nothing removed"],
      },
      {
        id: "segment-after-a-failed-fsync",
        in: "Log.createSegment",
        find: "if (this.failure !== undefined) throw this.failure;",
        replace: "",
        killers: ["log: once an fsync has failed, nothing is written any more, and nothing removed"],
      },
    ],
  },
  {
    sentence: "A short write is continued, and nothing is appended behind what a failed one may have left.",
    mutants: [
      {
        id: "short-write-ignored",
        in: "writeAll",
        find: "while (done < source.length) {",
        replace: "while (done === 0 && done < source.length) {",
        killers: ["writer: short writes are continued"],
      },
      {
        id: "write-of-nothing-taken-for-success",
        in: "writeAll",
        find: 'if (count === 0) throw noSpace("the disk took no more bytes (is it full?)");',
        replace: "if (count === 0) return;",
        killers: ["failed append: a write that takes no byte counts as failed"],
      },
      {
        id: "appended-behind-a-failed-write",
        in: "Writer.write",
        find: "log.mustRotate = true;",
        replace: "",
        killers: ["writer: after a part of a group was written, nothing is appended behind it"],
      },
    ],
  },
  {
    sentence: "A delete holds, even of a key that had already expired, whatever happens to the process and the clock.",
    mutants: [
      {
        id: "delete-of-an-expired-key-not-written",
        in: "Writing.#delete",
        find: "if (isListed) {",
        replace: "if (isThere) {",
        killers: [DELETED],
      },
      {
        id: "batch-passes-over-an-expired-key",
        in: "stageBatch",
        find: "isThere.get(name) ?? engine.isListed(engine.key)",
        replace: "isThere.get(name) ?? engine.find(engine.key) !== undefined",
        killers: [DELETED],
      },
    ],
  },
  {
    sentence:
      "No promise resolves before its bytes, and all written before them, have the durability that it named; no rejected " +
      "write is visible.",
    mutants: [
      {
        id: "promise-resolved-before-the-sync",
        in: "Writer.#sync",
        find: "const end",
        replace: "waiters.forEach((waiter) => waiter.resolve());\n" + "    const end",
        killers: ['durability "sync": what was acknowledged survives a power cut'],
      },
      {
        id: "missing-key-deleted-at-once",
        in: "Writing.#delete",
        find: "return writer.reached(durability).then(() => isThere);",
        replace: "return isThere ? writer.reached(durability).then(() => isThere) : Promise.resolve(isThere);",
        killers: ['order: with "…", a delete that finds nothing and an empty batch wait for the writes before them'],
      },
      {
        id: "rejected-write-visible",
        in: "Engine.onRollback",
        find: "this.#changeable.put(keyIn(buffer, at, header), segment, offset, form, expiresAt);",
        replace:
          "if (header.kind === KIND.delete) this.#changeable.put(keyIn(buffer, at, header), segment, offset, form, expiresAt);",
        killers: ["failed append: reads see the pending writes before it, and the former state after it"],
      },
      {
        id: "rejected-clear-visible",
        in: "Engine.onRollback",
        find: "this.index = this.#changeable = index;",
        replace: "void index;",
        killers: ["failed append: every kind of write rejects with IO and its cause, and the state returns"],
      },
    ],
  },
  {
    sentence:
      "When memory runs out, no change is half done; behind the switch of a compaction, where there is no way back, the " +
      "store fails.",
    mutants: [
      {
        id: "no-memory-behind-the-switch-passed-over",
        in: "compactGroup",
        find: 'throw engine.log.fail(new KvStoreError("FAILED", reason, { cause }));',
        replace: 'throw new KvStoreError("FAILED", reason, { cause });',
        killers: ["where memory runs out in a compaction, behind its switch too, no later one drops what is needed"],
      },
      {
        id: "key-added-before-there-is-room-for-its-time",
        in: "Index.put",
        find: "if (id < 0) partition.makeRoom(key.length, this.holds > 0);",
        replace: "if (id < 0) id = partition.add(hash, key.bytes, key.start, key.length, this.holds > 0);",
        killers: ["where memory runs out in a compaction, behind its switch too, no later one drops what is needed"],
      },
      {
        id: "times-given-up-before-there-is-room",
        in: "Partition.dropDeleted",
        find: "this.arena = new Uint8Array(arena.length); this.entries = keptEntries; this.expiries = keptExpiries;",
        replace: "this.expiries = keptExpiries;\n" + "    this.arena = new Uint8Array(arena.length);\n" +
          "    this.entries = keptEntries;",
        killers: ["partition: where there is no memory for dropping deleted entries, nothing has changed"],
      },
    ],
  },
  {
    sentence: "Lengths are those of the encoded bytes, never of characters.",
    mutants: [
      {
        id: "length-in-characters",
        in: "Tail.stage",
        find: 'if (typeof value === "string") valueLength = encodeUtf8(value, bytes, valueStart);',
        replace: 'if (typeof value === "string") encodeUtf8(value, bytes, valueStart);',
        killers: ["values: strings come back exactly, lone surrogates and a leading U+FEFF too"],
      },
    ],
  },
  {
    sentence: "Different bytes on a command line never become one key: arguments that are not text are refused.",
    mutants: [
      {
        id: "replacement-characters-believed",
        in: "checkArgumentsAreUtf8",
        find: "!raw[i]?.equals(Buffer.from(arg))",
        replace: "raw[i] === undefined",
        killers: ["an argument that is not UTF-8 is refused, wherever it stands, and named"],
      },
    ],
  },
  {
    sentence:
      "Ranges are in the order of the keys' bytes, as of when they were taken, whatever changes meanwhile; a key that is " +
      "gone is stepped over once.",
    mutants: [
      {
        id: "walk-goes-on-at-its-old-place",
        in: "Walk.next",
        find: "if (this.#version !== version) this.#seek();",
        replace: "if (this.#version < 0) this.#seek();",
        killers: [BESIDE_A_SORTED_ARRAY],
      },
      {
        id: "split-of-the-wrong-neighbour-removed",
        in: "BitTree.remove",
        find: "splits[at]! > splits[at + 1]!",
        replace: "splits[at]! <= splits[at + 1]!",
        killers: [PLACE_OF_ANY_KEY],
      },
      {
        id: "key-that-a-view-has-taken-out-of-the-order",
        in: "Views.isForgotten",
        find: "if (copyIfPresent(place, now) !== undefined) return false;",
        replace: "",
        killers: [BESIDE_A_SORTED_ARRAY],
      },
      {
        id: "key-that-comes-back-not-put-in-order",
        in: "Index.point",
        find: "const wasListed = this.segment !== 0 && !this.isExpired;",
        replace: "const wasListed = this.segment !== 0;",
        killers: [BESIDE_A_SORTED_ARRAY],
      },
      {
        id: "renumbered-entries-passed-over-while-the-order-is-made",
        in: "Order.#renumber",
        find: "if (table === this.#nextTable) this.#nextId = 0;",
        replace: "",
        killers: [
          "select: an order that is made in small steps has all keys in the end, whatever comes and goes meanwhile",
        ],
      },
      {
        id: "deleted-keys-count-against-a-limit",
        in: "firstOf",
        find: "if (isListed(refs[reverse ? refs.length - 1 - taken : taken]!)) remaining--;",
        replace: "remaining--;",
        killers: ["select: a range alone has what the order of all keys has there, and little more than its limit"],
      },
      {
        id: "keys-that-are-gone-left-in-the-order",
        in: "RangeIterator.next",
        find: "if (this.#source.isForgotten(ref)) this.#walk.remove();",
        replace: "",
        killers: ["trail: a queue is as fast behind twenty thousand jobs as it was, and takes no more memory"],
      },
    ],
  },
  {
    sentence: "What is published for Node uses nothing of Deno for the store's files.",
    none: "it is a matter of packaging: `deno task npm:test` builds, installs and tests the package",
  },
  {
    sentence: "Reads are synchronous, and the `fdatasync` that callers wait for does not block.",
    mutants: [
      {
        id: "fsync-in-place",
        in: "Writer.write",
        find: "syncing = active.handle.syncData();",
        replace: "syncing = Promise.resolve(active.handle.syncDataNow());",
        killers: ["group commit: calls that arrive during a sync share the next one"],
      },
    ],
  },
  {
    sentence: "The index is made of typed arrays, as a `Map` ends at 2^24 entries.",
    none: "that limit is the engine's; `deno task bench:names` runs a store with millions of keys",
  },
  {
    sentence: "Windows renames over no open file, removes none, and cannot sync a directory.",
    none: "it is a fact about a platform, and Windows is not tested",
  },
];
