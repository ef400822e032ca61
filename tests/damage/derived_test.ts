/**
 * The image of the index is derived: deleted, stale, of another store or damaged, it never changes what a store holds.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { footerOf } from "../support/lazy_store.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { Random } from "../support/random.ts";
import { turns } from "../support/sweep.ts";
import { copyOf, newMachine, withSeed } from "../crash/support/disk.ts";
import { contentsOf, textOf } from "../crash/support/history.ts";
import { assertIntact, DIRECTORY, LARGE, OPTIONS, Run, runSteps } from "../crash/support/scenario.ts";

const IMAGE = `${DIRECTORY}/INDEX`;

/** A store with an image, all images that there were on the way, and a diverged copy of it with its own. */
interface Sample {
  platform: MemoryPlatform;
  contents: string;
  keys: Set<string>;
  images: Map<string, Uint8Array>;
}

async function sampleWithImages(): Promise<Sample> {
  const platform = newMachine();
  const run = new Run(platform);
  const images = new Map<string, Uint8Array>();
  platform.onOperation = ({ kind, path, count }) => {
    if (kind !== "rename" || path !== `${IMAGE}.old` || !platform.files().includes(IMAGE)) return;
    images.set(`an older one, replaced at operation ${count}`, platform.readFile(IMAGE));
  };
  await runSteps(run, LARGE);
  // Who has seen the keys in order saves that order with the next image.
  const keys = [...run.store!.keys()] as string[];
  for (let i = 0; i < 5; i++) run.batch(keys.slice(0, 300), `changed ${i}`, "write");
  await run.settled();
  await run.close();
  platform.onOperation = undefined;
  assert(footerOf(platform.readFile(IMAGE)).text.includes('"order":'));
  const contents = run.history.present();
  const twin = copyOf(platform);
  images.set("of a copy that went its own way", await changedImage(twin, 1200));
  images.set("of a copy that went its own way and was compacted", await changedImage(twin, 1200, true));
  images.set("of another store", await withSeed(99, () => changedImage(newMachine(), 1300)));
  return { platform, contents, keys: run.history.keys, images };
}

/** Makes so many changes to a store that it writes an image. */
async function changedImage(platform: MemoryPlatform, changes: number, isCompacted = false): Promise<Uint8Array> {
  const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  const keys = Array.from({ length: changes }, (_, i) => `k${i}`);
  for (let from = 0; from < changes; from += 300) {
    await store.batch(keys.slice(from, from + 300).map((key) => ({ type: "set", key, value: "elsewhere" })));
  }
  assert([...store.keys()].length > 0);
  if (isCompacted) await store.compact();
  await store.close();
  return platform.readFile(IMAGE);
}

/** The store must have the same contents, and go on, with that image or none. */
async function assertSame(
  sample: Sample,
  image: Uint8Array | undefined,
  where: string,
  isThorough = true,
): Promise<void> {
  const platform = copyOf(sample.platform);
  if (image === undefined) platform.remove(IMAGE);
  else platform.writeFile(IMAGE, image);
  if (isThorough) await assertIntact(platform, `INDEX ${where}`);
  const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  assertEquals(store.size, sample.contents.split("\n").length, `INDEX ${where}: size`);
  const isAsWritten = (isThorough ? contentsOf(store, sample.keys) : textOf(store.entries())) === sample.contents;
  assert(isAsWritten, `INDEX ${where}: other contents`);
  if (isThorough) {
    assertEquals((await store.verify()).problems, [], `INDEX ${where}`);
    await store.set("~", 1);
    await store.compact();
  }
  await store.close();
  if (!isThorough) return;
  await assertIntact(platform, `INDEX ${where}`);
  const again = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  await again.delete("~");
  assert(contentsOf(again, sample.keys) === sample.contents, `INDEX ${where}: opened again`);
  await again.close();
}

Deno.test("without its image, or with any other, a store holds the same", async () => {
  await withSeed(3, async () => {
    const sample = await sampleWithImages();
    assert(sample.images.size >= 4, `only ${[...sample.images.keys()]}`);
    await assertSame(sample, sample.platform.readFile(IMAGE), "as it is");
    await assertSame(sample, undefined, "deleted");
    await assertSame(sample, new Uint8Array(0), "empty");
    await assertSame(sample, new Uint8Array(5000), "all zeros");
    for (const [name, image] of sample.images) await assertSame(sample, image, name);
  });
});

Deno.test("an image cut off at every 64th byte, or damaged at every 397th, changes nothing", async () => {
  await withSeed(3, async () => {
    const sample = await sampleWithImages();
    const image = sample.platform.readFile(IMAGE);
    const isDue = turns();
    for (let cut = 0; cut < image.length; cut += 64) {
      if (isDue()) await assertSame(sample, image.slice(0, cut), `cut off at ${cut}`, cut % 4096 === 0);
    }
    for (let at = 0; at < image.length; at += 397) {
      if (!isDue()) continue;
      const damaged = image.slice();
      damaged[at]! ^= 1 << at % 8;
      await assertSame(sample, damaged, `with a damaged byte ${at}`, at % 50 === 0);
    }
    // The footer says what the image belongs to.
    for (let at = image.length - 16; at < image.length; at++) {
      const damaged = image.slice();
      damaged[at]! ^= 0x10;
      await assertSame(sample, damaged, `with a damaged byte ${at}`, false);
    }
  });
});

Deno.test("pages of an image zeroed, garbage, swapped or stale change nothing", async () => {
  await withSeed(3, async () => {
    const sample = await sampleWithImages();
    const image = sample.platform.readFile(IMAGE);
    let count = 0;
    const isDue = turns();
    for (const size of [512, 4096]) {
      for (let at = 0; at < image.length; at += size) {
        const next = image.subarray(at + size, at + 2 * size);
        const swapped = Uint8Array.of(...next, ...image.subarray(at, at + size));
        const pages = new Map([["zeros", new Uint8Array(size)], ["garbage", new Random(at).bytes(size)], [
          "swapped",
          swapped,
        ]]);
        for (const [name, older] of sample.images) pages.set(name, older.subarray(at, at + size));
        for (const [name, page] of pages) {
          if (!isDue()) continue;
          const damaged = image.slice();
          damaged.set(page.subarray(0, image.length - at), at);
          await assertSame(sample, damaged, `page of ${size} at ${at}: ${name}`, count++ % 50 === 0);
        }
      }
    }
    console.log({ pages: count });
  });
});

Deno.test("an image of before a crash, a recovery and a compaction is caught up with or left", async () => {
  await withSeed(4, async () => {
    const platform = newMachine();
    const run = new Run(platform);
    await runSteps(run, LARGE.slice(0, 3));
    const image = platform.readFile(IMAGE);
    run.batch(["k1!", "k2", "k3!"], "new", "write");
    run.set("k4", "newer", "sync");
    await run.settled();
    for (const isCompacted of [false, true]) {
      if (isCompacted) run.compact();
      await run.settled();
      const after = copyOf(platform);
      after.writeFile(IMAGE, image);
      const store = await KvStore.openOn(after, DIRECTORY, OPTIONS);
      assert(contentsOf(store, run.history.keys) === run.history.present(), `compacted: ${isCompacted}`);
      assertEquals((await store.verify()).problems, []);
      await store.close();
      await assertIntact(after, `compacted: ${isCompacted}`);
    }
    await run.close();
    await assertIntact(platform, "the original");
  });
});
