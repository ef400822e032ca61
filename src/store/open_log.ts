/**
 * The log of a store, opened for tools that read it record by record.
 *
 * @module
 */
import type { Index } from "../index/index.ts";
import { encodeManifest, type Manifest } from "../log/manifest.ts";
import type { Segment } from "../log/segment.ts";
import { platform } from "../platform/mod.ts";
import { countExpired } from "./core.ts";
import { openReader } from "./open.ts";

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
export function openLog(directory: string): OpenLog {
  const { log, index, manifest } = openReader(platform, platform.absolute(directory));
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
