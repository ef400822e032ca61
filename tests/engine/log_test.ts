import { assert, assertEquals, assertThrows } from "@std/assert";
import { KvStoreError } from "../../src/errors.ts";
import { Log } from "../../src/engine/log.ts";
import { encodeManifest } from "../../src/engine/manifest.ts";
import { writeManifest } from "../../src/engine/manifest_file.ts";
import { KvStore } from "../../src/store.ts";
import { newManifest, readManifest } from "../../src/store/directory.ts";
import { segmentNumberOf } from "../../src/engine/segment.ts";
import type { Lock } from "../../src/platform/types.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";

/** A log without segments. */
function makeLog(): { platform: MemoryPlatform; log: Log } {
  const platform = new MemoryPlatform();
  platform.writeFile("/s/NOTE", new Uint8Array(1));
  const manifest = newManifest();
  writeManifest({ platform, directory: "/s", lock: undefined }, manifest);
  return {
    platform,
    log: new Log({ platform, directory: "/s", lock: platform.lock("/s/LOCK", "") as Lock }, manifest),
  };
}

Deno.test("log: a segment's number is reserved, durably, before a file has it", () => {
  const { platform, log } = makeLog();
  let created = 0;
  platform.onOperation = ({ kind, path, mode }) => {
    const number = segmentNumberOf(path.slice("/s/".length));
    if (kind !== "open" || mode !== "create" || number === undefined) return;
    created++;
    const { nextSegment } = readManifest(platform.image(), "/s")!;
    assert(number < nextSegment, `segment ${number} was created; after a power cut the next one is ${nextSegment}`);
  };
  // More than are reserved at a time.
  for (let i = 0; i < 20; i++) log.createSegment().handle.close();
  assertEquals(created, 20);
});

Deno.test("log: a file that is there already is left alone, and its number is not used", () => {
  const { platform, log } = makeLog();
  const bytes = new TextEncoder().encode("somebody's");
  for (const number of [1, 2]) platform.writeFile(`/s/0000000${number}.seg`, bytes);
  assertEquals(log.createSegment().number, 3);
  for (const number of [1, 2]) assertEquals(platform.readFile(`/s/0000000${number}.seg`), bytes);
});

Deno.test("log: a segment's name and header are durable before the manifest lists it", () => {
  const { platform, log } = makeLog();
  let listed = 0;
  const check = () => {
    // The rename of the manifest lasts by itself, other entries do not.
    const image = platform.image({ entry: ({ kind }) => kind === "rename" });
    for (const { number } of readManifest(image, "/s")!.segments) {
      const file = `/s/0000000${number}.seg`;
      assert(image.files().includes(file), `${file} is listed, and would be gone after a power cut`);
      assert(image.readFile(file).length >= 44, `${file} is listed, and would have no header after a power cut`);
      listed++;
    }
  };
  platform.onOperation = ({ kind }) => void (kind === "read" || check());
  for (let i = 0; i < 3; i++) {
    log.rotate();
    check();
    log.active!.cover(i + 1);
    log.active!.handle.write(new Uint8Array(10), log.active!.endBytes);
    log.active!.endBytes += 10;
  }
  assert(listed > 3);
});

Deno.test("log: a manifest that was prepared before another one is not used", async () => {
  const { platform, log } = makeLog();
  log.rotate();
  const first = await log.prepare({ active: log.active, historyFloor: 1 });
  const second = await log.prepare({ active: log.active, historyFloor: 2 });
  assert(first !== undefined && second !== undefined);
  log.change({ active: log.active, historyFloor: 1 }, { clean: false, prepared: first });
  assertEquals(readManifest(platform, "/s")!.historyFloor, 1);
  log.change({ active: log.active, historyFloor: 2 }, { clean: false, prepared: second });
  assertEquals(readManifest(platform, "/s")!.historyFloor, 2);
});

Deno.test("log: once an fsync has failed, nothing is written any more, and nothing removed", () => {
  const { platform, log } = makeLog();
  log.rotate();
  const copy = log.createSegment();
  platform.onOperation = ({ kind }) => {
    if (kind === "sync") throw new Error("input/output error");
  };
  const codes: string[] = [];
  const take = (action: () => void) => codes.push(assertThrows(action, KvStoreError).code);
  take(() => log.replaceManifest({ clean: true }));
  platform.onOperation = undefined;
  const { open, write, rename, remove, sync } = platform.operations;
  for (const clean of [true, false]) take(() => log.replaceManifest({ clean }));
  take(() => void log.createSegment());
  log.discard(copy);
  assertEquals(codes, ["FAILED", "FAILED", "FAILED", "FAILED"]);
  const after = platform.operations;
  assertEquals([after.open, after.write, after.rename, after.remove, after.sync], [open, write, rename, remove, sync]);
});

Deno.test("log: a store whose segment numbers are used up closes cleanly, and opens again", async () => {
  const options = { segmentBytes: 4096, compaction: { auto: false } };
  const platform = new MemoryPlatform();
  let store = await KvStore.openOn(platform, "/s", options);
  await store.set("key", 1);
  await store.close();
  const manifest = readManifest(platform, "/s")!;
  platform.writeFile("/s/MANIFEST", encodeManifest({ ...manifest, nextSegment: 2 ** 32 - 20 }));
  store = await KvStore.openOn(platform, "/s", options);
  const failures: string[] = [];
  for (let i = 0; i < 40; i++) {
    await store.set(`key ${i}`, new Uint8Array(3000)).catch(({ message }) => failures.push(message));
  }
  assert(failures.length > 20 && failures.every((message) => message.includes("used up")), failures[0]);
  await store.set("last", 2);
  const { size } = store;
  await store.close();
  store = await KvStore.openOn(platform, "/s", options);
  assertEquals([store.size, store.get("last"), store.recovery.clean], [size, 2, true]);
  await store.close();
});
