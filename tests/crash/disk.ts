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
  type PendingWrite,
  type PowerCut,
} from "../support/memory_platform.ts";

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
 * Of every write and every change of a directory something else is left: all, nothing, whole sectors of it, zeros or
 * garbage.
 */
export function randomCut(seed: number): PowerCut {
  const random = randomFrom(seed);
  return { write: (pending) => remainsOf(pending, random), entry: () => random() % 2 === 0 };
}

function remainsOf({ bytes, offset }: PendingWrite, random: () => number): Uint8Array | undefined {
  const sectorBytes = random() % 2 === 0 ? 512 : 4096;
  switch (random() % 6) {
    case 0:
      return undefined;
    case 1:
      return bytes;
    case 2:
      return bytes.subarray(0, Math.max(0, sectorBytes * (1 + random() % 3) - offset % sectorBytes));
    case 3:
      return bytes.fill(0);
    case 4:
      return bytes.map(() => random());
    default:
      return loseSectors(bytes, offset, sectorBytes, random);
  }
}

/** Some sectors are there, others are zero or garbage, as a disk that reorders its writes leaves them. */
function loseSectors(bytes: Uint8Array, offset: number, sectorBytes: number, random: () => number): Uint8Array {
  for (let start = -(offset % sectorBytes); start < bytes.length; start += sectorBytes) {
    const fate = random() % 3;
    const sector = bytes.subarray(Math.max(0, start), start + sectorBytes);
    if (fate === 1) sector.fill(0);
    if (fate === 2) sector.forEach((_, i) => sector[i] = random());
  }
  return bytes;
}

/** A copy of all files of a machine on a new one, as they are: for damaging one and the same store again and again. */
export function copyOf(platform: MemoryPlatform): MemoryPlatform {
  const copy = new MemoryPlatform();
  for (const path of platform.files()) copy.writeFile(path, platform.readFile(path));
  return copy;
}
