/**
 * The tail: the end of the log, which is still in memory. The records of a call are staged, and then published
 * together. Published records wait to be written.
 *
 * @module
 */
import { setUint53 } from "../bytes.ts";
import { encodeUtf8 } from "../platform/text.ts";
import type { KeyBytes } from "./index.ts";
import {
  FLAG_EXPIRES,
  keyStartOf,
  KIND,
  type Kind,
  MAX_VALUE_BYTES,
  readHeader,
  RECORD_HEADER_BYTES,
  type RecordBuffer,
  recordBuffer,
  RecordHeader,
  writeHeader,
} from "./record.ts";

const FIRST_BYTES = 64 * 1024;
/** Once written, a tail that is larger than this is replaced by a small one, to free its memory. */
const KEPT_BYTES = 16 * 1024 * 1024;

/** Records in memory, one after the other. */
export class Tail implements RecordBuffer {
  bytes: Uint8Array;
  view: DataView;
  /** Bytes of published records. */
  length = 0;
  /** End of the staged records, which follow the published ones. */
  stagedEnd = 0;

  /** An empty tail. */
  constructor() {
    ({ bytes: this.bytes, view: this.view } = recordBuffer(FIRST_BYTES));
  }

  /**
   * Stages a record after those staged before; `expiresAt` is 0 if it never expires. Throws a `RangeError` if the value
   * is too large.
   */
  stage(kind: Kind, flags: number, key: KeyBytes, value: Uint8Array | string, expiresAt: number = 0): void {
    const at = this.stagedEnd;
    if (expiresAt > 0) flags |= FLAG_EXPIRES;
    const keyStart = at + keyStartOf(flags);
    const valueStart = keyStart + key.length;
    this.reserve(valueStart + (typeof value === "string" ? 3 * value.length : value.length));
    const { bytes, view } = this;
    for (let i = 0; i < key.length; i++) bytes[keyStart + i] = key.bytes[key.start + i]!;
    let valueLength = value.length;
    if (typeof value === "string") valueLength = encodeUtf8(value, bytes, valueStart);
    else bytes.set(value, valueStart);
    if (valueLength > MAX_VALUE_BYTES) {
      throw new RangeError(`a value may have ${MAX_VALUE_BYTES} bytes once encoded; this one has ${valueLength}`);
    }
    writeHeader(view, at, { kind, flags, keyLength: key.length, valueLength });
    if (expiresAt > 0) setUint53(view, at + RECORD_HEADER_BYTES, expiresAt);
    this.stagedEnd = valueStart + valueLength;
  }

  /** Removes the staged records. This needs no memory, which may have run out. */
  dropStaged(): void {
    this.stagedEnd = this.length;
  }

  /** Makes room for `bytes` bytes in all. */
  reserve(bytes: number): void {
    if (bytes <= this.bytes.length) return;
    this.#moveTo(recordBuffer(Math.max(bytes, 2 * this.bytes.length)));
  }

  /** Removes the published records. Those that are staged are the first ones then. */
  dropPublished(): void {
    const { bytes, length, stagedEnd } = this;
    bytes.copyWithin(0, length, stagedEnd);
    this.length = 0;
    this.stagedEnd = stagedEnd - length;
    if (bytes.length > KEPT_BYTES && stagedEnd === length) this.#moveTo(recordBuffer(FIRST_BYTES));
  }

  /** Moves the records to another buffer. Until they are there, nothing has changed. */
  #moveTo({ bytes, view }: RecordBuffer): void {
    bytes.set(this.bytes.subarray(0, this.stagedEnd));
    this.bytes = bytes;
    this.view = view;
  }

  /**
   * How many bytes of the reserve the records between two offsets may use if the disk is full: `Infinity`, so none, if
   * one is a set. A clear is always possible: it is so small that it leaves MANIFEST the room that it needs.
   */
  tombstoneBytes(from: number, to: number): number {
    const header = new RecordHeader();
    let bytes = 0;
    for (let at = from; at < to; at += header.length) {
      readHeader(this.view, at, Infinity, header);
      if (header.kind === KIND.set) return Infinity;
      if (header.kind !== KIND.clear) bytes += header.length;
    }
    return bytes;
  }

  /** Where the records start that lie between two offsets. */
  starts(from: number, to: number): number[] {
    const starts: number[] = [];
    const header = new RecordHeader();
    for (let at = from; at < to; at += header.length) {
      starts.push(at);
      readHeader(this.view, at, Infinity, header);
    }
    return starts;
  }
}
