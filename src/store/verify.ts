/**
 * Verify: whether a store's files are intact, and whether its index says what they say.
 *
 * @module
 */
import { IMAGE_NAME } from "../index/image.ts";
import { type Index, PARTITIONS, type Place } from "../index/index.ts";
import { ENTRY_FIELDS } from "../index/partition.ts";
import { Log } from "../log/log.ts";
import { readManifest } from "../log/manifest.ts";
import { Segment, segmentNumberOf } from "../log/segment.ts";
import { platform as systemPlatform } from "../platform/mod.ts";
import type { Platform } from "../platform/types.ts";
import type { Problem, VerifyReport, WorkOptions } from "../types.ts";
import { loadImage } from "./checkpoint.ts";
import type { Core } from "./core.ts";
import { Examination, type Examined, type ExaminedStore, examineStore } from "./examine.ts";
import { decodeKey } from "./keys.ts";
import { checkNames } from "./options.ts";
import { replay } from "./replay.ts";
import { Pace } from "./scan.ts";

/** Mismatches between index and log that are listed one by one. */
const MAX_LISTED = 100;

/**
 * Reads every byte of the store in a directory, rebuilds the index from the log and compares. Needs no lock and changes
 * nothing; works beside a writer, and on stores that `open` refuses.
 *
 * @throws {KvStoreError} `NOT_FOUND`, `FORMAT`, `IO`
 */
export async function verifyStore(directory: string, options: WorkOptions = {}): Promise<VerifyReport> {
  checkNames("verifyStore", options, ["onProgress", "signal"]);
  return await verifyOn(systemPlatform, systemPlatform.absolute(directory), options);
}

/** The same on any platform. */
export async function verifyOn(platform: Platform, directory: string, options: WorkOptions): Promise<VerifyReport> {
  for (let tries = 0;; tries++) {
    const examined = await examineStore(platform, directory, options);
    try {
      const { problems, notes } = examined.found;
      // Beside a writer, files may have gone while they were read: then what the manifest said holds no longer.
      if (problems.length > 0 && tries < 3 && wasReplaced(platform, directory, examined)) continue;
      noteOthers(platform, directory, examined, notes);
      if (problems.length === 0) problems.push(...checkImage(platform, directory, examined));
      return { problems, notes };
    } finally {
      examined.close();
    }
  }
}

/** Verifies a store that is open, as it is at this moment; reading and writing go on. */
export async function verifyOpen(core: Core, options: WorkOptions): Promise<VerifyReport> {
  const failure = core.writer?.write();
  if (failure !== undefined) throw failure;
  const view = core.views.open(core.log.nextSequence);
  try {
    const listed = [...core.log.segments.values()];
    const accounts = listed.map(accountOf);
    const segments = new Map(listed.map((segment) => [segment.number, shadowOf(segment)]));
    const found = new Examination(segments);
    const pace = new Pace(options, listed.reduce((sum, segment) => sum + segment.endBytes, 0), () => core.check());
    const examined = [...segments.values()].map((segment) => examinedOf(segment));
    for (const one of examined) await found.read(one, pace);
    found.finish(examined);
    if (found.problems.length > 0) return found;
    const size = view.size;
    const find = (bytes: Uint8Array) => core.views.find(view, { bytes, start: 0, length: bytes.length });
    const problems = compare("the index in memory", found.index, size, find);
    [...segments.values()].forEach((segment, i) => {
      if (accountOf(segment) !== accounts[i]) {
        problems.push(problemOf(segment.name, `the account is ${accounts[i]}; the log says ${accountOf(segment)}`));
      }
    });
    return { problems, notes: found.notes };
  } finally {
    core.release(view);
  }
}

function examinedOf(segment: Segment): Examined {
  const { number, salt, endBytes, lowestSequence, highestSequence, cleanAsOf } = segment;
  const listed = { number, salt, sealedBytes: endBytes, lowestSequence, highestSequence, cleanAsOf };
  return { listed, segment, requiredBytes: endBytes, fileBytes: segment.handle.size(), isDamaged: false };
}

