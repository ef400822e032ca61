import { assert, assertEquals, assertThrows } from "@std/assert";
import { KvStoreError } from "../../mod.ts";
import { crc32 } from "../../src/platform/checksum.ts";
import {
  assertHolds,
  assertLasts,
  codeOf,
  damageImage,
  damageSegment,
  FIRST_SEGMENT,
  footerOf,
  IMAGE,
  KEYS,
  makeStore,
  open,
  work,
} from "../support/lazy_store.ts";
import { Random } from "../support/random.ts";

Deno.test("index: recovery reads the tables of the keys it recovers, and damage elsewhere costs nothing but time", async () => {
  for (const behind of [0, 200]) {
    const { platform, model } = await makeStore(behind);
    const store = await open(platform);
    for (let i = 0; i < 5; i++) {
      model.set(`key ${i}`, -1);
      await store.set(`key ${i}`, -1);
    }
    model.delete("key 5");
    await store.delete("key 5");
    const after = platform.kill();
    for (const isDamaged of [false, true]) {
      const crashed = after.fork();
      let bytesRead = 0;
      crashed.onOperation = ({ kind, path, bytes }) => {
        if (kind === "read" && path === IMAGE) bytesRead += bytes!;
      };
      const recovered = await open(crashed);
      crashed.onOperation = undefined;
      const imageBytes = crashed.readFile(IMAGE).length;
      if (behind === 0) assert(bytesRead < imageBytes / 4, `${bytesRead} of ${imageBytes} bytes`);
      if (isDamaged) damageImage(crashed);
      const again = new Map(model).set("key 6", 1);
      await recovered.set("key 6", 1);
      if (isDamaged) await recovered.compact();
      await assertLasts(crashed, recovered, again);
    }
  }
});

Deno.test("index: image and log damaged, an open after a crash loses nothing, and calls say so", async () => {
  const { platform, model } = await makeStore();
  const store = await open(platform);
  await store.set("key 1", -1);
  model.set("key 1", -1);
  const crashed = platform.kill();
  const good = [IMAGE, FIRST_SEGMENT].map((path) => crashed.readFile(path));
  // One table alone, which the record behind the image hardly ever belongs to.
  crashed.writeFile(IMAGE, good[0]!.with(50, good[0]![50]! ^ 1));
  damageSegment(crashed);
  const damaged = await open(crashed);
  assertEquals(assertThrows(() => [...damaged.keys()], KvStoreError).code, "CORRUPT");
  assertEquals(await codeOf(() => damaged.clear()), "CORRUPT");
  await damaged.close();
  [IMAGE, FIRST_SEGMENT].forEach((path, i) => crashed.writeFile(path, good[i]!));
  const again = await open(crashed);
  assertHolds(again, model);
  assertEquals((await again.verify()).problems, []);
  await again.close();
});

Deno.test("index: image and log damaged, calls say so without reading the log each time, and change nothing", async () => {
  const { platform } = await makeStore();
  const good = [IMAGE, FIRST_SEGMENT].map((path) => platform.readFile(path));
  const store = await open(platform);
  const reader = await open(platform, { readOnly: true });
  damageImage(platform);
  damageSegment(platform);
  const isCorrupt = (call: () => unknown) => assertEquals(assertThrows(call, KvStoreError).code, "CORRUPT");
  isCorrupt(() => store.get("key 7"));
  isCorrupt(() => reader.has("key 7"));
  let reads = 0;
  platform.onOperation = ({ kind, path }) => {
    if (kind === "read" && path === FIRST_SEGMENT) reads++;
  };
  for (let i = 0; i < 50; i++) isCorrupt(() => store.has(`key ${i}`));
  platform.onOperation = undefined;
  assert(reads < 25, `the log was read ${reads} times`);
  const { lastSequence } = store.stats();
  for (
    const call of [
      () => store.set("key 1", -1),
      () => store.delete("key 1"),
      () => store.clear(),
      () => store.compact(),
    ]
  ) {
    assertEquals(await codeOf(call), "CORRUPT");
  }
  assertEquals(store.stats().lastSequence, lastSequence);
  assertEquals(await reader.refresh(), false);
  assert((await store.verify()).problems.length > 0);
  await store.close();
  await reader.close();
  assertEquals(platform.openHandles, 0);
  [IMAGE, FIRST_SEGMENT].forEach((path, i) => platform.writeFile(path, good[i]!));
  const again = await open(platform);
  assertHolds(again, new Map(Array.from({ length: KEYS }, (_, i) => [`key ${i}`, i])));
  await again.close();
});

