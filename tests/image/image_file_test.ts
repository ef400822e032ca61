import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { engineOf } from "../../src/store.ts";
import { compactGroup } from "../../src/engine/compactor.ts";
import { ImageWriter } from "../../src/image/image.ts";
import { crc32 } from "../../src/platform/checksum.ts";
import type { Lock } from "../../src/platform/types.ts";
import { loadImage, writeImage } from "../../src/image/image_file.ts";
import { OpenStore } from "../../src/store/open_store.ts";
import { nextTurn } from "../../src/platform/turn.ts";
import { MARK_BYTES, VALUE_TYPE } from "../../src/engine/record.ts";
import { verifyOn } from "../../src/check/verify.ts";
import { manifestOf } from "../../src/store/directory.ts";
import { OPENING } from "../../src/store/opening.ts";
import { openWriter } from "../../src/engine/open.ts";
import { openReader } from "../../src/follow/open_reader.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";
import { utf8 } from "../support/records.ts";

const IMAGE = "/s/INDEX";

interface About {
  storeId: string;
  generation: number;
  segments: { number: number; salt: number; from: number; probe: number; liveBytes: number }[];
}

/** A closed store with an image of its index, and a segment that is being written. */
async function makeStore(): Promise<MemoryPlatform> {
  const platform = new MemoryPlatform();
  const store = await KvStore.openOn(platform, "/s", { segmentBytes: 16_384, compaction: { auto: false } });
  for (let i = 0; i < 1500; i++) store.set(`key ${i}`, i);
  await store.close();
  assert(platform.files().includes(IMAGE));
  return platform;
}

/** The image with another description of the log that it belongs to, whose checksum is right. */
function describedAs(bytes: Uint8Array, change: (about: About) => void): Uint8Array {
  const end = bytes.length - 16;
  const start = end - new DataView(bytes.buffer, bytes.byteOffset).getUint32(end, true);
  const footer = JSON.parse(new TextDecoder().decode(bytes.subarray(start, end)));
  change(footer.about);
  const text = utf8(JSON.stringify(footer));
  const changed = new Uint8Array(start + text.length + 16);
  changed.set(bytes.subarray(0, start));
  changed.set(text, start);
  changed.set(bytes.subarray(end), start + text.length);
  const view = new DataView(changed.buffer, start + text.length);
  view.setUint32(0, text.length, true);
  view.setUint32(4, crc32(text), true);
  return changed;
}

Deno.test("image file: an image fits only the log that it was made of, at that time or later", async () => {
  const platform = await makeStore();
  const good = platform.readFile(IMAGE);
  const fits = (change: (about: About) => void): boolean => {
    platform.writeFile(IMAGE, describedAs(good, change));
    const manifest = manifestOf(platform, "/s");
    const { log } = openReader(platform, "/s");
    const image = loadImage(log, manifest);
    log.closeFiles();
    return image !== undefined;
  };
  const last = (about: About) => about.segments.at(-1)!;
  /** What the image would say of a log that was longer then, by zeros that were cut off since. */
  const longer = (about: About) => {
    const { number, from } = last(about);
    const segment = platform.readFile(`/s/${String(number).padStart(8, "0")}.seg`);
    last(about).from = from + 100;
    last(about).probe = crc32(segment.subarray(Math.max(0, from + 100 - 4096)));
  };
  assert(fits(() => {}));
  assertEquals(fits((about) => about.storeId = "0".repeat(32)), false, "of another store");
  assertEquals(fits((about) => about.generation += 100), false, "of a later state");
  assertEquals(fits((about) => last(about).salt = (last(about).salt ^ 1) >>> 0), false, "of another file");
  assertEquals(fits((about) => last(about).probe = (last(about).probe ^ 1) >>> 0), false, "of other records");
  assertEquals(fits(longer), false, "of more than there is");
  assertEquals(fits((about) => last(about).liveBytes = 2 ** 32), false, "of more live bytes than a file has");
  assertEquals(fits((about) => last(about).number += 100), false, "of a segment that is still to come");
});

/** Writes an image, and sees when it gets its name that a power cut would take nothing of the active segment. */
async function assertDurable(platform: MemoryPlatform, store: OpenStore): Promise<void> {
  const { name, endBytes } = store.log.active!;
  let isNamed = false;
  platform.onOperation = ({ kind, path }) => {
    if (kind !== "rename" || path !== IMAGE) return;
    isNamed = true;
    assertEquals(platform.image().readFile(`/s/${name}`).length, endBytes, "records that a power cut would take");
  };
  assertEquals(await writeImage(store), true);
  assert(isNamed);
}

function opened(platform: MemoryPlatform): OpenStore {
  platform.writeFile("/s/NOTE", new Uint8Array(1));
  const lock = platform.lock("/s/LOCK", "") as Lock;
  const found = openWriter({ platform, directory: "/s", lock }, manifestOf(platform, "/s", lock), OPENING);
  return new OpenStore(found, { segmentBytes: 1 << 20, cacheBytes: 0 }, () => {});
}

function set(store: OpenStore, key: string): void {
  const writer = store.beginWrite();
  store.stageSet(store.key.encode(key), { type: VALUE_TYPE.utf8, data: "value" }, 0);
  writer.publish();
}

