/**
 * A store has a fixed number of files open, however many segments it has; and what happens when there are not so many.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { KvStore, verifyStore } from "../../mod.ts";
import { MAX_OPEN_FILES } from "../../src/platform/pool.ts";
import { denoRun, kvstore, processTest, run, withDescriptors } from "../support/processes.ts";

const OPTIONS = { segmentBytes: 4096, cacheBytes: 0, compaction: { auto: false } };
const SEGMENTS = 160;
/** Enough for the runtime, which takes about twenty, and a few files; by far not for all segments. */
const LIMIT = 60;

/** A store of so many segments; returns its keys. */
async function makeStore(directory: string): Promise<string[]> {
  const store = await KvStore.open(directory, OPTIONS);
  for (let i = 0; store.stats().segments < SEGMENTS; i++) {
    await store.set(`key ${i}`, "v".repeat(3000), { durability: "write" });
  }
  const keys = [...store.keys()].map(String);
  await store.close();
  return keys;
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

await processTest(
  "stores have a fixed number of files open, however many segments they have, and give all back",
  async (root) => {
    const keys = await makeStore(`${root}/store`);
    const before = descriptors();
    const writer = await KvStore.open(`${root}/store`, OPTIONS);
    const reader = await KvStore.open(`${root}/store`, { ...OPTIONS, readOnly: true });
    await writer.set("one", "more");
    for (const store of [writer, reader]) assertEquals(store.getMany(keys).every((value) => value !== undefined), true);
    // Beside these: the segment that is written, twice, LOCK, and an image of the index each.
    const most = MAX_OPEN_FILES + 5;
    const during = descriptors();
    assert((during ?? 0) - (before ?? 0) <= most, `${before} before, ${during} while they are open`);
    await reader.close();
    await writer.close();
    assertEquals(descriptors(), before);
  },
);

await processTest("every command works on more segments than files may be open", async (root) => {
  const directory = `${root}/store`;
  await makeStore(directory);
  const commands = [
    ["get", "key 0"],
    ["set", "key 0", "v"],
    ["history", "key 0"],
    ["list", "--values"],
    ["log"],
    ["inspect", "--html", `${root}/page.html`],
    ["verify"],
    ["repair"],
    ["backup", `${root}/copy`],
    ["compact"],
    ["export", `${root}/export.ndjson`],
  ];
  for (const args of commands) {
    const { code, err } = await run(withDescriptors(LIMIT, kvstore(directory, args)));
    assertEquals([args[0], code, code === 0 ? "" : err], [args[0], 0, ""]);
  }
  for (const place of [directory, `${root}/copy`]) assertEquals((await verifyStore(place)).problems, []);
}, NEED);

await processTest(
  "descriptors run out: refused with what to do, nothing is lost, and all goes on afterwards",
  async (root) => {
    const args = [`${root}/store`, `${root}/copy`];
    const { code, out, err } = await run(withDescriptors(LIMIT, denoRun("tests/process/support/descriptors.ts", args)));
    assertEquals([code, err], [0, ""]);
    const { refused, pinned, sizes, acknowledged, ...met } = JSON.parse(out);
    assertEquals(met, {
      compact: "ok",
      verify: [],
      verifyStore: [],
      backup: "ok",
      locked: "LOCKED:",
      copy: [],
      rotation: "ok",
      compactAgain: "ok",
      close: "ok",
      finally: [],
    });
    assert(pinned > LIMIT, `${pinned} segments were kept for the snapshot`);
    assertEquals(sizes[0], sizes[1]);
    const errors: string[] = refused.filter((told: string) => told !== "ok");
    assert(errors.length >= 6 && acknowledged < 20, out);
    for (const told of errors) assertMatch(told, /^IO: cannot .*(Too many open files|EMFILE).*ulimit -n/);
  },
  NEED,
);