Deno.test("index: a footer with numbers that cannot be is no image", async () => {
  for (const live of [undefined, 1e12, -1, "5"]) {
    const { platform, model } = await makeStore();
    const bytes = platform.readFile(IMAGE);
    const { start, end, text } = footerOf(bytes);
    const footer = JSON.parse(text);
    footer.partitions[3].live = live;
    const forged = new TextEncoder().encode(JSON.stringify(footer));
    const image = new Uint8Array(start + forged.length + 16);
    image.set(bytes.subarray(0, start));
    image.set(forged, start);
    image.set(bytes.subarray(end), start + forged.length);
    new DataView(image.buffer).setUint32(start + forged.length, forged.length, true);
    new DataView(image.buffer).setUint32(start + forged.length + 4, crc32(forged), true);
    platform.writeFile(IMAGE, image);
    const store = await open(platform);
    assertEquals(store.size, KEYS);
    assertHolds(store, model);
    await store.close();
  }
});

Deno.test("index: an iterator that could not be made keeps nothing on the disk", async () => {
  const { platform, model } = await makeStore();
  const store = await open(platform);
  damageImage(platform);
  platform.onOperation = ({ kind, path }) => {
    if (kind === "read" && path === FIRST_SEGMENT) throw new Error("EIO");
  };
  assertEquals(assertThrows(() => store.keys(), KvStoreError).code, "IO");
  platform.onOperation = undefined;
  // It is not tried again at once: that would read the whole log each time.
  while (await codeOf(() => store.set("key 1", 1)) === "IO") await new Promise((resolve) => setTimeout(resolve, 1));
  for (const [key, value] of model) store.set(key, value);
  await store.compact();
  assertEquals(store.stats().pinnedSegments, 0);
  assertHolds(store, model);
  await store.close();
});

Deno.test("index: an image that turned out to be damaged is written anew", async () => {
  const { platform, model } = await makeStore();
  damageImage(platform);
  const store = await open(platform);
  assertEquals(store.get("key 1"), 1);
  await store.close();
  const again = await open(platform);
  let reads = 0;
  platform.onOperation = ({ kind, path }) => {
    if (kind === "read" && path === FIRST_SEGMENT) reads++;
  };
  assertEquals(again.has("key 1"), true);
  assertEquals(reads, 0);
  platform.onOperation = undefined;
  assertHolds(again, model);
  await again.close();
});

Deno.test("index: an image damaged after the first changes costs nothing but time", async () => {
  const random = new Random(1);
  for (let round = 0; round < 20; round++) {
    const { platform, model } = await makeStore(round % 2 * 200);
    const store = await open(platform);
    const snapshot = store.snapshot();
    const before = new Map(model);
    await work(store, model, random, 30);
    platform.onOperation = ({ kind, path }) => {
      if (kind === "write" && path !== IMAGE) throw new Error("EIO");
    };
    const refused = Array.from({ length: 10 }, () => store.set(`key ${random.below(KEYS + 300)}`, -1));
    for (const write of refused) assertEquals(await codeOf(() => write), "IO");
    platform.onOperation = undefined;
    damageImage(platform);
    if (round % 3 === 0) await work(store, model, random, 1);
    if (round % 4 === 0) await store.compact();
    if (round % 5 === 0) {
      await store.clear();
      model.clear();
    }
    assertHolds(snapshot, before);
    snapshot.close();
    await assertLasts(platform, store, model);
  }
});