Deno.test("image file: a store that is closed leaves one, even if few of its keys have changed", async () => {
  const platform = new MemoryPlatform();
  const open = () => KvStore.openOn(platform, "/s", { durability: "write" });
  const fill = await open();
  for (let i = 0; i < 20_000; i++) fill.set(`key ${i}`, i);
  await fill.close();
  const store = await open();
  for (let i = 0; i < 1000; i++) store.set(`key ${i}`, -i);
  await store.close();
  const again = await open();
  assertEquals(engineOf(again).changes, 0);
  assertEquals([again.get("key 7"), again.get("key 1007"), again.size], [-7, 1007, 20_000]);
  await again.close();
});

Deno.test("image file: a store that is closed keeps the image that has the order of its keys, unless it has the order itself", async () => {
  for (const reads of [false, true]) {
    const platform = new MemoryPlatform();
    const open = () => KvStore.openOn(platform, "/s", { durability: "write" });
    const fill = await open();
    for (let i = 0; i < 20_000; i++) fill.set(`key ${i}`, i);
    assertEquals([...fill.keys()].length, 20_000);
    await fill.close();
    const store = await open();
    for (let i = 0; i < 1000; i++) store.set(`key ${i}`, -i);
    if (reads) assertEquals([...store.keys()].length, 20_000);
    await store.close();
    const again = await open();
    assertEquals(engineOf(again).ordering.isSaved, true);
    assertEquals(engineOf(again).changes, reads ? 0 : 1000);
    await again.close();
  }
});

Deno.test("image file: what an image covers is durable before it has its name", async () => {
  const platform = new MemoryPlatform();
  const store = opened(platform);
  for (let i = 0; i < 100; i++) set(store, `key ${i}`);
  store.writer!.write();
  await assertDurable(platform, store);
});

// A power cut left an image that counted a mark which the log did not have any more. Marks are synced with the next
// record; nobody waits for one that an idle writer has appended. By an account with a mark too many, a segment with a
// single record of the size of a mark holds nothing.
Deno.test("image file: so is a mark that nobody waits for", async () => {
  const platform = new MemoryPlatform();
  let onIdle = () => {};
  platform.startTimer = (_, action) => {
    onIdle = action;
    return { stop: () => {} };
  };
  const store = opened(platform);
  set(store, "a");
  await store.writer!.reached("sync");
  await nextTurn();
  const { endBytes } = store.log.active!;
  onIdle();
  assertEquals(store.log.active!.endBytes, endBytes + MARK_BYTES);
  await assertDurable(platform, store);
});

// A killed process left such a store: verify found an account that was too low. The record that had superseded another one
// between the table and the account was no longer there, and the next record of its key superseded the other one again.
Deno.test("image file: an account is right though a record between it and its table has been compacted away", async () => {
  const platform = new MemoryPlatform();
  const store = await KvStore.openOn(platform, "/s", { compaction: { auto: false }, durability: "write" });
  const engine = engineOf(store);
  for (let i = 0; i < 50; i++) store.set(`key ${i}`, "first");
  await store.flush();
  const first = engine.log.active!;
  engine.writer!.rotate();
  const { writeNext } = ImageWriter.prototype;
  ImageWriter.prototype.writeNext = function (sequence) {
    const bytes = writeNext.call(this, sequence);
    if (bytes === 0) store.set("key 5", "between table and account");
    return bytes;
  };
  try {
    assert(await writeImage(engine));
  } finally {
    ImageWriter.prototype.writeNext = writeNext;
  }
  store.set("key 5", "last");
  await store.flush();
  engine.writer!.rotate();
  await compactGroup(engine, [...engine.log.segments.values()].filter((one) => one.sealed && one !== first));
  const expected = first.liveBytes;
  const crashed = platform.kill();
  assertEquals((await verifyOn(crashed, "/s", {})).problems, []);
  const again = await KvStore.openOn(crashed, "/s", { compaction: { auto: false } });
  assertEquals(engineOf(again).log.segments.get(first.number)!.liveBytes, expected);
  assertEquals(again.get("key 5"), "last");
  await again.close();
  await store.close().catch(() => {});
});

Deno.test("image file: keys that its order lacks, as a clock was ahead, have expired for good, also where nothing is written to", async () => {
  const options = { compaction: { auto: false } };
  let platform = new MemoryPlatform();
  platform.now = () => 1000;
  let store = await KvStore.openOn(platform, "/s", options);
  for (let i = 0; i < 9000; i++) store.set(`key ${i}`, i, i % 10 === 0 ? { expiresAt: 2000 } : {});
  await store.close();
  platform.remove(IMAGE);
  // Bytes behind a clean end: the segment is sealed at the next start.
  const segment = platform.files().find((path) => path.endsWith(".seg"))!;
  platform.writeFile(segment, new Uint8Array([...platform.readFile(segment), 1]));
  store = await KvStore.openOn(platform, "/s", options);
  assertEquals(engineOf(store).log.active, undefined);
  platform.now = () => 3000;
  assertEquals([...store.keys()].length, 8100);
  assertEquals(await writeImage(engineOf(store)), true);
  platform = platform.kill();
  platform.now = () => 1000;
  store = await KvStore.openOn(platform, "/s", options);
  const range = { gte: "key 4000", lt: "key 4009" };
  const keys = [...store.keys(range)];
  assertEquals(keys, [...store.keys()].filter((key) => range.gte <= String(key) && String(key) < range.lt));
  assertEquals(keys.includes("key 4000"), store.has("key 4000"));
  await store.close();
});
