/**
 * Faults and power cuts on the in-memory disk: at which operation they come, and what a power cut leaves of what was
 * not synced. Everything random comes from a seed.
 *
 * @module
 */

import {
  MemoryPlatform,
  MemoryPlatformError,
  type Operation,
  type OperationKind,
  type PendingFile,
  type PowerCut,
} from "../../support/memory_platform.ts";

/** Operations that change something: a crash before any other is the same as before the next of these. */
export const CHANGES: OperationKind[] = [
  "open",
  "write",
  "sync",
  "syncDirectory",
  "rename",
  "remove",
  "makeDirectory",
  "lock",
];

/** A generator of numbers from 0 to 2^32 − 1 (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/**
 * Runs `action` with salts, store ids and hash seeds that follow from `seed`, so that a run has the same operations
 * each time.
 */
export async function withSeed<T>(seed: number, action: () => Promise<T>): Promise<T> {
  const original = crypto.getRandomValues;
  const random = randomFrom(seed);
  const seeded = (array: Uint8Array | Uint32Array) => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    bytes.forEach((_, i) => bytes[i] = random());
    return array;
  };
  crypto.getRandomValues = seeded as typeof crypto.getRandomValues;
  try {
    return await action();
  } finally {
    crypto.getRandomValues = original;
  }
}

/** A machine with the directory above the store's. */
export function newMachine(): MemoryPlatform {
  const platform = new MemoryPlatform();
  platform.makeDirectory("/data");
  platform.syncDirectory("/");
  return platform;
}

/** The error of a disk that is broken. */
export function brokenDisk({ kind, path }: Operation): MemoryPlatformError {
  return new MemoryPlatformError("EIO", `${kind} of ${path}: injected`);
}

/** Everything unsynced is lost. */
export const LOSE_ALL: PowerCut = {};
/** Everything unsynced made it to the disk. */
export const KEEP_ALL: PowerCut = { write: ({ bytes }) => bytes, entry: () => true };

/**
 * What a disk that writes its sectors when it likes leaves: of every file with unsynced writes, each sector by itself
 * is old, new, as it was in between, zero or garbage, and the file ends where it ended at some time since its last
 * sync. Changes of directories last or do not, each by itself, and so out of order.
 *
 * Bytes that were synced survive, also those in a sector that was written once more with new bytes behind them, or with
 * the same ones over them: both versions of such a sector hold them, and a disk that finishes or leaves a sector, as
 * all that honour a sync do, leaves one of the two. Garbage therefore only comes where nothing was synced.
 */
export function randomCut(seed: number, sectorBytes?: 512 | 4096): PowerCut {
  const random = randomFrom(seed);
  const sector = sectorBytes ?? (random() % 2 === 0 ? 512 : 4096);
  // From nearly all lost to nearly all there: a mean of everything would hardly ever leave a long piece whole.
  const lossInEight = random() % 9;
  const lastingInFour = random() % 5;
  return {
    file: (pending) => tornFile(pending, { sectorBytes: sector, lossInEight, random }),
    entry: () => random() % 4 < lastingInFour,
  };
}

interface Tearing {
  sectorBytes: number;
  /** Of eight sectors so many are not as they should be. */
  lossInEight: number;
  random: () => number;
}

type Write = PendingFile["writes"][number];

/** A file after a power cut: see `randomCut`. */
export function tornFile({ synced, writes }: PendingFile, tearing: Tearing): Uint8Array {
  const { sectorBytes, lossInEight, random } = tearing;
  // What a failed sync was to save may have come to the disk in part, or not at all.
  const isLostThere = random() % 2 === 0;
  const there = writes.filter(({ isLost }) => isLostThere || isLost !== true);
  const sizes = [synced.length];
  for (const { offset, bytes } of there) sizes.push(Math.max(sizes.at(-1)!, offset + bytes.length));
  const isLongest = random() % 8 >= lossInEight;
  const file = new Uint8Array(isLongest ? sizes.at(-1)! : sizes[random() % sizes.length]!);
  file.set(synced);
  for (let start = 0; start < file.length; start += sectorBytes) {
    const end = Math.min(start + sectorBytes, file.length);
    const touching = there.filter(({ offset, bytes }) => offset < end && offset + bytes.length > start);
    if (touching.length > 0) {
      tearSector({ file, synced }, touching, { start, end }, random() % 8 < lossInEight ? random : undefined);
    }
  }
  return file;
}

/** Makes one sector of what was written to it: all of it, without `random`, or what a power cut may leave. */
function tearSector(
  { file, synced }: { file: Uint8Array; synced: Uint8Array },
  writes: Write[],
  { start, end }: { start: number; end: number },
  random: (() => number) | undefined,
): void {
  const put = ({ offset, bytes }: Write, change?: (byte: number) => number) => {
    const from = Math.max(start, offset);
    const part = bytes.subarray(from - offset, Math.min(end, offset + bytes.length) - offset);
    const changed = (byte: number, i: number) => byte === synced[from + i] ? byte : change!(byte);
    file.set(change === undefined ? part : part.map(changed), from);
  };
  if (random === undefined) return writes.forEach((write) => put(write));
  switch (random() % 5) {
    case 0:
      return;
    case 1: {
      // As it was at some moment: a page cache writes sectors as they are by then.
      return writes.slice(0, random() % (writes.length + 1)).forEach((write) => put(write));
    }
    case 2: {
      // Any of the writes: a later one, an earlier one not.
      return writes.filter(() => random() % 2 === 0).forEach((write) => put(write));
    }
    case 3:
      return writes.forEach((write) => put(write, () => 0));
    default:
      return writes.forEach((write) => put(write, () => random() % 256));
  }
}

/** A copy of all files of a machine on a new one, as they are: for damaging one and the same store again and again. */
export function copyOf(platform: MemoryPlatform): MemoryPlatform {
  const copy = new MemoryPlatform();
  for (const path of platform.files()) copy.writeFile(path, platform.readFile(path));
  return copy;
}
