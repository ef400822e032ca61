/** One writer at a time among real processes, whatever the file LOCK holds or becomes, and nobody has to remove it. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { KvStore, KvStoreError, verifyStore } from "../../mod.ts";
import { denoRun, kvstore, processTest, run } from "../support/processes.ts";
import { Holder, SCRIPT } from "./support/holding.ts";

async function holderOf(directory: string): Promise<Holder> {
  const holder = new Holder(denoRun(`${SCRIPT}.ts`, [directory]));
  assertEquals(await holder.hear(), "ok");
  return holder;
}

async function assertLocked(directory: string): Promise<void> {
  const error = await assertRejects(() => KvStore.open(directory), KvStoreError);
  assertEquals(error.code, "LOCKED", error.message);
}

const CONTENTS: Record<string, string | Uint8Array> = {
  "nothing": "",
  "garbage": new Uint8Array([0, 255, 10, 123, 0, 0]),
  "a process that is long gone": '{"process":999999,"since":"2020-01-01T00:00:00.000Z"}\n',
  "a megabyte": "x".repeat(1 << 20),
};

await processTest(
  "LOCK may hold anything; its holder fails if it is written to meanwhile, and loses nothing",
  async (root) => {
    const directory = `${root}/store`;
    for (const [what, content] of Object.entries(CONTENTS)) {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.mkdir(directory, { recursive: true });
      await Deno.writeFile(`${directory}/LOCK`, bytes);
      const holder = await holderOf(directory);
      await assertLocked(directory);
      assertEquals([what, await holder.tell(`key ${what}`)], [what, "ok"]);
      // Written to in place: it is the same file, and still locked.
      await Deno.writeFile(`${directory}/LOCK`, bytes);
      await assertLocked(directory);
      assertEquals([what, await holder.tell(`late ${what}`)], [what, "FAILED"]);
      await holder.kill();
      const store = await KvStore.open(directory);
      assertEquals(store.has(`key ${what}`), true);
      await store.close();
    }
    assertEquals((await verifyStore(directory)).problems, []);
  },
);

for (const how of ["removed", "replaced"]) {
  await processTest(`LOCK ${how} under its holder: of two writers one fails, and no write is lost`, async (root) => {
    const directory = `${root}/store`;
    const holder = await holderOf(directory);
    assertEquals(await holder.tell("first"), "ok");
    Deno.removeSync(`${directory}/LOCK`);
    if (how === "replaced") Deno.writeTextFileSync(`${directory}/LOCK`, "another file");
    const acknowledged = ["first"];
    const store = await KvStore.open(directory);
    assertEquals(store.has("first"), true);
    let code = "ok";
    for (let i = 0; i < 50 && code === "ok"; i++) {
      const key = `late ${i}`;
      code = await holder.tell(key);
      if (code === "ok") acknowledged.push(key);
      await store.set(`mine ${i}`, "v");
      acknowledged.push(`mine ${i}`);
    }
    assertEquals(code, "FAILED");
    assertEquals(await holder.tell("close"), "FAILED");
    await holder.end();
    await store.set("last", "v");
    await store.close();
    assertEquals((await verifyStore(directory)).problems, []);
    const again = await KvStore.open(directory);
    assertEquals(acknowledged.filter((key) => !again.has(key)), []);
    await again.close();
  });
}

await processTest(
  "processes that race for a store: as many keys as were acknowledged, the others hear LOCKED",
  async (root) => {
    const directory = `${root}/store`;
    const count = 8;
    const ask = (i: number, wait: string[]) => run(kvstore(directory, ["set", `key ${i}`, "v", "--json", ...wait]));
    const patient = await Promise.all(Array.from({ length: count }, (_, i) => ask(i, ["--wait", "60"])));
    assertEquals(patient.map(({ code, err }) => code === 0 ? "" : err), Array(count).fill(""));
    const hasty = await Promise.all(Array.from({ length: count }, (_, i) => ask(count + i, [])));
    const store = await KvStore.open(directory);
    for (const [i, { code, err }] of [...patient, ...hasty].entries()) {
      assertEquals([i, store.has(`key ${i}`)], [i, code === 0]);
      if (code !== 0) assertEquals([code, JSON.parse(err).error.code], [3, "LOCKED"]);
    }
    assert(hasty.some(({ code }) => code === 0));
    await store.close();
    assertEquals((await verifyStore(directory)).problems, []);
  },
);
