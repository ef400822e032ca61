/**
 * Moving from a JSON file: a program that kept an object in people.json takes it over into a store, once, when it
 * starts. A move that is cut off is begun anew; the file stays as it was.
 *
 * Run it beside a people.json such as {"ada":{"born":1815}}: `deno run --allow-read --allow-write from_json_file.ts`
 */
import { readFile } from "node:fs/promises";
import { KvStore } from "@kvstore/kvstore";

const FILE = "people.json";
/** A key that says that the move is complete. */
const MOVED = `moved:${FILE}`;
/** Calls on their way to the disk at the same time: they share syncs, and memory stays bounded. */
const AT_ONCE = 1000;

interface Person {
  born: number;
  visits?: number;
}

await using store = await KvStore.open("./people");
const already = store.has(MOVED);
if (!already) await move();
console.log(`${[...store.keys({ prefix: "person:" })].length} people, moved ${already ? "before" : "now"}`);

// From here on the program writes single keys, where it used to write the whole file again.
const ada = store.get("person:ada") as Person | undefined;
if (ada !== undefined) await store.set("person:ada", { ...ada, visits: (ada.visits ?? 0) + 1 });
console.log("ada:", JSON.stringify(store.get("person:ada")));

async function move(): Promise<void> {
  const people: Record<string, Person> = JSON.parse(await readFile(FILE, "utf8"));
  let writes: Promise<void>[] = [];
  for (const [name, person] of Object.entries(people)) {
    writes.push(store.set(`person:${name}`, person));
    if (writes.length < AT_ONCE) continue;
    await Promise.all(writes);
    writes = [];
  }
  await Promise.all(writes);
  // Last, and the log keeps the order of calls: where this is, everything before it is.
  await store.set(MOVED, true);
}
