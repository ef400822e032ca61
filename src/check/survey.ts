/**
 * The survey of a store's directory, in whatever state it is: finds the manifest, or puts one together, opens the
 * segments that it lists, and finds where their records end. Verify, repair, salvage and the tools that show a log
 * begin with it.
 *
 * @module
 */
import { sameBytes } from "../bytes.ts";
import { asIo, corrupt, isTrimmed, KvStoreError } from "../errors.ts";
import { manifestOf } from "../store/directory.ts";
import { type Manifest, MANIFEST_NAME, type ManifestSegment } from "../engine/manifest.ts";
import { findEnd } from "../engine/recovery.ts";
import { Segment, segmentName } from "../engine/segment.ts";
import { generationOf, Tries } from "../follow/tries.ts";
import { platform as systemPlatform } from "../platform/mod.ts";
import { pathOf } from "../platform/path.ts";
import { finishNow } from "../platform/turn.ts";
import type { Platform } from "../platform/types.ts";
import type { Problem } from "../types.ts";
import { highestOf, rebuildManifest } from "./rebuild.ts";
import { list, problemOf } from "./problems.ts";
import { checkAge, checkEnd, irregularity, openSegmentFile, segmentFiles, unlistedSegments } from "../store/strays.ts";

/**
 * A segment as a survey found it.
 *
 * @experimental
 */
export interface SurveyedSegment {
  /** The name that the segment's file should have. */
  name: string;
  /** The open segment, whose `endBytes` is the end of its intact records; `undefined` if the file is missing. */
  segment: Segment | undefined;
  /** Where the first record should start. 0 if the header is damaged, since the header's length is unknown then. */
  startBytes: number;
  /** All bytes before this offset must be intact. Damage after it is a torn tail. */
  requiredBytes: number;
  /** Size of the file. */
  fileBytes: number;
  /** Whether the manifest lists the segment as complete. Otherwise the writer still appends to it. */
  isComplete: boolean;
}

/**
 * The log of a store in any state, open for reading.
 *
 * @experimental
 */
export interface LogSurvey {
  /** What the manifest says, or what the segments say if the manifest cannot be used. */
  manifest: Manifest;
  /** The segments, by number. Their counts of live and other bytes are 0 until a reader fills them in. */
  segments: SurveyedSegment[];
  /** What is wrong with the manifest, and which files are missing or misplaced. */
  problems: Problem[];
  /** Closes the files. */
  close(): void;
}

/** A surveyed segment, with what verify and repair need. */
export interface SurveyedFile extends SurveyedSegment {
  /** The name that the file has: not `name` if files were renamed. */
  file: string;
  /** What is wrong with the segment header, if anything. */
  headerReason: string | undefined;
  /** The range of sequence numbers that the segment may hold. */
  sequences: [first: number, last: number];
  /** The end of its records, or of its durable records, as the manifest has it. Marks may move `requiredBytes` on. */
  recordedBytes: number;
  /** Why the bytes after the intact records do not count. */
  tailReason: string;
  /** Whether bytes that must be intact are not. The survey sets it for missing files, verify for all others. */
  isDamaged: boolean;
}

/** The files of a store, open until `close`. */
export interface StoreSurvey extends LogSurvey {
  /** Generation of the manifest on the disk, if that can be read. */
  generation: number | undefined;
  /** Set if the manifest was put together from the segments; `unused` are the store's segments that it leaves out. */
  rebuilt: { unused: string[] } | undefined;
  segments: SurveyedFile[];
}

/**
 * Opens the log of the store in a directory for reading, also if `KvStore.open` refuses the store. It needs no lock,
 * changes nothing, and works beside a writer.
 *
 * @throws {KvStoreError} `NOT_FOUND`, `FORMAT`, `IO`
 * @experimental
 */
export function surveyLog(directory: string | URL): LogSurvey {
  return surveyOn(systemPlatform, systemPlatform.absolute(pathOf(directory)));
}

/** Surveys a log on any platform: for tests that simulate a disk. */
export function surveyOn(platform: Platform, directory: string): LogSurvey {
  const tries = new Tries(platform, directory);
  for (;;) {
    try {
      const survey = finishNow(surveyOnce(platform, directory));
      if (!isOutdated(survey, tries)) return survey;
      survey.close();
    } catch (error) {
      if (!isTrimmed(error) || !tries.again(undefined)) throw error;
    }
  }
}

