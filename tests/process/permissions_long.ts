/** A store that may be read and not written, or not even that. */

import { assertEquals, assertMatch } from "@std/assert";
import { KvStore, verifyStore } from "../../mod.ts";
import { type Ended, kvstore, mounted, processTest, run, runAndKill, unprivileged } from "../support/processes.ts";

const OPTIONS = { segmentBytes: 4096, compaction: { auto: false } };

/** A store with a few segments, and bytes that compaction could win. */
async function makeStore(directory: string): Promise<void> {
  const store = await KvStore.open(directory, OPTIONS);
  for (let i = 0; i < 60; i++) await store.set(`key ${i % 20}`, "v".repeat(500), { durability: "write" });
  await store.close();
}

/** Names, sizes and times of change of everything in a directory. */
function stateOf(directory: string): unknown[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => {
    const { size, mtime, mode } = Deno.statSync(`${directory}/${name}`);
    return [name, size, mtime?.getTime(), mode];
  }).sort();
}

const WRITING = [["set", "k", "v"], ["delete", "key 1"], ["import"], ["compact"]];
const READING = [["get", "key 1"], ["has", "key 1"], ["list"], ["count"], ["export"], ["stats"], ["verify"], ["log"], [
  "inspect",
]];

/** Runs every command; those that write must be refused in one line, those that only read must work, if they may. */
async function assertCommands(of: (args: string[]) => string[], mayRead: boolean, reason: RegExp): Promise<void> {
  const refused = [...WRITING, ...mayRead ? [] : READING];
  const asked = [...refused, ...mayRead ? READING : []];
  const ends = new Map<string[], Ended>();
  // Half the time of one after another, on two cores.
  for (let i = 0; i < asked.length; i += 2) {
    await Promise.all(asked.slice(i, i + 2).map(async (args) => ends.set(args, await run(of(args), ""))));
  }
  for (const [args, { code, out, err }] of ends) {
    const isRefused = refused.includes(args);
    assertEquals([args, code], [args, isRefused ? 3 : 0], err);
    if (!isRefused) continue;
    assertEquals([args, out], [args, ""]);
    assertMatch(err, /^kvstore: [^\n]+\n$/);
    assertMatch(err, reason);
  }
}

/** A file system that cannot be written to: a store below `at` of the mount namespace. */
const remounted = (at: string) => `mount --bind '${at}' '${at}' && mount -o remount,bind,ro '${at}'`;

await processTest(
  "a file system mounted read-only: everything that reads works, everything that writes says why not",
  async (root) => {
    const directory = `${root}/disk/store`;
    await Deno.mkdir(`${root}/disk`);
    await makeStore(directory);
    const before = stateOf(directory);
    const of = (args: string[]) => mounted(remounted(`${root}/disk`), kvstore(directory, args));
    await assertCommands(of, true, /read-only file system|EROFS/i);
    assertEquals((await run(of(["backup", `${root}/copy`]))).code, 0);
    assertEquals((await verifyStore(`${root}/copy`)).problems, []);
    assertEquals((await run(of(["set", "--dir", `${root}/disk/new/deeper`, "k", "v"]))).code, 3);
    assertEquals(stateOf(directory), before);

    // After a crash it is read as it is.
    const input = Array.from({ length: 40_000 }, (_, i) => `{"key":"${String(i).padStart(6, "0")}","value":1}\n`);
    await Deno.writeTextFile(`${root}/lines`, input.join(""));
    for (let ms = 600;; ms *= 0.8) {
      if ((await runAndKill(kvstore(directory, ["import", `${root}/lines`]), ms)).killed) break;
    }
    const { code, out, err } = await run(of(["list"]));
    assertEquals([code, err], [0, ""]);
    const store = await KvStore.open(directory);
    assertEquals(out, [...store.keys()].map((key) => `${key}\n`).join(""));
    await store.close();
  },
  { what: "a mount of its own", command: () => mounted(remounted("/tmp"), ["true"]) },
);

for (
  const [what, directoryMode, fileMode] of [["be read only", 0o555, 0o444], ["not be read", 0o000, 0o000]] as const
) {
  await processTest(
    `a store that another user may ${what}: said in one line, nothing changed`,
    async (root) => {
      const directory = `${root}/store`;
      await makeStore(directory);
      const before = stateOf(directory).map((file) => (file as unknown[]).slice(0, 3));
      for (const { name } of Deno.readDirSync(directory)) Deno.chmodSync(`${directory}/${name}`, fileMode);
      Deno.chmodSync(directory, directoryMode);
      const of = (args: string[]) => unprivileged(kvstore(directory, args));
      try {
        await assertCommands(of, fileMode !== 0, /permission denied|EACCES/i);
      } finally {
        Deno.chmodSync(directory, 0o700);
      }
      assertEquals(stateOf(directory).map((file) => (file as unknown[]).slice(0, 3)), before);
      for (const { name } of Deno.readDirSync(directory)) Deno.chmodSync(`${directory}/${name}`, 0o600);
      assertEquals(await verifyStore(directory), { problems: [], notes: [] });
    },
    { what: "to become a user who is not root and may run Deno", command: () => unprivileged([Deno.execPath(), "-V"]) },
  );
}

await processTest("Deno's permissions: read alone is enough to read, and what is missing is named", async (root) => {
  const directory = `${root}/store`;
  await makeStore(directory);
  const before = stateOf(directory);
  const read = ["--allow-env", `--allow-read=${root}`];
  await assertCommands((args) => kvstore(directory, args, read), true, /write access/);
  await assertCommands((args) => kvstore(directory, args, ["--allow-env"]), false, /read access/);
  // It may write to a directory that is not there, and cannot make it durable in the one above.
  const below = ["--allow-env", `--allow-read=${root}/absent`, `--allow-write=${root}/absent`];
  const { code, err } = await run(kvstore(`${root}/absent`, ["set", "k", "v"], below));
  assertEquals(code, 3);
  assertMatch(err, /^kvstore: [^\n]*create the directory first[^\n]*\n$/);
  assertEquals([...Deno.readDirSync(root)].map(({ name }) => name), ["store"]);
  assertEquals(stateOf(directory), before);
});
