/**
 * The log of a healthy store, opened for tools that read it record by record.
 *
 * @module
 */
import type { ReadIndex } from "../engine/index.ts";
import { encodeManifest, type Manifest } from "../engine/manifest.ts";
import { openReader } from "./open_reader.ts";
import type { Segment } from "../engine/segment.ts";
import { platform as systemPlatform } from "../platform/mod.ts";
import { pathOf } from "../platform/path.ts";

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
  /** The segments, in the order of their numbers. Read them with `scan`. */
  segments: Segment[];
  /**
   * The index. A record is live if the index points at it and it had not expired when the log was opened.
   */
  index: ReadIndex;
  /** Closes the files. */
  close(): void;
}

/**
 * Opens the log of the store in a directory for reading. It needs no lock, changes nothing, and works beside a writer.
 *
 * @throws {KvStoreError} as `KvStore.open` does
 * @experimental
 */
export function openLog(directory: string | URL): OpenLog {
  const { log, index, manifest } = openReader(systemPlatform, systemPlatform.absolute(pathOf(directory)));
  index.expire(log.now());
  index.countExpired(log.segments.values());
  return {
    manifest,
    manifestBytes: encodeManifest(manifest).length,
    segments: [...log.segments.values()].sort((a, b) => a.number - b.number),
    index,
    close() {
      index.close();
      log.closeFiles();
    },
  };
}
