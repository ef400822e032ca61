import { assert, assertEquals } from "@std/assert";
import { ImageWriter, readFooter } from "../../src/image/image.ts";
import { Index, PARTITIONS } from "../../src/engine/index.ts";
import { formOf } from "../../src/engine/partition.ts";
import { crc32 } from "../../src/platform/checksum.ts";
import type { FileHandle } from "../../src/platform/types.ts";
import { indexOf, readPartitions } from "../support/image.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";
import { Random } from "../support/random.ts";
import { utf8 } from "../support/records.ts";

function keyOf(text: string) {
  const bytes = utf8(text);
  return { bytes, start: 0, length: bytes.length };
}

function put(index: Index, text: string, offset: number, expiresAt = 0): void {
  index.put(keyOf(text), 3, offset, formOf(40, offset % 2 === 0), expiresAt);
}

function placeOf(index: Index, text: string): string | undefined {
  const { bytes, length } = keyOf(text);
  if (!index.find(bytes, 0, length)) return undefined;
  const { segment, offset, length: lengthBytes, isString, expiresAt } = index;
  return [segment, offset, lengthBytes, isString, ...(expiresAt === 0 ? [] : [expiresAt])].join();
}

/** Keys, a fifth of them deleted; a third of them expire, if that is wanted. */
function makeIndex(keys: number, expire = false): Index {
  const index = new Index();
  for (let i = 0; i < keys; i++) put(index, `key ${i}`, i, expire && i % 3 === 0 ? 1000 + i : 0);
  for (let i = 0; i < keys; i += 5) index.remove(keyOf(`key ${i}`));
  return index;
}

function makeFile(bytes?: Uint8Array): { platform: MemoryPlatform; handle: FileHandle } {
  const platform = new MemoryPlatform();
  platform.writeFile("/INDEX", bytes ?? new Uint8Array(0));
  return { platform, handle: platform.open("/INDEX", "write") };
}

/** Writes an image; `between` is called before each partition. */
async function imageOf(index: Index, between: (partition: number) => number = () => 1): Promise<Uint8Array> {
  const { platform, handle } = makeFile();
  const writer = new ImageWriter(index, handle);
  for (let i = 0; writer.writeNext(between(i)) > 0; i++);
  await writer.finish({ about: "this" });
  return platform.readFile("/INDEX");
}

function load(bytes: Uint8Array, isGrowing: boolean = false): Index | undefined {
  const { handle } = makeFile(bytes);
  const footer = readFooter<unknown>(handle);
  const partitions = footer === undefined ? undefined : readPartitions(handle, footer, isGrowing);
  return partitions === undefined ? undefined : indexOf(footer!, partitions);
}

Deno.test("image: an index comes back, and goes on like any other", async () => {
  for (
    const [keys, isGrowing] of [[0, false], [1, false], [3000, false], [0, true], [1, true], [3000, true]] as const
  ) {
    const index = makeIndex(keys);
    const loaded = load(await imageOf(index), isGrowing)!;
    assertEquals(loaded.size, index.size);
    for (let i = 0; i < keys + 9; i++) assertEquals(placeOf(loaded, `key ${i}`), placeOf(index, `key ${i}`));
    for (let i = 0; i < 2 * keys; i++) put(loaded, `key ${i}`, 7 * i);
    for (let i = 0; i < 2 * keys; i++) assertEquals(placeOf(loaded, `key ${i}`), `3,${7 * i},40,${i % 2 === 0}`);
    assertEquals(loaded.size, 2 * keys);
  }
});

Deno.test("image: a table that is read to grow takes a tenth more keys where it is, and no other has room", async () => {
  const index = new Index();
  for (let i = 0; i < 30_000; i++) put(index, `key ${i}`, i);
  const image = await imageOf(index);
  const loaded = load(image, true)!;
  const tables = Array.from({ length: PARTITIONS }, (_, number) => loaded.partition(number));
  const before = tables.map(({ entries, arena }) => [entries, arena] as const);
  for (let i = 30_000; i < 33_000; i++) put(loaded, `key ${i}`, i);
  const moved = tables.filter(({ entries, arena }, i) => entries !== before[i]![0] || arena !== before[i]![1]);
  // Hashes do not spread evenly over the tables.
  assert(moved.length < PARTITIONS / 16, `${moved.length} tables were copied`);
  const exact = load(image)!;
  for (let number = 0; number < PARTITIONS; number++) {
    const { entries, count, arena, arenaBytes } = exact.existing(number)!;
    assertEquals([entries.length, arena.length], [4 * count, arenaBytes]);
  }
});

Deno.test("image: times of expiry come back, those that are past too, and go on like any others", async () => {
  const index = makeIndex(3000, true);
  // An image says nothing of the time: what has expired in one process may not have in the next.
  index.expire(2000);
  const loaded = load(await imageOf(index), true)!;
  for (let i = 0; i < 3009; i++) assertEquals(placeOf(loaded, `key ${i}`), placeOf(index, `key ${i}`));
  assertEquals([loaded.size, loaded.expired.next], [2400, 1003]);
  for (const now of [0, 1002, 1003, 2000, 3999, 4000]) {
    loaded.expire(now);
    const left = Array.from({ length: 3000 }, (_, i) => i).filter((i) => i % 5 > 0 && (i % 3 > 0 || 1000 + i > now));
    assertEquals([loaded.size, loaded.expired.bytes], [left.length, 40 * (2400 - left.length)]);
    if (now === 2000) assertEquals([loaded.size, loaded.expired.bytes], [index.size, index.expired.bytes]);
  }
  for (let i = 0; i < 3000; i++) put(loaded, `key ${i}`, i, 5000);
  assertEquals([loaded.size, loaded.expired.bytes, loaded.expired.next <= 5000], [3000, 0, true]);
});

