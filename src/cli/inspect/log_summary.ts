/**
 * What a page is given to draw: plain data, that goes into it as JSON. Bytes and times have their unit in the name where
 * it is not bytes or steps.
 *
 * @module
 */

/** Bytes by what they are worth. */
export interface BytesByState {
  live: number;
  /** Superseded sets. */
  stale: number;
  tombstone: number;
  /** Newest sets of their keys whose time has come. */
  expired: number;
  damaged: number;
  /** Durable marks. */
  mark: number;
  /** Behind the end of the records. */
  unused: number;
}

/** A log too large to be shown record by record: stretches of equal length. */
export interface CellData {
  cellBytes: number;
  count: number;
  /** For each cell five shares of its length in 255ths, base64: sets, tombstones, marks, expired, damaged. */
  shares: string;
  /** For each cell and step, how much of the sets' share had been superseded by its end, in 255ths of a cell, base64. */
  died: string;
  /** For each cell when its first and last record were written, in 256ths of a step; two bytes each, base64. */
  times: string;
  /** Records that begin in each cell. */
  records: number[];
}

/** A segment. */
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

/** Records that are shown one by one, field by field, in the order of segments and offsets. */
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
  /** Times of expiry, in milliseconds since 1970, by position. */
  expiries: [record: number, expiresAtMs: number][];
  /** Beginnings of values, by position, if they are to be shown. */
  values: [record: number, text: string][];
}

/** Keys, ready to be shown. */
export interface KeyData {
  /** Escaped as in `kvstore list`, shortened. */
  text: string[];
  bytes: number[];
  /** Versions in the log that are not among the records, by position. */
  omitted: [key: number, versions: number][];
}

/** Everything. */
export interface LogSummary {
  directory: string;
  /** When it was made, in milliseconds since 1970. */
  madeMs: number;
  version: string;
  isClean: boolean;
  isManifestDamaged: boolean;
  hasValues: boolean;
  keys: number;
  /** Keys that would be there, had they not expired. */
  expiredKeys: number;
  records: number;
  bytes: BytesByState;
  diskBytes: number;
  segments: SegmentData[];
  /** Segments in the middle that are counted and not drawn. */
  omittedSegments: number;
  /** The last sequence number of each step. */
  steps: number[];
  series: { appended: number[]; died: number[]; keys: number[] };
  /** Bytes of sets by the step in which they were written. */
  age: { live: number[]; stale: number[] };
  /** Numbers of sets by their bytes: 0, 1, 2 to 3, 4 to 7, … */
  sizes: { keys: number[]; values: number[] };
  clears: number[];
  damage: { segment: number; offset: number; length: number; reason: string }[];
  damages: number;
  /** Whether the records below are a sample. */
  isSample: boolean;
  recordData: RecordData;
  keyData: KeyData;
  compaction: { inputs: number[]; outputBytes: number; wonBytes: number }[];
}
