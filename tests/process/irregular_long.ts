/** A FIFO in the place of a file, at whose other end nobody is: no command waits for it, and each names it. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { kvstore, processTest, runAndKill } from "../support/processes.ts";

/** Longer than any command takes that does not wait. */
const LIMIT_MS = 20_000;

async function prepared(directory: string, name: string): Promise<void> {
  const store = await KvStore.open(directory);
  await store.set("key", 1);
  await store.close();
  await Deno.remove(`${directory}/${name}`).catch(() => {});
  const { success } = await new Deno.Command("mkfifo", { args: [`${directory}/${name}`] }).output();
  assert(success);
}

const mkfifo = { what: "mkfifo", command: () => ["mkfifo", "--version"] };

/** The exit status of each command where a FIFO is in the place of a file, in this order. */
const COMMANDS = [["verify"], ["repair", "--dry-run"], ["get", "key"], ["set", "key", "2"], ["repair"]];
const STATUSES = {
  "00000001.seg": [1, 0, 3, 3, 0],
  MANIFEST: [1, 0, 3, 3, 0],
  LOCK: [1, 0, 0, 3, 3],
  INDEX: [0, 0, 0, 0, 0],
  RESERVE: [0, 0, 0, 0, 0],
};

for (const [name, statuses] of Object.entries(STATUSES)) {
  await processTest(`no command waits for a FIFO that is ${name}`, async (root) => {
    const directory = `${root}/store`;
    await prepared(directory, name);
    for (const [i, command] of COMMANDS.entries()) {
      const { code, err, out, killed } = await runAndKill(kvstore(directory, command), LIMIT_MS);
      assertEquals([killed, code], [false, statuses[i]], `${command.join(" ")}: ${out}${err}`);
      if (code !== 0) assertMatch(out + err, new RegExp(`${name}.*a FIFO, not a regular file`));
    }
  }, mkfifo);
}
