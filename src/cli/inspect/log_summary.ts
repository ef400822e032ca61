/**
 * The summary of a log that goes into a page, as JSON. Sizes are in bytes and times in steps, unless the name says
 * otherwise.
 *
 * @module
 */

/** Bytes by state. */
export interface BytesByState {
  live: number;
  /** Superseded sets. */
  stale: number;
  tombstone: number;
  /** Sets that have expired and that nothing has superseded. */
  expired: number;
  damaged: number;
  /** Durable marks. */
  mark: number;
  /** Bytes after the end of the records. */
  unused: number;
}

/** The cells of a segment that is too large to show record by record: stretches of equal length. */
export interface CellData {
  cellBytes: number;
  count: number;
  /** For each cell five shares of its length in 255ths, base64: sets, tombstones, marks, expired, damaged. */
  shares: string;
  /**
   * For each cell and step, how much of the sets' share had been superseded by its end, in 255ths of a cell, base64.
   */
  died: string;
  /** For each cell when its first and last record were written, in 256ths of a step; two bytes each, base64. */
  times: string;
  /** Records that begin in each cell. */
  records: number[];
}

/** A segment of the log. */
export interface SegmentData {
  number: number;
  name: string;
  fileBytes: number;
  /** Where the records end. */
  endBytes: number;
  headerBytes: number;
  isSealed: boolean;
  isMissing: boolean;
  /** Segments that compaction rewrote into this one. */
  inputs: number[];
  /** The last sequence number before that compaction began; 0 if it is not known. */
  compactedAfter: number;
  lowestSequence: number;
  highestSequence: number;
  records: number;
  bytes: BytesByState;
  cells?: CellData;
}

/** The records in the sample, as a list for each field, in the order of segments and offsets. */
export interface RecordData {
  /** Position in the list of segments. */
  segment: number[];
  offset: number[];
  length: number[];
  sequence: number[];
  kind: number[];
  flags: number[];
  /** Position in the list of keys; -1 for records without a key. */
  key: number[];
  valueBytes: number[];
  /** Sequence number of what superseded it; 0 if nothing did. */
  died: number[];
  /** Positions of records with a damaged value. */
  damaged: number[];
  /** Times of expiry by position, in milliseconds since 1970. */
  expiries: [record: number, expiresAtMs: number][];
  /** Beginnings of values by position, if values are shown. */
  values: [record: number, text: string][];
}

/** The keys in the sample, as text. */
export interface KeyData {
  /** Escaped as in `kvstore list`, shortened. */
  text: string[];
  bytes: number[];
  /** Number of versions that are not in the sample, by position. */
  omitted: [key: number, versions: number][];
}

/** Everything that a page shows. */
export interface LogSummary {
  directory: string;
  /** When it was made, in milliseconds since 1970. */
  madeMs: number;
  version: string;
  isClean: boolean;
  isManifestDamaged: boolean;
  hasValues: boolean;
  keys: number;
  /** Number of expired keys. */
  expiredKeys: number;
  records: number;
  bytes: BytesByState;
  diskBytes: number;
  segments: SegmentData[];
  /** Number of segments in the middle that are counted but not drawn. */
  omittedSegments: number;
  /** The last sequence number of each step. */
  steps: number[];
  series: { appended: number[]; died: number[]; keys: number[] };
  /** Bytes of sets by the step in which they were written. */
  age: { live: number[]; stale: number[] };
  /** Number of sets by length: 0 bytes, 1, 2 to 3, 4 to 7, and so on. */
  sizes: { keys: number[]; values: number[] };
  clears: number[];
  damage: { segment: number; offset: number; length: number; reason: string }[];
  damages: number;
  /** Whether some records are left out. */
  isSample: boolean;
  recordData: RecordData;
  keyData: KeyData;
  compaction: { inputs: number[]; outputBytes: number; wonBytes: number }[];
}
