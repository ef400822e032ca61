/**
 * What lies where in the files of an intact store, read while it is intact: so that tests can say what a damage of any
 * bytes must lead to.
 *
 * @module
 */

import type { Manifest } from "../../../src/engine/manifest.ts";
import { readManifest } from "../../../src/store/directory.ts";
import { FLAG_MORE, KIND, readMark } from "../../../src/engine/record.ts";
import { readSegmentHeader, Segment, segmentName } from "../../../src/engine/segment.ts";
import { scan } from "../../../src/check/scan.ts";
import type { MemoryPlatform } from "../../support/memory_platform.ts";
import { DIRECTORY } from "../../crash/support/scenario.ts";

/** A record and its place. */
export interface LaidRecord {
  file: string;
  offset: number;
  /** Where its key ends and its value begins. */
  keyEnd: number;
  end: number;
  kind: number;
  key: string;
  value: string;
  sequence: number;
  /** Whether its batch goes on. */
  goesOn: boolean;
  /** Of a durable mark: what it says of its own segment. */
  markOffset: number;
}

/** A segment that the manifest lists. */
export interface LaidSegment {
  number: number;
  name: string;
  path: string;
  bytes: Uint8Array;
  headerBytes: number;
  isSealed: boolean;
  /** Where the manifest says that it ends, or is durable. */
  recordedEnd: number;
  records: LaidRecord[];
}

/** A store as it is on the disk. */
export interface Layout {
  platform: MemoryPlatform;
  manifest: Manifest;
  segments: LaidSegment[];
}

/** Reads an intact store. */
export function layoutOf(platform: MemoryPlatform): Layout {
  const manifest = readManifest(platform, DIRECTORY)!;
  const segments = manifest.segments.map(({ number, sealedBytes }) => {
    const name = segmentName(number);
    const path = `${DIRECTORY}/${name}`;
    const handle = platform.open(path, "read");
    const segment = new Segment(readSegmentHeader(handle, name), handle, { endBytes: handle.size(), sealed: true });
    const recordedEnd = sealedBytes > 0 ? sealedBytes : manifest.mark.offset;
    const end = sealedBytes > 0 || manifest.clean ? recordedEnd : handle.size();
    const records = readRecords(segment, end);
    handle.close();
    const { headerBytes } = segment;
    const isSealed = sealedBytes > 0 || manifest.clean;
    return { number, name, path, bytes: platform.readFile(path), headerBytes, isSealed, recordedEnd, records };
  });
  return { platform, manifest, segments };
}

function readRecords(segment: Segment, end: number): LaidRecord[] {
  const decoder = new TextDecoder();
  return Array.from(scan(segment, segment.headerBytes, end), ({ cursor, offset, length, reason, isRecord }) => {
    if (!isRecord || reason !== undefined) throw new Error(`${segment.name} is damaged at ${offset}: ${reason}`);
    const isOwnMark = cursor.kind === KIND.mark && readMark(cursor.view, cursor.at).segment === segment.number;
    return {
      file: segment.name,
      offset,
      keyEnd: offset + cursor.keyStart + cursor.keyLength,
      end: offset + length,
      kind: cursor.kind,
      key: decoder.decode(cursor.key),
      value: decoder.decode(cursor.value),
      sequence: cursor.sequence,
      goesOn: (cursor.flags & FLAG_MORE) !== 0,
      markOffset: isOwnMark ? readMark(cursor.view, cursor.at).offset : 0,
    };
  });
}
