/**
 * The log of a store, opened for tools that read it record by record.
 *
 * @module
 */
import { isTrimmed } from "../errors.ts";
import type { Index } from "../engine/index.ts";
import { encodeManifest, type Manifest } from "../engine/manifest.ts";
import { FLAG_MORE } from "../engine/record.ts";
import type { Segment } from "../engine/segment.ts";
import { platform as systemPlatform } from "../platform/mod.ts";
import { pathOf } from "../platform/path.ts";
import type { Platform } from "../platform/types.ts";
import type { Problem } from "../types.ts";
import { countExpired } from "../engine/engine.ts";
import { openReader } from "../engine/open.ts";
import { scan } from "./scan.ts";
import { findFiles, type FoundStore, generationOf } from "./survey.ts";

/** How often a survey starts over because the writer replaced files under its hands. */
const MAX_TRIES = 100;

/**
 * A log that is open for reading.
 *
 * @experimental
 */
export interface OpenLog {
  /** What the manifest says. */
  manifest: Manifest;
  /** Size of the manifest. */
  manifestBytes: number;
  /** The segments, by number; `scan` walks over one. */
  segments: Segment[];
  /**
   * The index: a record is live if it is the one that the index names for its key, and had not expired when the log was
   * opened.
   */
  index: Index;
  /** Closes the files. */
  close(): void;
}

/**
 * Opens the log of the store in a directory for reading. Needs no lock and changes nothing, also beside a writer.
 *
 * @throws {KvStoreError} as `KvStore.open` does
 * @experimental
 */
export function openLog(directory: string | URL): OpenLog {
  const { log, index, manifest } = openReader(systemPlatform, systemPlatform.absolute(pathOf(directory)));
  index.expire(log.now());
  for (const segment of log.segments.values()) countExpired(segment, index);
  return {
    manifest,
    manifestBytes: encodeManifest(manifest).length,
    segments: [...log.segments.values()].sort((a, b) => a.number - b.number),
    index,
    close: () => log.closeFiles(),
  };
}

/**
 * A segment as a survey found it.
 *
 * @experimental
 */
export interface SurveyedSegment {
  /** The name of its file. */
  name: string;
  /** The open segment: its `endBytes` are where the records that count end; `undefined` if the file is missing. */
  segment: Segment | undefined;
  /** Where the first record should start: 0 if the header is damaged, as nobody knows how long it is. */
  startBytes: number;
  /** Everything before this must be intact; what is behind it and is not, is a torn tail. */
  requiredBytes: number;
  /** Size of the file. */
  fileBytes: number;
  /** Whether the manifest has it as complete; else it is the one that is being written, or will be. */
  isComplete: boolean;
}

/**
 * A log that is open for looking at it, whatever its state.
 *
 * @experimental
 */
export interface LogSurvey {
  /** What the manifest says, or what the segments say if it could not be used. */
  manifest: Manifest;
  /** The segments, by number. Their accounts are empty: whoever scans them counts. */
  segments: SurveyedSegment[];
  /** What is wrong with the manifest, and which files are missing or not in their place. */
  problems: Problem[];
  /** Closes the files. */
  close(): void;
}

/**
 * Opens the log of the store in a directory for looking at it record by record, also if it is one that `KvStore.open`
 * refuses. Needs no lock and changes nothing, also beside a writer.
 *
 * @throws {KvStoreError} `NOT_FOUND`, `FORMAT`, `IO`
 * @experimental
 */
export function surveyLog(directory: string | URL): LogSurvey {
  return surveyOn(systemPlatform, systemPlatform.absolute(pathOf(directory)));
}

/** Surveys a log on any platform: for tests that simulate a disk. */
export function surveyOn(platform: Platform, directory: string): LogSurvey {
  for (let tries = 1;; tries++) {
    let found: FoundStore | undefined;
    try {
      found = findFiles(platform, directory);
      // Beside a writer, files may have gone while they were opened: then what the manifest said holds no longer.
      const isStale = found.problems.length > 0 && found.generation !== generationOf(platform, directory);
      if (!isStale || tries === MAX_TRIES) return surveyOf(found);
      found.close();
    } catch (error) {
      found?.close();
      if (!isTrimmed(error) || tries === MAX_TRIES) throw error;
    }
  }
}

function surveyOf({ manifest, segments, problems, close }: FoundStore): LogSurvey {
  const surveyed = segments.map(({ name, segment, headerReason, requiredBytes, fileBytes }, i): SurveyedSegment => {
    // Of a sealed segment nothing behind its end counts, whatever it is.
    if (segment !== undefined && !segment.sealed) segment.endBytes = endOfTail(segment, requiredBytes, fileBytes);
    const startBytes = headerReason === undefined ? segment?.headerBytes ?? 0 : 0;
    const isComplete = manifest.segments[i]!.sealedBytes > 0;
    return { name, segment, startBytes, requiredBytes, fileBytes, isComplete };
  });
  return { manifest, segments: surveyed, problems, close };
}

/** Where the records end that a crash left behind the durable mark: at the first bad byte, and never within a batch. */
function endOfTail(segment: Segment, markBytes: number, fileBytes: number): number {
  let end = markBytes;
  for (const { cursor, offset, length, reason } of scan(segment, markBytes, fileBytes)) {
    if (reason !== undefined) break;
    if ((cursor.flags & FLAG_MORE) === 0) end = offset + length;
  }
  return end;
}
