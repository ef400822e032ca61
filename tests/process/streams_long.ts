/** Commands that are started with standard input, output or error closed, as by `>&-`. */

import { assertEquals } from "@std/assert";
import { KvStore, verifyStore } from "../../mod.ts";
import { kvstore, processTest, run } from "../support/processes.ts";

const CLOSED = [">&-", "2>&-", "<&-", "<&- >&- 2>&-"];

/** Each command with the exit status that it has with all streams open. */
const COMMANDS: [args: string[], status: number][] = [
  [["set", "new", "value"], 0],
  [["set", "text", "-"], 0],
  [["get", "key 1"], 0],
  [["get", "absent"], 1],
  [["list"], 0],
  [["import"], 0],
  [["export"], 0],
  [["compact"], 0],
  [["verify"], 0],
  [["no such command"], 2],
];

for (const closed of CLOSED) {
  await processTest(
    `standard streams closed (${closed}): the status is as ever, no file is written to`,
    async (root) => {
      const directory = `${root}/store`;
      const store = await KvStore.open(directory, { segmentBytes: 4096, compaction: { auto: false } });
      for (let i = 0; i < 60; i++) await store.set(`key ${i % 20}`, "v".repeat(500), { durability: "write" });
      await store.close();
      for (const [args, status] of COMMANDS) {
        const { code, out, err } = await run(["sh", "-c", `exec "$@" ${closed}`, "sh", ...kvstore(directory, args)]);
        assertEquals([args, code], [args, status], out + err);
        // A number that was free is the next one given out: what is printed must not land in the store.
        assertEquals(await verifyStore(directory), { problems: [], notes: [] });
      }
      const after = await KvStore.open(directory, { readOnly: true });
      assertEquals([after.recovery.clean, after.size, after.get("new")], [true, 22, "value"]);
      assertEquals(after.get("text"), new Uint8Array());
      await after.close();
    },
  );
}