/** A segment with the same file and extent, and an empty account. */
function shadowOf({ number, salt, headerBytes, handle, endBytes }: Segment): Segment {
  const inputs: number[] = new Array((headerBytes - 44) / 4).fill(0);
  return new Segment({ number, storeId: new Uint8Array(0), salt, inputs }, handle, { endBytes, sealed: true });
}

function accountOf({ liveBytes, staleBytes, tombstoneBytes }: Segment): string {
  return `${liveBytes} live, ${staleBytes} stale, ${tombstoneBytes} tombstone bytes`;
}

/** Compares what image and replay make of the log with what the log alone makes. */
function checkImage(platform: Platform, directory: string, { manifest, segments, found }: ExaminedStore): Problem[] {
  const log = new Log({ platform, directory, lock: undefined }, manifest);
  for (const { segment } of segments) log.adopt(shadowOf(segment!));
  const image = loadImage(log, manifest);
  if (image === undefined) {
    if (platform.list(directory).includes(IMAGE_NAME)) {
      found.notes.push(problemOf(IMAGE_NAME, "it does not fit the log and will be rebuilt"));
    }
    return [];
  }
  const { index } = image;
  replay(index, log.segments, image.known);
  const find = (bytes: Uint8Array) => index.find(bytes, 0, bytes.length) ? index : undefined;
  const problems = compare(IMAGE_NAME, found.index, index.size, find);
  for (const { segment } of segments) {
    const other = accountOf(log.segments.get(segment!.number)!);
    if (other !== accountOf(segment!)) {
      problems.push(
        problemOf(IMAGE_NAME, `the account of ${segment!.name} is ${other}; the log says ${accountOf(segment!)}`),
      );
    }
  }
  return problems;
}

/** Compares an index with the one that the log makes: keys and places. */
function compare(file: string, expected: Index, size: number, find: (key: Uint8Array) => Place | undefined): Problem[] {
  const problems: Problem[] = [];
  if (size !== expected.size) problems.push(problemOf(file, `it has ${size} keys; the log has ${expected.size}`));
  for (let number = 0; number < PARTITIONS; number++) {
    const { entries, arena, count } = expected.partition(number);
    for (let id = 0; id < count && problems.length < MAX_LISTED; id++) {
      const [at, segment, offset, form] = entries.subarray(id * ENTRY_FIELDS, (id + 1) * ENTRY_FIELDS);
      if (segment === 0) continue;
      const key = arena.subarray(at! + 2, at! + 2 + (arena[at!]! | (arena[at! + 1]! << 8)));
      const place = find(key);
      const isSame = place?.segment === segment && place?.offset === offset && place?.length === (form! & 0x7fff_ffff);
      if (isSame && place?.isString === form! >= 2 ** 31) continue;
      const where = place === undefined ? "no place" : `segment ${place.segment} at byte ${place.offset}`;
      problems.push({
        ...problemOf(file, `a key has ${where}; its record lies in segment ${segment} at byte ${offset}`),
        key: decodeKey(key, form! >= 2 ** 31),
      });
    }
  }
  return problems;
}

/** Files that do not belong to the store, or not any more. */
function noteOthers(platform: Platform, directory: string, { manifest }: ExaminedStore, notes: Problem[]): void {
  const listed = new Set(manifest.segments.map(({ number }) => number));
  const ours = new Set(["MANIFEST", "LOCK", IMAGE_NAME]);
  for (const name of platform.list(directory)) {
    const number = segmentNumberOf(name);
    if (ours.has(name) || (number !== undefined && listed.has(number))) continue;
    notes.push(
      problemOf(
        name,
        number === undefined ? "it does not belong to the store" : "a segment that the manifest does not list",
      ),
    );
  }
}

function wasReplaced(platform: Platform, directory: string, { manifest, isRebuilt }: ExaminedStore): boolean {
  return !isRebuilt && readManifest(platform, directory)?.generation !== manifest.generation;
}

function problemOf(file: string, reason: string): Problem {
  return { file, offset: 0, length: 0, reason };
}
