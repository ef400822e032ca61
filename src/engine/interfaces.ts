/**
 * What the engine knows of the features around it: a few narrow interfaces, which they implement. It imports none of
 * them.
 *
 * @module
 */
import type { Recovery, Value } from "../types.ts";
import type { Index, KeyBytes, Place, ReadIndex } from "./index.ts";
import type { Log } from "./log.ts";
import type { Manifest } from "./manifest.ts";
import type { KeyRef, Partition } from "./partition.ts";
import type { RecordBuffer } from "./record.ts";
import type { RecoveredEnd } from "./recovery.ts";
import type { Segment } from "./segment.ts";

/** Learns where a record is before that changes. `Views` does, for snapshots, which go on reading what was there. */
export interface PlaceObserver {
  /** Whether anybody reads an earlier state. Otherwise no change is told. */
  readonly isInterested: boolean;
  /** A key is about to get another place, or none. `place` is the one it has; its segment is 0 if it has none. */
  beforeChange(key: KeyBytes, place: Place): void;
  /** The index is about to be replaced as a whole. */
  beforeReplacement(next: ReadIndex): void;
  /** A replacement was taken back: this is the index again. */
  onReplaced(former: ReadIndex): void;
  /** The change with this sequence number was taken back. */
  onRollback(sequence: number): void;
}

/** Keeps the keys of an index in order: `Order` does, once a range has been asked for. */
export interface KeyOrder {
  /** Memory held, in bytes. */
  readonly heldBytes: number;
  /** The index has a new table. */
  follow(number: number, partition: Partition): void;
  /** A key that had no place has got one. */
  add(ref: KeyRef): void;
}

/** Keeps parts of segments in memory: `BlockCache` does. */
export interface RecordCache extends RecordBuffer {
  /** Where in `bytes` the record starts that `load` has found. */
  readonly at: number;
  /** Finds a record, reading it if need be. False if it has to be read from the file. */
  load(segment: Segment, offset: number, length: number): boolean;
  /** Forgets what it has of a record. */
  drop(segment: Segment, offset: number, length: number): void;
  /** Forgets everything, and keeps nothing any more. */
  close(): void;
}

/** What an engine is given. */
export interface EngineParts {
  /** Segments are sealed at this size. */
  segmentBytes: number;
  /** Where records are looked for before they are read from a file. */
  cache: RecordCache;
  /** Hears of places before they change. */
  observer: PlaceObserver;
  /** Decodes a value of a type from its bytes, which may become part of it if `isOwn`. Throws if they are not valid. */
  decode(type: number, bytes: Uint8Array, start: number, end: number, isOwn: boolean): Value;
  /** Builds the index of an open log from the log alone, and counts the bytes of its segments anew. */
  rebuildIndex(log: Log): ReadIndex;
  /** Called when a new segment was begun, or much has expired: there may be something to compact. */
  wakeMaintenance(): void;
}

/** An index that was built at opening. */
export interface OpenedIndex {
  /** The index. */
  index: Index;
  /** How many records were replayed to build it. */
  replayed: number;
  /** It covers every record up to this sequence number. */
  sequence: number;
}

/** What opening a store needs from outside the engine. src/store/opening.ts provides it. */
export interface OpeningParts {
  /** Makes the index of a log whose segments are open, and accounts for their bytes. */
  openIndex(log: Log, manifest: Manifest): OpenedIndex;
  /**
   * The names of files that a crash has left in a store's directory and that mean nothing any more. Throws `CORRUPT` if
   * one of them, or the end of the log, shows that the manifest is not the latest.
   */
  findLeftovers(log: Log, manifest: Manifest): string[];
  /** Describes what recovery is about to do. `end` is the end that it found, unless the store was closed cleanly. */
  report(manifest: Manifest, end: RecoveredEnd | undefined): Recovery;
}
