/**
 * Small stores whose every byte can be damaged in turn, and what is known of them: closed cleanly, or the process died.
 *
 * @module
 */

import { KvStore, type Value } from "../../../mod.ts";
import type { MemoryPlatform } from "../../support/memory_platform.ts";
import { copyOf, newMachine } from "../../crash/support/disk.ts";
import { type Contents, textOf } from "../../crash/support/history.ts";
import { DIRECTORY, OPTIONS } from "../../crash/support/scenario.ts";

/** A write: keys and their values; `undefined` deletes. */
type Change = Record<string, string | undefined>;

/** One write of a sample and where its records lie. */
export interface SampleWrite {
  change: Change;
  file: string;
  /** Offset of its first byte. */
  start: number;
  /** Offset behind its last byte. */
  end: number;
}

/** A store and what was written to it. */
export interface Sample {
  name: string;
  platform: MemoryPlatform;
  isClean: boolean;
  /** In the order of the calls. */
  writes: SampleWrite[];
  /** The segment that was being written, and its size. */
  last: { file: string; size: number };
  /** Everything in that segment before this offset was known to be durable: to MANIFEST, and to the highest mark. */
  manifestMark: number;
  highestMark: number;
}

/** Contents after the first `count` writes, or after those that `isThere` keeps. */
export function stateOf(writes: SampleWrite[], count: number = writes.length): string {
  const contents: Contents = new Map();
  for (const { change } of writes.slice(0, count)) {
    for (const [key, value] of Object.entries(change)) {
      if (value === undefined) contents.delete(key);
      else contents.set(key, value as Value);
    }
  }
  return textOf(contents);
}

const HEADER_BYTES = 24;
const SEGMENT_HEADER_BYTES = 44;

/** Writes samples and keeps account of where the records go: after each call its record and, mostly, a mark. */
class Writing {
  readonly platform: MemoryPlatform = newMachine();
  readonly writes: SampleWrite[] = [];
  store!: KvStore;

  async open(): Promise<void> {
    this.store = await KvStore.openOn(this.platform, DIRECTORY, OPTIONS);
  }

  async write(change: Change): Promise<void> {
    const operations = Object.entries(change).map(([key, value]) =>
      value === undefined ? { type: "delete" as const, key } : { type: "set" as const, key, value }
    );
    const length = Object.entries(change).reduce(
      (sum, [key, value]) => sum + HEADER_BYTES + key.length + (value?.length ?? 0),
      0,
    );
    const before = this.#sizes();
    await this.store.batch(operations);
    const [file] = [...this.#sizes()].find(([path, size]) => size !== before.get(path))!;
    // Behind it there may be a mark.
    const start = before.get(file) ?? SEGMENT_HEADER_BYTES;
    this.writes.push({ change, file, start, end: start + length });
  }

  /** The sample, once the last write is done. */
  async end(isClean: boolean, manifestMark: number): Promise<Sample> {
    const { file, start } = this.writes.at(-1)!;
    if (isClean) await this.store.close();
    const platform = copyOf(isClean ? this.platform : this.platform.kill());
    return {
      name: isClean ? "closed" : "crashed",
      platform,
      isClean,
      writes: this.writes,
      last: { file, size: platform.readFile(file).length },
      manifestMark,
      // The mark behind the last write tells of all that was before it.
      highestMark: start,
    };
  }

  #sizes(): Map<string, number> {
    const segments = this.platform.files().filter((path) => path.endsWith(".seg"));
    return new Map(segments.map((path) => [path, this.platform.readFile(path).length]));
  }
}

const padded = (text: string, length: number) => text.padEnd(length, ".");

