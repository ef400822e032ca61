/**
 * The survey of a store that may be damaged: finds the manifest, or puts one together, and the files that it lists, and
 * has them examined.
 *
 * @module
 */
import { sameBytes } from "../bytes.ts";
import { asIo, corrupt, KvStoreError } from "../errors.ts";
import { type Manifest, MANIFEST_NAME, type ManifestSegment, readManifest } from "../engine/manifest.ts";
import { highestMark } from "../engine/recovery.ts";
import { Segment, segmentName } from "../engine/segment.ts";
import type { Platform } from "../platform/types.ts";
import type { Problem, WorkOptions } from "../types.ts";
import { checkImage } from "./compare.ts";
import { manifestOf } from "../engine/directory.ts";
import { Examination, type Examined } from "./examine.ts";
import { highestOf, rebuildManifest } from "./rebuild.ts";
import { Pace } from "./scan.ts";
import { checkAge, isDirectory, openSegmentFile, type SegmentFile, segmentFiles, unlistedSegments } from "./strays.ts";

/** A store's files, examined; the files are open until `close`. */
export interface ExaminedStore {
  /** The manifest, or one put together from the segments if it could not be used. */
  manifest: Manifest;
  /** Generation of the manifest that was found, if it could be read. */
  generation: number | undefined;
  /** Whether the manifest was put together; then also the store's segments that it does not list. */
  rebuilt: { unused: string[] } | undefined;
  /** The segments that the manifest lists. */
  segments: Examined[];
  /** What was found. */
  found: Examination;
  /** Closes the files. */
  close(): void;
}

/** A store's files as they were found, open and not examined yet. */
export interface FoundStore extends Omit<ExaminedStore, "found"> {
  /** What is wrong with the manifest, and which files are missing or not in their place. */
  problems: Problem[];
}

/** Finds and opens the files of a store, which may be one that `open` refuses. Throws `NOT_FOUND` or `FORMAT`. */
export function findFiles(platform: Platform, directory: string): FoundStore {
  const generation = generationOf(platform, directory);
  const { manifest, rebuilt, problems } = manifestOrRebuilt(platform, directory);
  const segments: Examined[] = [];
  const close = () => segments.forEach(({ segment }) => segment?.handle.close());
  try {
    // The highest sequence number in the segments before, in the order of their numbers, and in all sealed ones.
    let before = 0;
    const sealed = manifest.segments.map((one) => one.highestSequence).reduce(highestOf, 0);
    for (const listed of manifest.segments) {
      const { sealedBytes, lowestSequence, highestSequence } = listed;
      // One that is being written has all behind those of the others; where the manifest was put together, what is
      // missing at the beginning may have begun behind those of the segments before it.
      const first = rebuilt === undefined ? lowestSequence : Math.min(lowestSequence, before + 1);
      const sequences: [number, number] = sealedBytes > 0
        ? [first, highestSequence]
        : [sealed + 1, manifest.nextSequence - 1];
      before = Math.max(before, highestSequence);
      const examined = openListed({ platform, directory }, manifest, { listed, sequences }, problems);
      segments.push(examined);
      const { segment, requiredBytes, fileBytes } = examined;
      if (segment === undefined) continue;
      if (!segment.sealed) examined.requiredBytes = highestMark(segment, requiredBytes, fileBytes);
      segment.endBytes = examined.requiredBytes;
    }
    return { manifest, generation, rebuilt, segments, problems, close };
  } catch (error) {
    close();
    throw error;
  }
}

/**
 * Examines the store in a directory; it needs no lock, and the store may be one that `open` refuses. Throws `NOT_FOUND`
 * or `FORMAT`.
 */
export async function examineStore(
  platform: Platform,
  directory: string,
  options: WorkOptions,
): Promise<ExaminedStore> {
  const { problems, ...store } = findFiles(platform, directory);
  const { manifest, segments } = store;
  const open = segments.flatMap(({ segment }) => segment ?? []);
  const found = new Examination(new Map(open.map((segment) => [segment.number, segment])));
  // Not as arguments of one call: a forged manifest may have hundreds of thousands.
  for (const problem of problems) found.problems.push(problem);
  try {
    for (const examined of segments) if (examined.segment === undefined) found.noteMissing(examined);
    const pace = new Pace(options, segments.reduce((sum, { fileBytes }) => sum + fileBytes, 0));
    for (const examined of segments) if (examined.segment !== undefined) await found.read(examined, pace);
    await found.finish(segments);
    if (found.problems.length === 0) {
      found.problems.push(...await checkImage(platform, directory, { manifest, segments, found }));
    }
    // Behind the comparison: an image knows nothing of the time.
    found.index.expire(Math.max(platform.now(), store.manifest.clockFloor));
    return { ...store, found };
  } catch (error) {
    store.close();
    throw error;
  }
}