Deno.test("image: between two partitions the index may change; each is as of the number that it notes", async () => {
  const random = new Random(8);
  const index = makeIndex(600);
  const model = new Map(Array.from({ length: 900 }, (_, i) => [`key ${i}`, placeOf(index, `key ${i}`)]));
  const states: Map<string, string | undefined>[] = [];
  const bytes = await imageOf(index, (partition) => {
    for (let i = 0; i < 20; i++) {
      const key = `key ${random.below(900)}`;
      if (random.chance(0.4)) index.remove(keyOf(key));
      else put(index, key, random.below(1e9));
      model.set(key, placeOf(index, key));
    }
    states[partition] = new Map(model);
    return partition;
  });
  const { handle } = makeFile(bytes);
  const footer = readFooter(handle)!;
  const partitions = readPartitions(handle, footer)!;
  for (let number = 0; number < PARTITIONS; number++) {
    assertEquals(footer.partitions[number]!.sequence, number);
    // An index with only this partition shows what it had when it was written.
    const alone = new Index().partition(0);
    const only = indexOf(footer, partitions.map((one, i) => i === number ? one : alone));
    let size = 0;
    for (const [key, place] of states[number]!) {
      const found = placeOf(only, key);
      if (found === undefined) continue;
      size++;
      assertEquals(found, place);
    }
    assertEquals(partitions[number]!.live, size);
  }
});

Deno.test("image: cut anywhere, or with any byte changed, it is refused or the same", async () => {
  const index = makeIndex(40, true);
  const good = await imageOf(index);
  const check = (bytes: Uint8Array, what: string) => {
    const loaded = load(bytes);
    if (loaded === undefined) return false;
    for (let i = 0; i < 50; i++) assertEquals(placeOf(loaded, `key ${i}`), placeOf(index, `key ${i}`), what);
    return true;
  };
  assert(check(good, "as it is"));
  for (let length = 0; length < good.length; length += length < good.length - 60 ? 397 : 1) {
    assertEquals(check(good.slice(0, length), `cut at ${length}`), false);
  }
  let harmless = 0;
  for (let at = 0; at < good.length; at += 37) {
    const bytes = good.slice();
    bytes[at]! ^= 0x41;
    if (check(bytes, `byte ${at}`)) harmless++;
  }
  // Only what fills partitions up to four bytes says nothing.
  assert(harmless < 10, `${harmless}`);
});

Deno.test("image: one of another version is refused", async () => {
  const bytes = await imageOf(makeIndex(40));
  assert(load(bytes) !== undefined);
  bytes[bytes.length - 1]!++;
  assertEquals(load(bytes), undefined);
});

/** Loads an image; says whether it was refused, and the length of the longest array of bytes that was asked for. */
function loadHostile(bytes: Uint8Array): { isRefused: boolean; largest: number } {
  const original = globalThis.Uint8Array;
  let largest = 0;
  globalThis.Uint8Array = new Proxy(original, {
    construct(target, parameters: [number], newTarget) {
      if (typeof parameters[0] === "number") largest = Math.max(largest, parameters[0]);
      return Reflect.construct(target, parameters, newTarget);
    },
  });
  try {
    return { isRefused: load(bytes) === undefined, largest };
  } catch {
    // Whoever loads images takes an exception for a refusal.
    return { isRefused: true, largest };
  } finally {
    globalThis.Uint8Array = original;
  }
}

Deno.test("image: numbers in the footer ask for no more memory than there is file", async () => {
  const good = await imageOf(makeIndex(40, true));
  const end = good.length - 16;
  const length = new DataView(good.buffer).getUint32(end, true);
  const footer = JSON.parse(new TextDecoder().decode(good.subarray(end - length, end)));
  const hostile: Record<string, number>[] = [
    { slots: 2 ** 31 },
    { slots: 2 ** 24 },
    { slots: 12 },
    { slots: -16 },
    { slots: 0.5 },
    { entries: 2 ** 40 },
    { arena: 2 ** 40 },
    { slots: 0, entries: 0, arena: 0 },
    // Times that are not there, are not all there, or are others.
    { expiry: 0 },
    { expiry: 999 },
    { expiry: 2 ** 54 },
  ];
  const first = footer.partitions.findIndex((one: { expiry?: number }) => one.expiry !== undefined);
  const plain = footer.partitions.findIndex((one: { expiry?: number; live: number }) => !one.expiry && one.live > 0);
  for (const [at, change] of [...hostile.map((one) => [first, one] as const), [plain, { expiry: 1000 }] as const]) {
    const partitions = footer.partitions.map((one: object, i: number) => i === at ? { ...one, ...change } : one);
    const text = utf8(JSON.stringify({ ...footer, partitions }));
    const bytes = new Uint8Array(end - length + text.length + 16);
    bytes.set(good.subarray(0, end - length));
    bytes.set(text, end - length);
    const view = new DataView(bytes.buffer, bytes.length - 16);
    view.setUint32(0, text.length, true);
    view.setUint32(4, crc32(text), true);
    bytes.set(utf8("KVINDEX1"), bytes.length - 8);
    const { isRefused, largest } = loadHostile(bytes);
    assert(isRefused, JSON.stringify(change));
    assert(largest <= bytes.length, `${JSON.stringify(change)} asks for ${largest} of ${bytes.length} bytes`);
  }
  for (const claimed of [good.length, 2 ** 28, 2 ** 32 - 1]) {
    const bytes = good.slice();
    new DataView(bytes.buffer).setUint32(end, claimed, true);
    const { isRefused, largest } = loadHostile(bytes);
    assert(isRefused && largest <= bytes.length, `a footer of ${claimed} bytes asks for ${largest}`);
  }
});