/** A log of three segments, the last of them written in two sessions; the second was closed, or the process died. */
export async function longSample(isClean: boolean): Promise<Sample> {
  const writing = new Writing();
  await writing.open();
  for (let i = 0; i < 34; i++) {
    await writing.write({ [i % 5 === 0 ? "often" : `key ${i}`]: padded(`value ${i}`, 190) });
  }
  await writing.store.close();
  const manifestMark = writing.platform.readFile(writing.writes.at(-1)!.file).length;
  await writing.open();
  for (const i of [1, 2, 3, 4, 6, 7]) {
    await writing.write({ [`new ${i}`]: padded(`value ${i}`, 40), [`key ${i}`]: undefined });
  }
  return await writing.end(isClean, manifestMark);
}

/**
 * A store of some 500 bytes of which a compaction wrote a part. The places of the writes before it are the former
 * ones.
 */
export async function shortSample(isClean: boolean): Promise<Sample> {
  const writing = new Writing();
  await writing.open();
  for (const i of [0, 1, 2, 3]) await writing.write({ [`k${i}`]: `first ${i}` });
  await writing.write({ k1: "second", k2: undefined });
  await writing.store.compact();
  for (
    const change of [{ k5: "third" }, { k0: "third", k6: "third", k3: undefined }, { k7: "fourth" }, { k1: "fifth" }]
  ) {
    await writing.write(change);
  }
  return await writing.end(isClean, SEGMENT_HEADER_BYTES);
}

/**
 * Everything that a log can hold: three sessions, batches, deletes and a clear, a segment that a compaction wrote, and
 * behind the durable mark records that only the process's death left there. Last of all comes the store; before it, the
 * same store at the end of each earlier session.
 */
export async function variedSample(isClean: boolean): Promise<MemoryPlatform[]> {
  const platform = newMachine();
  const moments: MemoryPlatform[] = [];
  const options = { ...OPTIONS, durability: "write" as const };
  let store = await KvStore.openOn(platform, DIRECTORY, options);
  for (let i = 0; i < 40; i++) await store.set(`k${i % 23}`, padded(`first ${i}`, 150 + 7 * i));
  await store.batch(["k1", "k2", "k30"].map((key) => ({ type: "set", key, value: padded(`batched ${key}`, 90) })));
  await store.close();
  moments.push(copyOf(platform));
  store = await KvStore.openOn(platform, DIRECTORY, options);
  await store.compact();
  for (const i of [3, 5, 40, 41]) await store.set(`k${i}`, padded(`second ${i}`, 300));
  await store.clear();
  for (let i = 10; i < 30; i++) await store.set(`k${i}`, padded(`third ${i}`, 200 + i));
  await store.delete("k12");
  await store.close();
  moments.push(copyOf(platform));
  store = await KvStore.openOn(platform, DIRECTORY, options);
  for (let i = 0; i < 9; i++) {
    await store.set(`k${i + 12}`, padded(`fourth ${i}`, 160), { durability: i % 3 === 0 ? "sync" : "write" });
  }
  await store.batch([{ type: "set", key: "k13", value: "last" }, { type: "delete", key: "k14" }]);
  await store.set("k15", "lost or not");
  if (isClean) await store.close();
  return [...moments, copyOf(isClean ? platform : platform.kill())];
}

/** A store of a hundred segments, with every setting at its smallest: as it was at a few moments, then as it is. */
export async function hundredSegments(isClean: boolean): Promise<MemoryPlatform[]> {
  const platform = newMachine();
  const moments: MemoryPlatform[] = [];
  const options = { ...OPTIONS, durability: "write" as const };
  let store = await KvStore.openOn(platform, DIRECTORY, options);
  for (let i = 0; store.stats().segments < 100; i++) {
    await store.set(`key ${i % 150}`, padded(`value ${i}`, 600));
    if (i % 7 === 0) await store.delete(`key ${(i + 20) % 150}`);
    if (i % 200 !== 150) continue;
    await store.close();
    moments.push(copyOf(platform));
    store = await KvStore.openOn(platform, DIRECTORY, options);
  }
  for (let i = 0; i < 3; i++) await store.set(`last ${i}`, padded(`value ${i}`, 100), { durability: "sync" });
  if (isClean) await store.close();
  moments.push(copyOf(isClean ? platform : platform.kill()));
  return moments;
}
