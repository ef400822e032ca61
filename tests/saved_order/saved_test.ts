import { assert, assertEquals } from "@std/assert";
import { orderIn } from "../../src/order/order.ts";
import { ImageIndex } from "../../src/lazy_index/image_index.ts";
import { crc32 } from "../../src/platform/checksum.ts";
import { engineOf, type KvStore } from "../../src/store.ts";
import { footerOf } from "../support/lazy_store.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { Random } from "../support/random.ts";
import { turns } from "../support/sweep.ts";
import {
  expectedOf,
  findings,
  IMAGE,
  imageOf,
  makeSaved,
  type Model,
  open,
  type Sections,
  sectionsOf,
  someRanges,
} from "./support/saved_store.ts";

/** Whether a store still has the order in its image. */
function hasSaved(store: KvStore<number>): boolean {
  const { index } = engineOf(store);
  return index instanceof ImageIndex && index.saved !== undefined;
}

/** Opens the store, and checks a range, then all of it. */
async function assertRanges(platform: MemoryPlatform, model: Model, seed: number, where = ""): Promise<void> {
  const random = new Random(seed);
  for (const range of someRanges(random, { keys: [...model.keys()] })) {
    const store = await open(platform, random.chance(0.5));
    assertEquals([...store.entries(range)] as unknown, expectedOf(model, range), `${where} ${JSON.stringify(range)}`);
    if (random.chance(0.2)) assertEquals([...store.entries()] as unknown, expectedOf(model, {}), where);
    await store.close();
  }
}

Deno.test("saved order: the first range of a process reads little of the image, and sorts nothing", async () => {
  const { platform, model } = await makeSaved(60_000);
  let bytesRead = 0;
  platform.onOperation = ({ kind, path, bytes }) => {
    if (kind === "read" && path === IMAGE) bytesRead += bytes!;
  };
  const store = await open(platform);
  const range = { prefix: "b:1234" };
  bytesRead = 0;
  assertEquals([...store.entries(range)] as unknown, expectedOf(model, range));
  assert(expectedOf(model, range).length > 0);
  const imageBytes = platform.readFile(IMAGE).length;
  assert(bytesRead < imageBytes / 10, `${bytesRead} of ${imageBytes} bytes`);
  assert(hasSaved(store));
  // All of it, and with a change before, loads the order as a whole.
  await store.set("b:12345x", 1);
  model.set("b:12345x", 1);
  assertEquals([...store.entries()] as unknown, expectedOf(model, {}));
  assertEquals([hasSaved(store), orderIn(engineOf(store).index)?.isLoaded], [false, true]);
  await store.close();
});

for (const behind of [0, 5, 600]) {
  Deno.test(`saved order: ranges are those of the keys, ${behind} records behind the image`, async () => {
    const { platform, model } = await makeSaved(3000, behind);
    for (let seed = 0; seed < 4; seed++) await assertRanges(platform, model, seed);
    platform.now = () => 2000;
    const rest = new Map([...model].filter(([key]) => key.includes("behind") || !expiring.has(model.get(key)!)));
    for (let seed = 0; seed < 2; seed++) await assertRanges(platform, rest, seed, "expired");
    assertEquals(await findings(platform), []);
  });
}

for (const deleted of [0, 0.1]) {
  Deno.test(`saved order: ranges after changes are those of the keys, ${deleted * 100} % deleted before it was saved`, async () => {
    for (let seed = 0; seed < 4; seed++) {
      const { platform, model, gone } = await makeSaved(3000, 0, { deleted });
      const random = new Random(seed);
      const store = await open(platform);
      using snapshot = store.snapshot();
      const before = new Map(model);
      for (let i = 0; i < 200; i++) {
        const key = random.pick([...model.keys(), ...gone, `a:${random.below(1e6)}`]);
        if (random.chance(0.3)) {
          model.delete(key);
          await store.delete(key);
        } else {
          model.set(key, 3 * i + 1);
          await store.set(key, 3 * i + 1);
        }
      }
      for (const key of gone.slice(0, 20)) {
        model.set(key, 1);
        await store.set(key, 1);
      }
      const [narrow, ...others] = someRanges(random, { keys: [...model.keys()] });
      assertEquals([...store.entries(narrow)] as unknown, expectedOf(model, narrow!), JSON.stringify(narrow));
      // If it had every entry of the tables, it is enough, and is not loaded.
      assertEquals(orderIn(engineOf(store).index) === undefined, deleted === 0);
      for (const range of [narrow!, ...others]) {
        assertEquals([...store.entries(range)] as unknown, expectedOf(model, range), JSON.stringify(range));
        assertEquals([...snapshot.entries(range)] as unknown, expectedOf(before, range), JSON.stringify(range));
      }
      await store.close();
    }
  });
}

