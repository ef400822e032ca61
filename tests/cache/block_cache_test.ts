import { assert, assertEquals, assertThrows } from "@std/assert";
import { KvStore, KvStoreError, type Range } from "../../mod.ts";
import { BlockCache } from "../../src/cache/block_cache.ts";
import { Segment } from "../../src/engine/segment.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";
import { Random } from "../support/random.ts";

const BLOCK_BYTES = 4096;
const KEYS = 3000;

/** Values of which some lie in two blocks and some are too long for the cache. */
function valueOf(number: number): string {
  return `${number} `.repeat(number % 100 === 0 ? 400 : 1 + number % 60);
}

/** A closed store, and what opens it again and counts the reads of its segments from then on. */
async function makeStore(): Promise<{ platform: MemoryPlatform; open: typeof open; reads: () => number }> {
  const platform = new MemoryPlatform();
  const store = await KvStore.openOn(platform, "/s", { durability: "write" });
  for (let i = 0; i < KEYS; i++) store.set(`key ${i}`, valueOf(i));
  await store.close();
  let reads = 0;
  platform.onOperation = ({ kind, path }) => {
    if (kind === "read" && path.endsWith(".seg")) reads++;
  };
  const open = async (cacheBytes: number) => {
    const opened = await KvStore.openOn(platform, "/s", { cacheBytes, compaction: { auto: false } });
    reads = 0;
    return opened;
  };
  return { platform, open, reads: () => reads };
}

Deno.test("cache: each block is read once, however often its records are", async () => {
  const { platform, open, reads } = await makeStore();
  const store = await open(64 * 1024 * 1024);
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < KEYS; i++) if (i % 100 !== 0) assertEquals(store.get(`key ${i}`), valueOf(i));
  }
  // The last block is not written to its end: its records are read one by one.
  const blocks = platform.readFile("/s/00000001.seg").length / BLOCK_BYTES;
  assert(reads() < blocks + 200, `${reads()} reads of ${blocks} blocks`);
  await store.close();
});

Deno.test("cache: a scan of everything reads chunks, if there is room, and other ranges read single blocks", async () => {
  const { platform, open, reads } = await makeStore();
  const bytes = platform.readFile("/s/00000001.seg");
  const blocks = Math.floor(bytes.length / BLOCK_BYTES);
  const check = (entries: Iterable<[unknown, unknown]>) => {
    for (const [key, value] of entries) assertEquals(value, valueOf(Number(String(key).slice(4))));
  };
  /** The reads of the entries of a range; records that the cache does not take are read alone. */
  const readsFor = async (range: Range, cacheBytes: number) => {
    const store = await open(cacheBytes);
    check(store.entries(range));
    const [first, inMemory] = [reads(), (check(store.entries(range)), reads())];
    await store.close();
    return first - (inMemory - first);
  };
  const large = 64 * 1024 * 1024;
  const chunked = await readsFor({}, large);
  assert(chunked <= blocks / 16 + 3, `${chunked} reads of ${blocks} blocks`);
  assertEquals(await readsFor({ reverse: true }, large), chunked);
  for (const range of [{ gte: "" }, { limit: KEYS }]) {
    const single = await readsFor(range, large);
    assert(single > blocks - 10, `${single} reads of ${blocks} blocks`);
  }
  for (const cacheBytes of [0, BLOCK_BYTES, 15 * BLOCK_BYTES, 17 * BLOCK_BYTES, 40 * BLOCK_BYTES]) {
    const store = await open(cacheBytes);
    const some = store.get("key 1500");
    check(store.entries());
    assertEquals(store.get("key 1500"), some);
    await store.close();
  }
});