/** The generation of the manifest, if it can be read. */
export function generationOf(platform: Platform, directory: string): number | undefined {
  try {
    return readManifest(platform, directory)?.generation;
  } catch {
    return undefined;
  }
}

type Usable = Pick<ExaminedStore, "manifest" | "rebuilt"> & { problems: Problem[] };

function manifestOrRebuilt(platform: Platform, directory: string): Usable {
  try {
    const manifest = manifestOf(platform, directory, false);
    checkAge(platform, directory, manifest, unlistedSegments(platform, directory, manifest));
    checkOwner(platform, directory, manifest);
    return { manifest, rebuilt: undefined, problems: [] };
  } catch (error) {
    if (!(error instanceof KvStoreError) || error.code !== "CORRUPT") throw error;
    const { manifest, unused, problems } = asIo(`read ${directory}`, () => rebuildManifest(platform, directory));
    // One checksum covers all of it.
    const handle = openSegmentFile(platform, directory, MANIFEST_NAME)?.handle;
    const length = handle?.size() ?? 0;
    handle?.close();
    problems.unshift({ file: MANIFEST_NAME, offset: 0, length, reason: error.reason ?? error.message });
    return { manifest, rebuilt: { unused }, problems };
  }
}

/** Refuses the manifest of another store: its segments are there, and none of them has its id. */
function checkOwner(platform: Platform, directory: string, manifest: Manifest): void {
  let isOthers = false;
  for (const { number } of manifest.segments) {
    const file = openSegmentFile(platform, directory, segmentName(number));
    file?.handle.close();
    if (typeof file?.header !== "object") continue;
    if (sameBytes(file.header.storeId, manifest.storeId)) return;
    isOthers = true;
  }
  if (isOthers) throw corrupt(MANIFEST_NAME, 16, "it is of another store than the segments");
}

/** Finds the file of a listed segment: under its own name, or, where that is not it, under another. */
function openListed(
  { platform, directory }: { platform: Platform; directory: string },
  manifest: Manifest,
  { listed, sequences }: { listed: ManifestSegment; sequences: [number, number] },
  problems: Problem[],
): Examined {
  const { number, salt, sealedBytes, cleanAsOf } = listed;
  const own = segmentName(number);
  const requiredBytes = sealedBytes > 0 ? sealedBytes : manifest.mark.offset;
  const isIt = ({ header }: SegmentFile) =>
    typeof header !== "string" && header.number === number && header.salt === salt &&
    sameBytes(header.storeId, manifest.storeId);
  let file = openSegmentFile(platform, directory, own);
  let found = own;
  const isForeign = typeof file?.header === "object" && !isIt(file);
  const isDamaged = file === undefined || isForeign;
  if (isDamaged) {
    let reason = isDirectory(platform, `${directory}/${own}`)
      ? "a directory is in the place of the file"
      : "the file is missing";
    if (isForeign) reason = "the segment header is that of another file";
    const problem = { file: own, offset: 0, length: file?.handle.size() ?? requiredBytes, reason };
    const renamed = findRenamed(platform, directory, isIt);
    if (renamed !== undefined) {
      file?.handle.close();
      [found, file] = renamed;
      problem.reason += `; it is ${found}`;
    }
    // Of a file with the header of another, the rest may be right.
    if (renamed === undefined && file !== undefined) file.header = reason;
    else problems.push(problem);
  }
  const examined: Examined = {
    name: own,
    file: found,
    segment: undefined,
    headerReason: typeof file?.header === "string" ? file.header : undefined,
    sequences,
    recordedBytes: requiredBytes,
    requiredBytes,
    fileBytes: file?.handle.size() ?? 0,
    isDamaged,
  };
  if (file === undefined) return examined;
  const known = { number, storeId: manifest.storeId, salt, inputs: [] };
  const header = typeof file.header === "string" ? known : file.header;
  const segment = new Segment(header, file.handle, { endBytes: 0, sealed: sealedBytes > 0 || manifest.clean });
  segment.cleanAsOf = cleanAsOf;
  return { ...examined, segment };
}

/** Looks for a segment among the files with the names of others. */
function findRenamed(
  platform: Platform,
  directory: string,
  isIt: (file: SegmentFile) => boolean,
): [name: string, file: SegmentFile] | undefined {
  for (const name of segmentFiles(platform, directory)) {
    const file = openSegmentFile(platform, directory, name, true);
    if (file !== undefined && isIt(file)) return [name, file];
    file?.handle.close();
  }
  return undefined;
}