/**
 * Whether to survey again: a writer has replaced the manifest since, and the survey has problems that may be due to
 * that. The files that it misses may be those that the new manifest no longer lists.
 */
export function isOutdated({ problems, generation }: StoreSurvey, tries: Tries): boolean {
  return problems.length > 0 && tries.again(generation);
}

/**
 * Surveys a store, which may be one that `open` refuses. Yields the bytes of each record that it reads. Throws
 * `NOT_FOUND` or `FORMAT`.
 */
export function* surveyOnce(platform: Platform, directory: string): Generator<number, StoreSurvey> {
  const generation = generationOf(platform, directory);
  const { manifest, rebuilt, problems } = manifestOrRebuilt(platform, directory);
  const files = filesOf(platform, directory, manifest);
  const segments: SurveyedFile[] = [];
  const close = () => segments.forEach(({ segment }) => segment?.handle.close());
  try {
    // The highest sequence number in the segments before, in the order of their numbers, and in all sealed ones.
    let before = 0;
    const sealed = manifest.segments.map((one) => one.highestSequence).reduce(highestOf, 0);
    for (const listed of manifest.segments) {
      const { lowestSequence, highestSequence } = listed;
      // All numbers in the active segment are above those in sealed ones. Where the manifest was put together, damage
      // at the start of a segment may have hidden numbers right after those of the segment before.
      const first = rebuilt === undefined ? lowestSequence : Math.min(lowestSequence, before + 1);
      const surveyed = openListed(platform, directory, { files, manifest, listed, problems });
      surveyed.sequences = surveyed.isComplete ? [first, highestSequence] : [sealed + 1, manifest.nextSequence - 1];
      before = Math.max(before, highestSequence);
      segments.push(surveyed);
      yield* setEnd(surveyed);
    }
    return { manifest, generation, rebuilt, segments, problems, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Opens the segment that a manifest lists as the one being written, and checks its end as `checkEnd` does. */
function checkEndOnDisk(platform: Platform, directory: string, manifest: Manifest): void {
  const last = manifest.segments.find(({ sealedBytes }) => sealedBytes === 0);
  const name = segmentName(last?.number ?? 0);
  const file = last && openSegmentFile(platform, directory, name);
  if (file === undefined) return;
  try {
    checkEnd(manifest, { handle: file.handle, name, salt: last!.salt });
  } finally {
    file.handle.close();
  }
}

type UsableManifest = Pick<StoreSurvey, "manifest" | "rebuilt" | "problems">;

function manifestOrRebuilt(platform: Platform, directory: string): UsableManifest {
  try {
    const manifest = manifestOf(platform, directory);
    checkAge(manifest, unlistedSegments(platform, directory, manifest));
    checkEndOnDisk(platform, directory, manifest);
    checkOwner(platform, directory, manifest);
    return { manifest, rebuilt: undefined, problems: [] };
  } catch (error) {
    if (!(error instanceof KvStoreError) || error.code !== "CORRUPT") throw error;
    const { manifest, unused, problems: found } = asIo(`read ${directory}`, () => rebuildManifest(platform, directory));
    // Its one checksum covers the whole file.
    const handle = openSegmentFile(platform, directory, MANIFEST_NAME)?.handle;
    const length = handle?.size() ?? 0;
    handle?.close();
    const problems = [problemOf(MANIFEST_NAME, error.reason ?? error.message, { offset: 0, length })];
    for (const problem of found) list(problems, problem);
    return { manifest, rebuilt: { unused }, problems };
  }
}

/** Refuses the manifest of another store: some of its segments are there, and all of them have another store's id. */
function checkOwner(platform: Platform, directory: string, manifest: Manifest): void {
  let isOthers = false;
  const names = new Set(segmentFiles(platform, directory));
  for (const { number } of manifest.segments) {
    if (!names.has(segmentName(number))) continue;
    const file = openSegmentFile(platform, directory, segmentName(number));
    file?.handle.close();
    if (typeof file?.header !== "object") continue;
    if (sameBytes(file.header.storeId, manifest.storeId)) return;
    isOthers = true;
  }
  if (isOthers) throw corrupt(MANIFEST_NAME, 16, "it belongs to another store than the segments");
}

/** Opens the file of a listed segment: the one with its name, or a renamed one if that is missing or another's. */
function openListed(
  platform: Platform,
  directory: string,
  { files, manifest, listed, problems }: {
    files: Files;
    manifest: Manifest;
    listed: ManifestSegment;
    problems: Problem[];
  },
): SurveyedFile {
  const { number, salt, sealedBytes, currentAsOf } = listed;
  const name = segmentName(number);
  const recordedBytes = sealedBytes > 0 ? sealedBytes : manifest.mark.offset;
  let file = files.names.has(name) ? openSegmentFile(platform, directory, name) : undefined;
  let foundAs = name;
  const own = typeof file?.header === "object" ? file.header : undefined;
  const isIt = own?.number === number && own.salt === salt && sameBytes(own.storeId, manifest.storeId);
  const isForeign = own !== undefined && !isIt;
  const isDamaged = file === undefined || isForeign;
  if (isDamaged) {
    const irregular = files.names.has(name) ? irregularity(platform, `${directory}/${name}`) : undefined;
    let reason = irregular ?? "the file is missing";
    if (isForeign) reason = "the segment header is that of another file";
    const problem = problemOf(name, reason, { offset: 0, length: file?.handle.size() ?? recordedBytes });
    const renamed = files.renamed().get(`${number} ${salt}`);
    if (renamed !== undefined) {
      file?.handle.close();
      file = openSegmentFile(platform, directory, renamed);
      foundAs = renamed;
      problem.reason += `; it is ${renamed}`;
    }
    // After the header of another file, the records may still be the right ones.
    if (renamed === undefined && file !== undefined) file.header = reason;
    else list(problems, problem);
  }
  const known = { number, storeId: manifest.storeId, salt, inputs: [] };
  const header = typeof file?.header === "object" ? file.header : known;
  const segment = file && new Segment(header, file.handle, { endBytes: 0, sealed: sealedBytes > 0 || manifest.clean });
  if (segment !== undefined) segment.currentAsOf = currentAsOf;
  const surveyed = asRecorded(name, segment, { endBytes: recordedBytes, isComplete: sealedBytes > 0 });
  if (typeof file?.header !== "string") return { ...surveyed, file: foundAs, isDamaged };
  return { ...surveyed, file: foundAs, isDamaged, headerReason: file.header, startBytes: 0 };
}

/** Describes a segment that is as recorded: in the file with its name, intact, and with records up to `endBytes`. */
export function asRecorded(
  name: string,
  segment: Segment | undefined,
  { endBytes, isComplete }: { endBytes: number; isComplete: boolean },
): SurveyedFile {
  return {
    name,
    file: name,
    segment,
    sequences: [segment?.lowestSequence ?? Infinity, segment?.highestSequence ?? 0],
    headerReason: undefined,
    startBytes: segment?.headerBytes ?? 0,
    recordedBytes: endBytes,
    requiredBytes: endBytes,
    fileBytes: segment?.handle.size() ?? 0,
    tailReason: "bytes past the recorded end",
    isComplete,
    isDamaged: false,
  };
}

/** The files of a directory that have names of segments: opened for a survey only once, however many are missing. */
interface Files {
  names: Set<string>;
  /** Their names by the number and the salt in the header, of those that belong to the store. */
  renamed(): Map<string, string>;
}

function filesOf(platform: Platform, directory: string, manifest: Manifest): Files {
  const names = new Set(segmentFiles(platform, directory));
  let renamed: Map<string, string> | undefined;
  const find = () => {
    const found = new Map<string, string>();
    for (const name of [...names].reverse()) {
      const file = openSegmentFile(platform, directory, name, true);
      file?.handle.close();
      if (typeof file?.header !== "object" || !sameBytes(file.header.storeId, manifest.storeId)) continue;
      const { number, salt } = file.header;
      found.set(`${number} ${salt}`, name);
    }
    return found;
  };
  return { names, renamed: () => renamed ??= find() };
}

/** Finds where the records end. */
function* setEnd(surveyed: SurveyedFile): Generator<number, void> {
  const { segment, recordedBytes } = surveyed;
  if (segment === undefined) return;
  segment.endBytes = recordedBytes;
  if (segment.sealed) return;
  const { endBytes, markOffset, reason } = yield* findEnd(segment, { markOffset: recordedBytes });
  segment.endBytes = endBytes;
  surveyed.requiredBytes = markOffset;
  if (reason !== undefined) surveyed.tailReason = `a torn tail: ${reason}`;
}
