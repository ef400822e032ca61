import { assertEquals, assertMatch } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { exampleTest } from "./support.ts";

exampleTest("quick_start.ts", async (example) => {
  for (const run of [1, 2, 3]) {
    assertEquals(await example.run(), [
      `run ${run}`,
      'user:ada {"name":"Ada","born":1815}',
      'user:grace {"name":"Grace","born":1906}',
      `${3 + run} keys, of which ${run} count the runs`,
      "deleted: true and again: false",
    ]);
  }
});

exampleTest("from_json_file.ts", async (example) => {
  const people = Object.fromEntries(Array.from({ length: 2500 }, (_, i) => [`p${i}`, { born: 1900 + i }]));
  example.write("people.json", JSON.stringify({ ada: { born: 1815 }, ...people }));
  assertEquals(await example.run(), ["2501 people, moved now", 'ada: {"born":1815,"visits":1}']);
  // Were it moved again, the visits would begin anew.
  assertEquals(await example.run(), ["2501 people, moved before", 'ada: {"born":1815,"visits":2}']);
  await using store = await KvStore.open(`${example.folder}/people`, { readOnly: true });
  for (const [name, person] of Object.entries(people)) assertEquals(store.get(`person:${name}`), person);
});

exampleTest("nightly_backup.ts", async (example) => {
  for (const run of [1, 2, 3, 4, 5]) {
    // What a crash left behind goes away, too.
    if (run === 3) await Deno.mkdir(`${example.folder}/backups/2020.unfinished`);
    const kept = Math.min(run, 3);
    assertEquals(await example.run(), [
      `the store has ${2 * run} orders, the backup ${2 * run - 1}; ${kept} are kept`,
    ]);
  }
  const names = [...Deno.readDirSync(`${example.folder}/backups`)].map(({ name }) => name).sort();
  for (const [i, name] of names.entries()) {
    assertMatch(name, /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z$/);
    await using copy = await KvStore.open(`${example.folder}/backups/${name}`, { readOnly: true });
    assertEquals(copy.size, 2 * (i + 3) - 1);
  }
});