Deno.test("cache: blocks make room for each other, and what is read is right all the time", async () => {
  const { open, reads } = await makeStore();
  for (const cacheBytes of [0, BLOCK_BYTES - 1, BLOCK_BYTES, 3 * BLOCK_BYTES, 40 * BLOCK_BYTES]) {
    const random = new Random(cacheBytes);
    const store = await open(cacheBytes);
    const model = new Map(Array.from({ length: KEYS }, (_, i) => [i, valueOf(i)]));
    for (let i = 0; i < 6000; i++) {
      const number = random.below(KEYS);
      if (random.chance(0.1)) {
        model.set(number, `${i} ${valueOf(number)}`);
        store.set(`key ${number}`, model.get(number)!, { durability: "write" });
      } else assertEquals(store.get(`key ${number}`), model.get(number), `key ${number}, ${cacheBytes} bytes`);
      if (random.chance(0.01)) await store.flush();
      if (i === 3000) await store.compact();
    }
    assert(cacheBytes >= BLOCK_BYTES || reads() > 5000, `${reads()} reads`);
    for (const [number] of model) await store.set(`key ${number}`, valueOf(number), { durability: "write" });
    await store.close();
  }
});

Deno.test("cache: a block that had to go is not found any more, nor one that was dropped", () => {
  for (const [places, blocks] of [[8, 20], [40, 30], [300, 200]] as const) {
    for (let seed = 0; seed < 5; seed++) exerciseCache({ places, blocks, random: new Random(7 + seed) });
  }
});

/** Loads, reads chunks and drops at random in two segments of so many blocks, which the cache has less room for. */
function exerciseCache({ places, blocks, random }: { places: number; blocks: number; random: Random }): void {
  const platform = new MemoryPlatform();
  const segments = [1, 2].map((number) => {
    const header = { number, storeId: new Uint8Array(16), salt: 0, inputs: [] };
    const bytes = random.bytes(blocks * BLOCK_BYTES);
    platform.writeFile(`/${number}`, bytes);
    const segment = new Segment(header, platform.open(`/${number}`, "read"), { endBytes: bytes.length, sealed: true });
    return { segment, bytes };
  });
  const cache = new BlockCache(places * BLOCK_BYTES);
  for (let i = 0; i < 5000; i++) {
    const { segment, bytes } = random.pick(segments);
    const length = 1 + random.below(1024);
    const offset = random.below(bytes.length - length);
    if (random.chance(0.1)) cache.drop(segment, offset, length);
    platform.onOperation = random.chance(0.05) ? () => 100 : undefined;
    if (random.chance(0.3)) cache.readChunk(segment, offset, length);
    if (!cache.load(segment, offset, length)) continue;
    assertEquals(cache.bytes.subarray(cache.at, cache.at + length), bytes.subarray(offset, offset + length));
  }
}

Deno.test("cache: where it is too small for what is in demand it stays as it is, until that changes", async () => {
  const { platform, open } = await makeStore();
  const store = await open(4 * BLOCK_BYTES);
  let blocks = 0;
  platform.onOperation = ({ kind, path, bytes }) => {
    if (kind === "read" && path.endsWith(".seg") && bytes === BLOCK_BYTES) blocks++;
  };
  const random = new Random(1);
  const get = (number: number) => assertEquals(store.get(`key ${number}`), valueOf(number));
  for (let i = 0; i < 10_000; i++) get(random.below(KEYS));
  assert(blocks < 3000, `${blocks} blocks were read, nearly all for nothing`);
  // Now a few keys beside each other are in demand: their blocks come in, and then nothing is read any more.
  for (let i = 0; i < 10_000; i++) get(1501 + random.below(20));
  blocks = 0;
  for (let i = 0; i < 1000; i++) get(1501 + random.below(20));
  assertEquals(blocks, 0);
  await store.close();
});

Deno.test("cache: a neighbour that cannot be read is nobody else's matter", async () => {
  const { platform, open } = await makeStore();
  const store = await open(1024 * 1024);
  let isDead = false;
  platform.onOperation = ({ kind, path, bytes }) => {
    if (kind === "read" && path.endsWith(".seg") && (isDead || bytes === BLOCK_BYTES)) throw new Error("EIO");
  };
  for (let i = 0; i < KEYS; i += 7) assertEquals(store.get(`key ${i}`), valueOf(i));
  isDead = true;
  assertEquals(assertThrows(() => store.get("key 1"), KvStoreError).code, "IO");
  platform.onOperation = undefined;
  assertEquals(store.get("key 1"), valueOf(1));
  await store.close();
});

