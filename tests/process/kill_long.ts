/** Commands and programs that are killed with SIGKILL at some moment, again and again on the same store. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { cpSync } from "node:fs";
import { KvStore, KvStoreError, verifyStore } from "../../mod.ts";
import { Torture } from "../../src/cli/torture/rounds.ts";
import { canStartProcesses } from "../support/permissions.ts";
import { Random } from "../support/random.ts";
import { libraryModules, runtimes, stageModules } from "../support/javascript.ts";
import { kvstore, processTest, run, runAndKill } from "../support/processes.ts";

/** The moments are spread over the time that a whole run takes. Returns how many processes were killed in time. */
async function killAgainAndAgain(
  times: number,
  command: (i: number) => string[],
  check: (ended: { i: number; out: string; killed: boolean }) => Promise<void>,
): Promise<void> {
  const begun = performance.now();
  assertEquals((await run(command(-1))).code, 0);
  const wholeMs = performance.now() - begun;
  const random = new Random(times);
  let kills = 0;
  for (let i = 0; i < times; i++) {
    const { code, out, err, killed } = await runAndKill(command(i), wholeMs * (0.2 + 0.9 * random.fraction()));
    if (killed) kills++;
    else assertEquals(code, 0, err);
    await check({ i, out, killed });
  }
  assert(kills > 0, `none of ${times} processes was killed in time`);
}

/** What a store holds, after it was opened for writing and so recovered; it must be intact before and after. */
async function contentsOf(directory: string): Promise<Map<string, unknown>> {
  assertEquals((await verifyStore(directory)).problems, []);
  const store = await KvStore.open(directory, { create: false });
  const contents = new Map(store.entries() as Iterable<[string, unknown]>);
  await store.close();
  assertEquals((await verifyStore(directory)).problems, []);
  return contents;
}

await processTest("SIGKILL at `set`: what was acknowledged is there, the rest is the old or the new", async (root) => {
  const known = new Map<string, Set<unknown>>([["key 2", new Set(["value -1"])]]);
  const key = (i: number) => `key ${(i + 3) % 3}`;
  await killAgainAndAgain(
    14,
    (i) => kvstore(`${root}/store`, ["set", key(i), `value ${i}`]),
    async ({ i, killed }) => {
      const possible = killed ? known.get(key(i)) ?? new Set([undefined]) : new Set();
      known.set(key(i), possible.add(`value ${i}`));
      const contents = await contentsOf(`${root}/store`);
      for (const [name, values] of known) {
        const value = contents.get(name);
        assert(values.has(value), `${name} is ${value}, wanted one of ${[...values]}`);
        known.set(name, new Set([value]));
      }
    },
  );
});

await processTest("SIGKILL at `import`: a prefix with every acknowledged line is there", async (root) => {
  const text = (count: number) =>
    Array.from({ length: count }, (_, i) => `{"key":"${String(i).padStart(6, "0")}","value":"${i}"}\n`).join("");
  await Deno.writeTextFile(`${root}/lines`, text(60_000));
  await killAgainAndAgain(
    6,
    (i) => kvstore(`${root}/store ${i}`, ["import", "--json", `${root}/lines`]),
    async ({ i, out, killed }) => {
      const last = out.trim().split("\n").findLast((line) => line.endsWith("}"));
      const acknowledged = last === undefined ? 0 : JSON.parse(last).acknowledged as number;
      const directory = `${root}/store ${i}`;
      const store = await KvStore.open(directory);
      const keys = [...store.keys()];
      await store.close();
      assert(keys.length >= acknowledged, `${keys.length} keys for ${acknowledged} acknowledged lines`);
      if (!killed) assertEquals(keys.length, 60_000);
      keys.forEach((key, at) => assertEquals(key, String(at).padStart(6, "0")));
      assertEquals((await verifyStore(directory)).problems, []);
      await Deno.remove(directory, { recursive: true });
    },
  );
});

const KEYS = 2500;

/** A store of so many keys with twice as many stale records, deletes among them; returns what it holds. */
async function makeStore(directory: string, keys: number): Promise<Map<string, unknown>> {
  const store = await KvStore.open(directory, { segmentBytes: 65_536, compaction: { auto: false } });
  for (let i = 0; i < 3 * keys; i++) {
    store.set(`key ${i % keys}`, { i, text: "v".repeat(300) }, { durability: "write" });
  }
  for (let i = 0; i < keys; i += 5) store.delete(`key ${i}`, { durability: "write" });
  await store.flush();
  const contents = new Map(store.entries() as Iterable<[string, unknown]>);
  await store.close();
  return contents;
}

await processTest("SIGKILL at `compact`: the contents are the same, whatever was done of it", async (root) => {
  const directory = (i: number) => `${root}/store ${i >> 1}`;
  const contents = await makeStore(`${root}/made`, KEYS);
  for (let i = -2; i < 8; i += 2) cpSync(`${root}/made`, directory(i), { recursive: true });
  await killAgainAndAgain(
    8,
    // Each store twice: what one left half done, the next one finds.
    (i) => kvstore(directory(i), ["compact"]),
    async ({ i }) => assertEquals(await contentsOf(directory(i)), contents),
  );
});

await processTest("SIGKILL at `backup`: the copy is whole or no store, the original is as it was", async (root) => {
  const contents = await makeStore(`${root}/store`, KEYS);
  await killAgainAndAgain(
    8,
    (i) => kvstore(`${root}/store`, ["backup", `${root}/copy ${i}`]),
    async ({ i, killed }) => {
      const hasManifest = await Deno.stat(`${root}/copy ${i}/MANIFEST`).then(() => true, () => false);
      assert(hasManifest || killed);
      if (hasManifest) assertEquals(await contentsOf(`${root}/copy ${i}`), contents);
      else {
        const opening = () => KvStore.open(`${root}/copy ${i}`, { readOnly: true });
        const { code } = await assertRejects(opening, KvStoreError);
        assert(["NOT_FOUND", "CORRUPT"].includes(code), code);
      }
    },
  );
  assertEquals(await contentsOf(`${root}/store`), contents);
});

/** What the writer of torture is made of. */
const WRITER = [
  "tests/process/support/writer.ts",
  ...[
    "command_line/errors",
    "text/json_text",
    "text/notation",
    "text/printable",
    "input_output/report_error",
    "torture/plan",
    "torture/writer",
  ].map((
    name,
  ) => `src/cli/${name}.ts`),
];

const ROUNDS = 8;

for (const [name, program] of canStartProcesses ? runtimes() : []) {
  await processTest(
    `SIGKILL at a program of ${name}: a prefix with every acknowledged write is there`,
    async (root) => {
      await Deno.mkdir(`${root}/stage`);
      stageModules([...libraryModules(), ...WRITER], `${root}/stage`);
      const place = { store: `${root}/store`, crashed: `${root}/crashed` };
      const torture = new Torture(7, [program, [`${root}/stage/tests/process/support/writer.js`]], place);
      for (let i = 0; i < ROUNDS; i++) await torture.round(new AbortController().signal);
      const { failures, rounds, kills, acknowledged } = torture.tally;
      assertEquals([failures, rounds], [[], ROUNDS]);
      assert(kills.open > 0 && kills.write + kills.compact > 0 && acknowledged > 0, JSON.stringify(torture.tally));
    },
  );
}
