/**
 * Breakages of the rules about writes, and what there is to say of platforms.
 *
 * @module
 */

import type { Promised } from "./types.ts";

const RANGES = "tests/property/order_test.ts";
const BESIDE_A_SORTED_ARRAY = "order: ranges and open iterators beside a sorted array, whatever comes and goes";
const DELETED = "clock: a delete holds though the key had expired by then, the process dies and the clock goes back";
const FAILED = "tests/contract/failed_writes.ts";
const CLOSING = "tests/contract/closing.ts";
const ORDER = "tests/contract/order.ts";

/** Rules about writes and platforms. */
export const writeRules: Promised[] = [
  {
    sentence: "After a failed fsync nothing is tried again: the kernel may report success the next time.",
    mutants: [
      {
        id: "failed-fsync-retried",
        file: "src/engine/writer.ts",
        find:
          "this.fail(syncFailure(active.name, error));\n        for (const waiter of waiters) waiter.reject(log.failure!);",
        replace: "if (error === undefined) this.fail(syncFailure(active.name, error));\n" +
          "        return active.handle.syncData().then(() => waiters.forEach((waiter) => waiter.resolve()));",
        killers: [[CLOSING, "failed fsync: the writes that waited for it and all behind reject with FAILED"]],
      },
      {
        id: "failed-fsync-forgotten",
        file: "src/engine/log.ts",
        find: "this.failure ??= error;\n    this.onDurable();\n    return this.failure;",
        replace: "return error;",
        killers: [[
          CLOSING,
          "failed fsync: reads go on, everything else rejects with FAILED and its cause, and nothing more is written",
        ]],
      },
      {
        id: "manifest-after-a-failed-fsync",
        file: "src/engine/log.ts",
        find:
          "replaceManifest(options: { clean: boolean }): void {\n    if (this.failure !== undefined) throw this.failure;",
        replace: "replaceManifest(options: { clean: boolean }): void {",
        killers: [[
          "tests/engine/log_test.ts",
          "log: once an fsync has failed, nothing is written any more, and nothing removed",
        ]],
      },
      {
        id: "segment-after-a-failed-fsync",
        file: "src/engine/log.ts",
        find: "beginSegment(inputs: number[]): Segment {\n    if (this.failure !== undefined) throw this.failure;",
        replace: "beginSegment(inputs: number[]): Segment {",
        killers: [[
          "tests/engine/log_test.ts",
          "log: once an fsync has failed, nothing is written any more, and nothing removed",
        ]],
      },
    ],
  },
  {
    sentence: "A short write is continued, and nothing is appended behind what a failed one may have left.",
    mutants: [
      {
        id: "short-write-ignored",
        file: "src/platform/files.ts",
        find: "while (done < source.length) {",
        replace: "while (done === 0 && done < source.length) {",
        killers: [["tests/engine/writer_test.ts", "writer: short writes are continued"]],
      },
      {
        id: "write-of-nothing-taken-for-success",
        file: "src/platform/files.ts",
        find:
          'if (count === 0) throw Object.assign(new Error("the disk took no more bytes (is it full?)"), { code: "ENOSPC" });',
        replace: "if (count === 0) return;",
        killers: [[FAILED, "failed append: a write that takes no byte counts as failed"]],
      },
      {
        id: "appended-behind-a-failed-write",
        file: "src/engine/writer.ts",
        find: "log.mustRotate = true;",
        replace: "",
        killers: [[
          "tests/engine/writer_test.ts",
          "writer: after a part of a group was written, nothing is appended behind it",
        ]],
      },
    ],
  },
  {
    sentence: "A delete holds, also of a key that had expired by then, whatever becomes of the process and the clock.",
    mutants: [
      {
        id: "delete-of-an-expired-key-not-written",
        file: "src/store.ts",
        find: "if (isListed) {",
        replace: "if (isThere) {",
        killers: [["tests/contract/expiry_clock.ts", DELETED]],
      },
      {
        id: "batch-passes-over-an-expired-key",
        file: "src/store/operations.ts",
        find: "isThere.get(name) ?? core.isListed()",
        replace: "isThere.get(name) ?? core.find(undefined) !== undefined",
        killers: [["tests/contract/expiry_clock.ts", DELETED]],
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
        file: "src/engine/writer.ts",
        find: "const waiters = this.#syncWaiters.splice(0);\n    const end",
        replace:
          "const waiters = this.#syncWaiters.splice(0);\n    waiters.forEach((waiter) => waiter.resolve());\n    const end",
        killers: [["tests/contract/durability.ts", 'durability "sync": what was acknowledged survives a power cut']],
      },
      {
        id: "missing-key-deleted-at-once",
        file: "src/store.ts",
        find: "return writer.reached(durability).then(() => isThere);",
        replace: "return isThere ? writer.reached(durability).then(() => isThere) : Promise.resolve(isThere);",
        killers: [[
          ORDER,
          'order: with "…", a delete that finds nothing and an empty batch wait for the writes before them',
        ]],
      },
      {
        id: "rejected-write-visible",
        file: "src/engine/engine.ts",
        find: "this.index.put(keyIn(buffer, at, header), segment, offset, form, expiresAt);",
        replace:
          "if (header.kind === KIND.delete) this.index.put(keyIn(buffer, at, header), segment, offset, form, expiresAt);",
        killers: [[FAILED, "failed append: reads see the pending writes before it, and the former state after it"]],
      },
      {
        id: "rejected-clear-visible",
        file: "src/engine/engine.ts",
        find: "this.views.restore(this.#cleared.pop()!);",
        replace: "this.#cleared.pop();",
        killers: [[FAILED, "failed append: every kind of write rejects with IO and its cause, and the state returns"]],
      },
    ],
  },
  {
    sentence:
      "Where memory runs out, nothing is done by half; behind the switch of a compaction, where there is no way back, the " +
      "store fails.",
    mutants: [
      {
        id: "no-memory-behind-the-switch-passed-over",
        file: "src/engine/compactor.ts",
        find: 'throw host.log.fail(new KvStoreError("FAILED", reason, { cause }));',
        replace: 'throw new KvStoreError("FAILED", reason, { cause });',
        killers: [[
          "tests/engine/engine_test.ts",
          "where memory runs out in a compaction, behind its switch too, no later one drops what is needed",
        ]],
      },
      {
        id: "key-added-before-there-is-room-for-its-time",
        file: "src/engine/index.ts",
        find: "if (id < 0) partition.makeRoom(key.length, this.holds > 0);",
        replace: "if (id < 0) id = partition.add(hash, key.bytes, key.start, key.length, this.holds > 0);",
        killers: [[
          "tests/engine/engine_test.ts",
          "where memory runs out in a compaction, behind its switch too, no later one drops what is needed",
        ]],
      },
      {
        id: "times-given-up-before-there-is-room",
        file: "src/engine/partition.ts",
        find:
          "    this.arena = new Uint8Array(arena.length);\n    this.entries = keptEntries;\n    this.expiries = keptExpiries;",
        replace:
          "    this.expiries = keptExpiries;\n    this.arena = new Uint8Array(arena.length);\n    this.entries = keptEntries;",
        killers: [[
          "tests/engine/partition_test.ts",
          "partition: where there is no memory for dropping deleted entries, nothing has changed",
        ]],
      },
    ],
  },
  {
    sentence: "Lengths are those of the encoded bytes, never of characters.",
    mutants: [
      {
        id: "length-in-characters",
        file: "src/engine/tail.ts",
        find: 'if (typeof value === "string") valueLength = encodeUtf8(value, bytes, valueStart);',
        replace: 'if (typeof value === "string") encodeUtf8(value, bytes, valueStart);',
        killers: [[
          "tests/contract/values.ts",
          "values: strings come back exactly, lone surrogates and a leading U+FEFF too",
        ]],
      },
    ],
  },
  {
    sentence: "Different bytes on a command line never become one key: what is no text there is refused.",
    mutants: [
      {
        id: "replacement-characters-believed",
        file: "src/cli/typed.ts",
        find: "!raw[i]?.equals(Buffer.from(arg))",
        replace: "raw[i] === undefined",
        killers: [["tests/cli/typed_test.ts"]],
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
        file: "src/order/walk.ts",
        find: "if (this.#version !== version) this.#seek();",
        replace: "if (this.#version < 0) this.#seek();",
        killers: [[RANGES, BESIDE_A_SORTED_ARRAY]],
      },
      {
        id: "key-that-a-view-has-taken-out-of-the-order",
        file: "src/views/views.ts",
        find: "if (copyOf(place, now) !== undefined) return false;",
        replace: "",
        killers: [[RANGES, BESIDE_A_SORTED_ARRAY]],
      },
      {
        id: "key-that-comes-back-not-put-in-order",
        file: "src/engine/index.ts",
        find: "const wasListed = this.segment !== 0 && !this.isExpired;",
        replace: "const wasListed = this.segment !== 0;",
        killers: [[RANGES, BESIDE_A_SORTED_ARRAY]],
      },
      {
        id: "renumbered-entries-passed-over-while-the-order-is-made",
        file: "src/order/order.ts",
        find: "if (table === this.#nextTable) this.#nextId = 0;",
        replace: "",
        killers: [[
          "tests/order/select_test.ts",
          "select: an order that is made in small steps has all keys in the end, whatever comes and goes meanwhile",
        ]],
      },
      {
        id: "deleted-keys-count-against-a-limit",
        file: "src/order/select.ts",
        find: "if (counts(refs[reverse ? refs.length - 1 - taken : taken]!)) left--;",
        replace: "left--;",
        killers: [[
          "tests/order/select_test.ts",
          "select: a range alone has what the order of all keys has there, and little more than its limit",
        ]],
      },
      {
        id: "keys-that-are-gone-left-in-the-order",
        file: "src/order/range.ts",
        find: "if (this.#source.isForgotten(ref)) this.#walk.remove();",
        replace: "",
        killers: [[
          "tests/watch/trail_test.ts",
          "trail: a queue is as fast behind twenty thousand jobs as it was, and takes no more memory",
        ]],
      },
    ],
  },
  {
    sentence: "What is published for Node uses nothing of Deno for the store's files.",
    none: "it is a matter of packaging: `deno task test:npm` builds, installs and tests the package",
  },
  {
    sentence: "Reads are synchronous, and the `fdatasync` that callers wait for does not block.",
    mutants: [
      {
        id: "fsync-in-place",
        file: "src/engine/writer.ts",
        find: "this.#syncing = active.handle.syncData().then(",
        replace: "this.#syncing = Promise.resolve(active.handle.syncDataNow()).then(",
        killers: [["tests/contract/durability.ts", "group commit: calls that arrive during a sync share the next one"]],
      },
    ],
  },
  {
    sentence: "The index is made of typed arrays, as a `Map` ends at 2^24 entries.",
    none: "that limit is the engine's; `deno task names` runs a store with millions of keys",
  },
  {
    sentence: "Windows renames over no open file, removes none, and cannot sync a directory.",
    none: "it is a fact about a platform, and Windows is not tested",
  },
];
