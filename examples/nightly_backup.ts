/**
 * A nightly backup of a store that is in use: copied, verified, and only then given its name; the oldest are removed.
 *
 * Run it as often as you like: `deno run --allow-read --allow-write nightly_backup.ts`
 */
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { KvStore, verifyStore } from "@kvstore/kvstore";

const FOLDER = "./backups";
/** Backups to keep. */
const KEEP = 3;
/** At the end of the name of a copy that is not verified yet. */
const UNFINISHED = ".unfinished";

await using store = await KvStore.open("./orders");

await mkdir(FOLDER, { recursive: true });
const order = store.size + 1;
await store.set(`order:${order}`, { item: "tea" });
// The application writes on meanwhile: the copy has what was there when the backup began.
const [path] = await Promise.all([backUp(store), store.set(`order:${order + 1}`, { item: "cake" })]);

await using copy = await KvStore.open(path, { readOnly: true });
console.log(`the store has ${store.size} orders, the backup ${copy.size}; ${(await readdir(FOLDER)).length} are kept`);

// In a service, once a day: setInterval(() => backUp(store).catch(report), 24 * 60 * 60 * 1000)
async function backUp(store: KvStore): Promise<string> {
  // Names in the order of time. A colon would not do on Windows.
  const path = `${FOLDER}/${new Date().toISOString().replaceAll(":", "-")}`;
  await store.backup(path + UNFINISHED);
  const { problems } = await verifyStore(path + UNFINISHED);
  if (problems.length > 0) throw new Error(`the backup is damaged: ${problems[0]!.reason}`);
  await rename(path + UNFINISHED, path);
  await removeOld();
  return path;
}

/** Removes all but the newest backups, and copies that a crash left unfinished. */
async function removeOld(): Promise<void> {
  const names = (await readdir(FOLDER)).sort();
  const complete = names.filter((name) => !name.endsWith(UNFINISHED));
  const doomed = [...complete.slice(0, -KEEP), ...names.filter((name) => name.endsWith(UNFINISHED))];
  for (const name of doomed) await rm(`${FOLDER}/${name}`, { recursive: true });
}