Deno.test("saved order: of a range that began before a write was taken back, the former values are there", async () => {
  const { platform, model } = await makeSaved(3000, 0, { deleted: 0 });
  const store = await open(platform);
  const range = { prefix: "a:1" };
  const expected = expectedOf(model, range);
  const [first, second] = expected as [[string, number], [string, number]];
  await store.set("c", 1);
  platform.onOperation = ({ kind }) => {
    if (kind === "write") throw new Error("refused");
  };
  const refused = [store.set(first[0], -1), store.delete(second[0]), store.set("a:1", -1)];
  const entries = store.entries(range);
  for (const write of refused) await write.catch(() => {});
  platform.onOperation = undefined;
  assertEquals([...entries] as unknown, expected);
  assertEquals(orderIn(engineOf(store).index), undefined);
  await store.close();
});

Deno.test("saved order: it is loaded after so many ranges, as each costs a part of that", async () => {
  const { platform } = await makeSaved(3000, 0, { deleted: 0 });
  const store = await open(platform);
  const isLoaded = () => orderIn(engineOf(store).index)?.isLoaded === true;
  for (let i = 0; i < 60; i++) [...store.keys({ limit: 1 })];
  assertEquals(isLoaded(), false);
  for (let i = 0; i < 10; i++) [...store.keys({ limit: 1 })];
  assertEquals(isLoaded(), true);
  await store.close();
});

/** The values that `makeSaved` gives to keys that expire. */
const expiring = { has: (value: number) => value % 9 === 0 };

Deno.test("saved order: iterators and snapshots that began with it stay as they were", async () => {
  for (let seed = 0; seed < 6; seed++) {
    const { platform, model } = await makeSaved(3000, seed % 2 * 3);
    const random = new Random(seed);
    const store = await open(platform);
    const range = { prefix: "a:" + random.below(10) };
    const before = expectedOf(model, range);
    using snapshot = store.snapshot();
    const iterators = [store.entries(range), snapshot.entries(range)];
    for (const iterator of iterators) assertEquals(iterator.next().value as unknown, before[0]);
    for (const [key] of before.slice(1, 20)) {
      if (random.chance(0.5)) await store.delete(key);
      else await store.set(key, -1);
    }
    if (seed === 1) await store.clear();
    await store.compact();
    for (const iterator of iterators) assertEquals([...iterator] as unknown, before.slice(1));
    assertEquals([...snapshot.entries(range)] as unknown, before);
    await store.close();
  }
});

// The file of the image stayed open: nothing knew the former index any more.
Deno.test("saved order: an index that is replaced gives its image up, and views go on without", async () => {
  const { platform, model } = await makeSaved();
  const store = await open(platform);
  await store.set("b:1", 1);
  model.set("b:1", 1);
  const former = engineOf(store).index as ImageIndex;
  assert(former.saved !== undefined);
  using snapshot = store.snapshot();
  await store.clear();
  assertEquals(former.saved, undefined);
  assertEquals([...snapshot.entries()] as unknown, expectedOf(model, {}));
  assertEquals([...store.keys()], []);
  await store.close();
});

Deno.test("saved order: the order that is complete is saved once, and again with each image", async () => {
  const { platform, model } = await makeSaved(20_000);
  assert(sectionsOf(platform.readFile(IMAGE)).footer.order !== undefined);
  let images = 0;
  platform.onOperation = ({ kind, path }) => {
    if (kind === "rename" && path === IMAGE) images++;
  };
  for (const expected of [0, 1, 1]) {
    const store = await open(platform);
    assertEquals([...store.entries()].length, model.size);
    await store.close();
    assertEquals(images, expected);
    // An image without it, as former versions write it, is written anew once there is an order.
    if (images === 0) platform.writeFile(IMAGE, withoutOrder(platform.readFile(IMAGE)));
  }
  assertEquals(await findings(platform), []);
});