Deno.test("cache: a key that is not there is not taken for one whose hash is alike, damaged or not", async () => {
  const { platform, open, reads } = await makeStore();
  const store = await open(64 * 1024 * 1024);
  for (let i = 0; i < KEYS; i++) store.get(`key ${i}`);
  const before = reads();
  for (let i = 0; i < 20_000; i++) assertEquals(store.get(`no key ${i}`), undefined);
  assert(reads() - before < 20, `${reads() - before} reads for keys that are not there`);
  await store.close();
  const damaged = await open(64 * 1024 * 1024);
  platform.writeFile("/s/00000001.seg", platform.readFile("/s/00000001.seg").fill(7, 100));
  for (let i = 0; i < KEYS; i++) assertThrows(() => damaged.get(`key ${i}`), KvStoreError);
  for (let i = 0; i < 20_000; i++) assertEquals(damaged.get(`no key ${i}`), undefined);
  await damaged.close();
});

Deno.test("cache: what is in memory is checked at every read", async () => {
  const { platform, open } = await makeStore();
  const store = await open(1024 * 1024);
  const bytes = platform.readFile("/s/00000001.seg");
  const at = new TextDecoder("latin1").decode(bytes).indexOf("key 30");
  platform.writeFile("/s/00000001.seg", bytes.with(at + 8, bytes[at + 8]! ^ 1));
  for (let round = 0; round < 2; round++) {
    assertEquals(assertThrows(() => store.get("key 30"), KvStoreError).code, "CORRUPT");
    assertEquals(store.get("key 29"), valueOf(29));
  }
  // Was it that reading alone, the next one does not take the block for what the file holds.
  platform.writeFile("/s/00000001.seg", bytes);
  assertEquals(store.get("key 30"), valueOf(30));
  await store.close();
});

Deno.test("cache: a scan of values touches each record once beforehand, one of keys none; and any record can be", async () => {
  const { open } = await makeStore();
  const store = await open(64 * 1024 * 1024);
  const { note } = BlockCache.prototype;
  let notes = 0;
  BlockCache.prototype.note = function (segment, offset) {
    notes++;
    return note.call(this, segment, offset);
  };
  try {
    for (let round = 0; round < 2; round++) {
      for (const [key, value] of store.entries()) assertEquals(value, valueOf(Number(String(key).slice(4))));
    }
    assertEquals(notes, 2 * KEYS);
    assertEquals([...store.values({ reverse: true, limit: 20 })].length, 20);
    assertEquals(notes, 2 * KEYS + 2 * 16);
    assertEquals([...store.keys()].length, KEYS);
    assertEquals(notes, 2 * KEYS + 2 * 16);
  } finally {
    BlockCache.prototype.note = note;
  }
  const started = Array.from({ length: 40 }, (_, taken) => {
    const values = store.values();
    for (let i = 0; i < taken; i++) values.next();
    return values;
  });
  await store.close();
  for (const values of started) assertEquals(assertThrows(() => values.next(), KvStoreError).code, "CLOSED");
});

Deno.test("cache: records up to the last byte of its memory can be touched, and no more than there is room for", () => {
  const cache = new BlockCache(256 * BLOCK_BYTES);
  const handle = {
    read(target: Uint8Array, at: number) {
      target.fill(1 + at / BLOCK_BYTES % 7);
      return target.length;
    },
  };
  const header = { number: 1, storeId: new Uint8Array(16), salt: 0, inputs: [] };
  const segment = new Segment(header, handle as never, { endBytes: 256 * BLOCK_BYTES, sealed: true });
  cache.note(segment, 0);
  assertEquals(cache.touch(), 0);
  for (let block = 0; block < 256; block++) cache.load(segment, block * BLOCK_BYTES, 1);
  for (let i = 1; i <= 40; i++) cache.note(segment, 256 * BLOCK_BYTES - i);
  assertEquals(cache.touch(), 16 * 3 * (1 + 255 % 7));
  assertEquals(cache.touch(), 0);
  cache.close();
  cache.note(segment, 0);
  assertEquals(cache.touch(), 0);
});
