/**
 * Breakages of what leads out of a full volume.
 *
 * @module
 */

import type { Promised } from "./types.ts";

const RESERVE = "tests/crash/reserve_test.ts";
const RESERVE_SHARES = "writes of values never take the reserve, nor do deletes take what MANIFEST needs";
const RESERVE_TAIL = "a tail that there is no room to copy is made durable where it is";

/** What holds on a full volume. */
export const fullDiskPromises: Promised[] = [
  {
    sentence: "A store on a full volume can be opened, deleted from and compacted.",
    mutants: [
      {
        id: "reserve-not-given-up",
        file: "src/platform/reserve.ts",
        find: "if (!isDiskFull(error) || !this.#covers(needBytes) || !this.#remove(this.#path)) throw error;",
        replace: "throw error;",
        killers: [[RESERVE, RESERVE_SHARES]],
      },
      {
        id: "reserve-not-taken-back",
        file: "src/platform/reserve.ts",
        find: "this.#heldBytes = this.#fill(this.#path, bytes);",
        replace: "",
        killers: [[RESERVE, RESERVE_SHARES]],
      },
      {
        id: "reserve-lent-to-values",
        file: "src/engine/writer.ts",
        find: "if (this.#header.kind === KIND.set) return Infinity;",
        replace: "",
        killers: [[RESERVE, RESERVE_SHARES]],
      },
      {
        id: "reserve-used-up-by-deletes",
        file: "src/platform/reserve.ts",
        find: "* BLOCK_BYTES >= this.#keptBytes;",
        replace: "* BLOCK_BYTES >= 0;",
        killers: [[RESERVE, RESERVE_SHARES]],
      },
      {
        id: "tail-on-a-full-disk-refused",
        file: "src/engine/open.ts",
        find: "if (!isDiskFull(error)) throw error;\n      rewriteTail(unclean);",
        replace: "throw error;",
        killers: [[RESERVE, RESERVE_TAIL]],
      },
      {
        id: "tail-not-written-again",
        file: "src/engine/open.ts",
        find: "asIo(`write ${last.name}`, () => writeAll(last.handle, bytes, at));",
        replace: "if (bytes.length < 0) writeAll(last.handle, bytes, at);",
        killers: [[RESERVE, RESERVE_TAIL]],
      },
      {
        id: "tail-written-again-and-not-synced",
        file: "src/engine/open.ts",
        find: "  asSync(last.name, () => last.handle.syncDataNow());\n",
        replace: "",
        killers: [[RESERVE, RESERVE_TAIL]],
      },
      {
        id: "compaction-ends-at-the-first-group-without-room",
        file: "src/store/maintenance.ts",
        find: "if (this.#isTight || !isDiskFull(error)) throw error;",
        replace: "throw error;",
        killers: [[RESERVE, "on a full disk, compaction begins with what takes the least room"]],
      },
    ],
  },
];