/** An image with another text of the footer, in which the order has another name. */
function withoutOrder(bytes: Uint8Array): Uint8Array {
  const parts = sectionsOf(bytes);
  const image = imageOf(parts);
  const { start, end, text } = footerOf(image);
  return forged(image, { start, end }, text.replace('"order":', '"other":'));
}

function forged(image: Uint8Array, { start, end }: { start: number; end: number }, text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  assertEquals(bytes.length, end - start);
  const changed = image.slice();
  changed.set(bytes, start);
  new DataView(changed.buffer).setUint32(end + 4, crc32(bytes), true);
  return changed;
}

Deno.test("saved order: damaged anywhere, it changes nothing, and verify says that it will be made anew", async () => {
  const { platform, model } = await makeSaved();
  const image = platform.readFile(IMAGE);
  const { tables } = sectionsOf(image);
  const { start } = footerOf(image);
  const isDue = turns();
  for (let at = tables.length; at < start; at += 61) {
    if (!isDue()) continue;
    const damaged = image.slice();
    damaged[at]! ^= 1 << at % 8;
    platform.writeFile(IMAGE, damaged);
    assertEquals(await findings(platform), ["its order of keys will be made anew"], `byte ${at}`);
    const store = await open(platform, true);
    const [range] = someRanges(new Random(at), { keys: ["b"] });
    assertEquals([...store.entries(range)] as unknown, expectedOf(model, range!), `byte ${at}`);
    assertEquals([...store.entries()] as unknown, expectedOf(model, {}), `byte ${at}`);
    await store.close();
  }
});

Deno.test("saved order: an entry damaged in the tables is not believed", async () => {
  const { platform, model } = await makeSaved();
  const image = platform.readFile(IMAGE);
  const isDue = turns();
  for (let from = 40; from < 400; from += 40) {
    if (!isDue()) continue;
    const damaged = image.slice();
    for (let at = from; at < sectionsOf(image).tables.length; at += 400) damaged[at]! ^= 0x10;
    platform.writeFile(IMAGE, damaged);
    await assertRanges(platform, model, from, `from ${from}`);
  }
});

Deno.test("saved order: one that is wrong though its checksums are right is not taken as a whole, and verify says so", async () => {
  const { platform, model } = await makeSaved();
  const image = platform.readFile(IMAGE);
  assertEquals(imageOf(sectionsOf(image)), image);
  const changes: [string, RegExp, (sections: Sections) => void][] = [
    ["two neighbours swapped", /wrong/, ({ refs }) => refs.set([refs[701]!, refs[700]!], 700)],
    ["two chunks swapped", /wrong/, ({ refs }) => refs.set([...refs.slice(384, 768), ...refs.slice(0, 384)])],
    ["a reference twice", /wrong/, ({ refs }) => refs[900] = refs[899]!],
    ["a reference to no entry", /wrong/, ({ refs }) => refs[5] = 0x00ff_ffff],
    ["the last reference missing", /wrong: a key is missing/, (sections) => sections.refs = sections.refs.slice(0, -1)],
    ["a reference missing", /wrong/, (sections) => {
      sections.refs = Uint32Array.from([...sections.refs.slice(0, -9), ...sections.refs.slice(-8)]);
    }],
    ["another first key", /wrong/, ({ starts, keys }) => keys[starts[2]! - 1]! ^= 1],
    ["first keys of no length", /anew/, ({ starts }) => starts[3] = starts[2]!],
  ];
  for (const [name, finding, change] of changes) {
    const sections = sectionsOf(image);
    change(sections);
    platform.writeFile(IMAGE, imageOf(sections));
    const found = await findings(platform);
    assert(found.length === 1 && finding.test(found[0]!), `${name}: ${found}`);
    const store = await open(platform, true);
    assertEquals([...store.entries()] as unknown, expectedOf(model, {}), name);
    await store.close();
    // A range alone looks only at what it needs: it ends, and returns no key that is not there.
    for (const range of someRanges(new Random(1), { keys: [...model.keys()] })) {
      const other = await open(platform, true);
      for (const [key, value] of other.entries(range)) assertEquals(value, model.get(key as string), name);
      await other.close();
    }
  }
});
