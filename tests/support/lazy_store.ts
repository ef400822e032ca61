/**
 * A store with an image of its index, and ways to damage it.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { KvStore, KvStoreError, type Snapshot } from "../../mod.ts";
import { MemoryPlatform } from "./memory_platform.ts";
import type { Random } from "./random.ts";

/** Where the image is. */
export const IMAGE = "/s/INDEX";
/** Where the first segment is. */
export const FIRST_SEGMENT = "/s/00000001.seg";
/** How many keys the store has. */
export const KEYS = 3000;
/** The store's options. */
export const OPTIONS = { segmentBytes: 65_536, compaction: { auto: false }, durability: "write" } as const;

/** What is in a store. */
export type Model = Map<string, number>;
/** A store of numbers. */
export type Store = KvStore<number>;

/** Opens the store. */
export function open(platform: MemoryPlatform, options: { readOnly?: boolean } = {}): Promise<Store> {
  return KvStore.openOn<number>(platform, "/s", { ...OPTIONS, ...options });
}

/** A closed store with an image of its index, `behind` records that came later, and what is in it. */
export async function makeStore(behind = 0): Promise<{ platform: MemoryPlatform; model: Model }> {
  const platform = new MemoryPlatform();
  const store = await open(platform);
  const model: Model = new Map();
  for (let i = 0; i < KEYS; i++) {
    model.set(`key ${i}`, i);
    store.set(`key ${i}`, i);
  }
  await store.close();
  const again = await open(platform);
  for (let i = 0; i < behind; i++) {
    if (i % 3 === 0) {
      model.delete(`key ${i}`);
      again.delete(`key ${i}`);
    } else {
      model.set(`key ${2 * i}`, -i);
      again.set(`key ${2 * i}`, -i);
    }
  }
  await again.close();
  return { platform, model };
}

/** The footer of an image: where it starts, and what it says. */
export function footerOf(bytes: Uint8Array): { start: number; end: number; text: string } {
  const end = bytes.length - 16;
  const start = end - new DataView(bytes.buffer, bytes.byteOffset).getUint32(end, true);
  return { start, end, text: new TextDecoder().decode(bytes.subarray(start, end)) };
}

/** Damages every table of the image, but not what the footer says of them. */
export function damageImage(platform: MemoryPlatform): void {
  const bytes = platform.readFile(IMAGE);
  for (let at = 50; at < footerOf(bytes).start; at += 40) bytes[at] = bytes[at]! ^ 0x10;
  platform.writeFile(IMAGE, bytes);
}

/** Damages some records of the first segment: headers, keys and values. */
export function damageSegment(platform: MemoryPlatform): void {
  const bytes = platform.readFile(FIRST_SEGMENT);
  for (let at = 2000; at < 2060; at += 10) bytes[at] = bytes[at]! ^ 1;
  platform.writeFile(FIRST_SEGMENT, bytes);
}

/** Every way of reading shows the model. */
export function assertHolds(store: Store | Snapshot<number>, model: Model): void {
  assertEquals(store.size, model.size);
  assertEquals(new Map(store.entries()) as Map<unknown, number>, new Map([...model].sort()));
  for (const [key, value] of model) assertEquals(store.get(key), value);
}

/** The store has no damage, and shows the model after it has been closed and opened again as well. */
export async function assertLasts(platform: MemoryPlatform, store: Store, model: Model): Promise<void> {
  assertHolds(store, model);
  assertEquals((await store.verify()).problems, []);
  await store.close();
  const again = await open(platform);
  assertHolds(again, model);
  await again.close();
}

/** Changes store and model in the same way. */
export async function work(store: Store, model: Model, random: Random, calls = 300): Promise<void> {
  for (let i = 0; i < calls; i++) {
    const key = `key ${random.below(KEYS + 300)}`;
    if (random.chance(0.3)) assertEquals(await store.delete(key), model.delete(key));
    else if (random.chance(0.5)) assertEquals(store.get(key), model.get(key));
    else {
      model.set(key, i);
      await store.set(key, i);
    }
  }
}

/** The code of the error that a call rejects with. */
export async function codeOf(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof KvStoreError) return error.code;
    throw error;
  }
}
