/** A store holds a descriptor for each segment: what happens when they run out. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { KvStore, verifyStore } from "../../mod.ts";
import { denoRun, kvstore, processTest, run, withDescriptors } from "./support.ts";

const OPTIONS = { segmentBytes: 4096, compaction: { auto: false } };
const SEGMENTS = 100;
/** Enough for the runtime, which takes about twenty, and not for the store. */
const LIMIT = 60;

/** A store of so many segments. */
async function makeStore(directory: string): Promise<void> {
  const store = await KvStore.open(directory, OPTIONS);
  for (let i = 0; store.stats().segments < SEGMENTS; i++) {
    await store.set(`key ${i}`, "v".repeat(3000), { durability: "write" });
  }
  await store.close();
}

/** The descriptors of this process, where the system tells. */
function descriptors(): number | undefined {
  try {
    return [...Deno.readDirSync("/proc/self/fd")].length;
  } catch {
    return undefined;
  }
}

const NEED = { what: "a shell that limits open files", command: () => withDescriptors(LIMIT, ["true"]) };

await processTest("a store holds a descriptor a segment and at most three more, and gives all back", async (root) => {
  await makeStore(`${root}/store`);
  for (const readOnly of [false, true]) {
    const before = descriptors();
    const store = await KvStore.open(`${root}/store`, { readOnly });
    if (!readOnly) await store.set("one", "more");
    const during = descriptors();
    await store.close();
    const most = SEGMENTS + 1 + (readOnly ? 0 : 3);
    assert((during ?? 0) - (before ?? 0) <= most, `${before} before, ${during} while it is open`);
    assertEquals(descriptors(), before);
  }
});

await processTest("too few descriptors to open: one line that names the limit, nothing changed", async (root) => {
  const directory = `${root}/store`;
  await makeStore(directory);
  for (const args of [["get", "key 0"], ["set", "key 0", "v"], ["compact"], ["verify"], ["backup", `${root}/copy`]]) {
    const { code, out, err } = await run(withDescriptors(LIMIT, kvstore(directory, args)));
    // Verify needs one at a time.
    if (args[0] === "verify" && code === 0) continue;
    assertEquals([args, code, out], [args, 3, ""]);
    assertMatch(err, /^kvstore: cannot .*(Too many open files|EMFILE).*ulimit -n.*\n$/);
  }
  const store = await KvStore.open(directory, { create: false });
  assertEquals([store.recovery.clean, store.get("key 0")], [true, "v".repeat(3000)]);
  await store.close();
  assertEquals(await verifyStore(directory), { problems: [], notes: [] });
}, NEED);

await processTest("descriptors run out while writing: refused, nothing acknowledged is lost", async (root) => {
  const directory = `${root}/store`;
  const { code, out, err } = await run(withDescriptors(LIMIT, denoRun("descriptors.ts", [directory])));
  assertEquals([code, err], [0, ""]);
  const { acknowledged, told } = JSON.parse(out);
  assert(acknowledged > 10, out);
  for (const [i, error] of told.entries()) {
    if (i === 2 && error === null) continue;
    assertEquals(error.code, "IO", error.message);
    assertMatch(error.message, /Too many open files|EMFILE/);
  }
  const store = await KvStore.open(directory, OPTIONS);
  assertEquals([...store.keys()].sort(), Array.from({ length: acknowledged }, (_, i) => `key ${i}`).sort());
  await store.set("and", "on");
  await store.close();
  assertEquals((await verifyStore(directory)).problems, []);
}, NEED);
