/**
 * Stores whose image has the order of the keys, and ways to change it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { KvStore, type Range } from "../../../mod.ts";
import { verifyOn } from "../../../src/check/verify.ts";
import type { ImageFooter } from "../../../src/image/image.ts";
import { crc32 } from "../../../src/platform/checksum.ts";
import { footerOf } from "../../support/lazy_store.ts";
import { MemoryPlatform } from "../../support/memory_platform.ts";
import { Random } from "../../support/random.ts";
import { utf8 } from "../../support/records.ts";

/** Where the image is. */
export const IMAGE = "/s/INDEX";
const OPTIONS = { compaction: { auto: false }, durability: "write" } as const;
const PAGE_BYTES = 4096;

/** What is in a store. */
export type Model = Map<string, number>;

/** Opens the store. Its keys that expire do so at 2000, and it is 1000. */
export function open(platform: MemoryPlatform, readOnly = false): Promise<KvStore<number>> {
  return KvStore.openOn<number>(platform, "/s", { ...OPTIONS, readOnly });
}

/** A closed store that has saved its order, with some keys that were deleted and some that expire. */
export async function makeSaved(
  count = 3000,
  behind = 0,
  { deleted = 0.1 }: { deleted?: number } = {},
): Promise<{ platform: MemoryPlatform; model: Model; gone: string[] }> {
  const platform = new MemoryPlatform();
  platform.now = () => 1000;
  const store = await open(platform);
  const model: Model = new Map();
  const random = new Random(count);
  const set = (key: string, value: number, options = {}) => {
    store.set(key, value, options);
    model.set(key, value);
  };
  for (let i = 0; i < count; i++) {
    set(
      `${random.pick(["a", "b", "long prefix ".repeat(20)])}:${random.below(1e6)}`,
      i,
      i % 9 ? {} : { expiresAt: 2000 },
    );
  }
  const gone = [...model.keys()].filter(() => random.chance(deleted));
  for (const key of gone) {
    store.delete(key);
    model.delete(key);
  }
  assertEquals([...store.keys()].length, model.size);
  await store.close();
  if (behind === 0) return { platform, model, gone };
  const again = await open(platform);
  for (let i = 0; i < behind; i++) {
    const key = random.pick([...model.keys()]);
    again.delete(key);
    model.delete(key);
    again.set(`b:behind ${i}`, i);
    model.set(`b:behind ${i}`, i);
  }
  await again.close();
  return { platform, model, gone };
}

/** Some ranges of all kinds. */
export function someRanges(random: Random, { keys }: { keys: string[] }): Range[] {
  const some = () => random.chance(0.8) ? random.pick(keys) : `b:${random.below(100)}`;
  return [
    { prefix: `a:${random.below(100)}` },
    { prefix: `b:${random.below(1000)}`, reverse: true },
    { gte: some(), limit: random.below(40) },
    { lt: some(), limit: random.below(40), reverse: true },
    { gt: some(), lte: some() },
    { limit: 1 },
    { limit: 5, reverse: true },
    { prefix: "b:behind", limit: 100 },
    { prefix: "long prefix long", limit: 30 },
    { prefix: "nothing" },
  ];
}

/** The entries of the model in a range. Its keys are ASCII, so that JavaScript orders them as bytes. */
export function expectedOf(model: Model, { prefix = "", gt, gte, lt, lte, reverse, limit }: Range): [string, number][] {
  const found = [...model].filter(([key]) =>
    key.startsWith(prefix as string) && (gt === undefined || key > gt) && (gte === undefined || key >= gte) &&
    (lt === undefined || key < lt) && (lte === undefined || key <= lte)
  ).sort(([a], [b]) => a < b ? -1 : 1);
  return (reverse ? found.reverse() : found).slice(0, limit);
}

/** What verify finds in the store. */
export async function findings(platform: MemoryPlatform): Promise<string[]> {
  const { problems, notes } = await verifyOn(platform, "/s", {});
  return [...problems, ...notes].map(({ reason }) => reason);
}

/** What an image consists of: its bytes up to the order, its references, what follows them, and its footer. */
export interface Sections {
  tables: Uint8Array;
  refs: Uint32Array;
  starts: Uint32Array;
  keys: Uint8Array;
  footer: ImageFooter<unknown>;
}

/** Takes an image apart. */
export function sectionsOf(bytes: Uint8Array): Sections {
  const { start, text } = footerOf(bytes);
  const footer = JSON.parse(text) as ImageFooter<unknown>;
  const { refs, keys } = footer.order!;
  const chunks = Math.ceil(refs / 384);
  const keysAt = start - keys;
  const startsAt = keysAt - 4 * (chunks + 1);
  let refsAt = startsAt - 4 * refs;
  // The pages up to the end of the references have a checksum each.
  while (refsAt + 4 * refs + 4 * Math.ceil((refsAt + 4 * refs) / PAGE_BYTES) !== startsAt) {
    refsAt -= 4;
    assert(refsAt >= 0);
  }
  return {
    tables: bytes.slice(0, refsAt),
    refs: new Uint32Array(bytes.slice(refsAt, refsAt + 4 * refs).buffer),
    starts: new Uint32Array(bytes.slice(startsAt, keysAt).buffer),
    keys: bytes.slice(keysAt, start),
    footer,
  };
}

/** Puts an image together, with checksums that are right. */
export function imageOf({ tables, refs, starts, keys, footer }: Sections): Uint8Array {
  const front = joined([tables, bytesOf(refs)]);
  const sums = Uint32Array.from({ length: Math.ceil(front.length / PAGE_BYTES) }, (_, i) => {
    return crc32(front.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES));
  });
  const rest = joined([bytesOf(sums), bytesOf(starts), keys]);
  const order = { ...footer.order!, refs: refs.length, keys: keys.length, checksum: crc32(rest) };
  const text = utf8(JSON.stringify({ ...footer, order }));
  const trailer = new Uint8Array(16);
  const view = new DataView(trailer.buffer);
  view.setUint32(0, text.length, true);
  view.setUint32(4, crc32(text), true);
  trailer.set(utf8("KVINDEX1"), 8);
  return joined([front, rest, text, trailer]);
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function joined(parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
