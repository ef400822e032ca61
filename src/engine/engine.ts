/**
 * The parts of an open store, put together: every change goes to the log and to the index in one step, and can be taken
 * back in one step if the log does not take it.
 *
 * @module
 */
import { sameRange } from "../bytes.ts";
import { corrupt, ioError, KvStoreError } from "../errors.ts";
import { Index, type KeyBytes, type Place, type ReadIndex, type TypedKey } from "./index.ts";
import { formOf, lengthOf } from "./partition.ts";
import { isStackOverflow } from "../kinds.ts";
import type { Log } from "./log.ts";
import {
  expiryOf,
  FLAG_STRING_KEY,
  flagsOf,
  headerIsIntact,
  KIND,
  placeSeed,
  readHeader,
  type RecordBuffer,
  recordBuffer,
  RecordHeader,
  recordIsIntact,
  valueTypeOf,
} from "./record.ts";
import type { Segment } from "./segment.ts";
import { Writer, type WriterEvents } from "./writer.ts";
import { readInto } from "../platform/files.ts";
import type { Value } from "../types.ts";
import type { EngineParts, PlaceObserver } from "./interfaces.ts";
import type { Opened } from "./open.ts";

/** Records up to this size are read into a buffer that is used again. */
const SCRATCH_BYTES = 64 * 1024;
/** Longer records are read only once it is known that they are of the right key. */
const MAX_GUESSED_BYTES = 4096;

/** One buffer serves all stores: a record is decoded before the call that reads it returns. */
const SCRATCH = recordBuffer(SCRATCH_BYTES);

const NO_KEY = { bytes: new Uint8Array(0), start: 0, length: 0 };

/**
 * Log and index of an open store, which change together. A read is `checkOpen`, `expire`, `get`. A write is
 * `beginWrite`, `stageSet` or `stageDelete` (once or, for a batch, several times), `Writer.publish`.
 */
export class Engine implements WriterEvents {
  /** The log; a reader's is replaced when it takes in a newer one. */
  log: Log;
  /** Where the latest record of each key is. A clear replaces it. */
  index: ReadIndex;
  /** Appends to the log; readers have none. */
  readonly writer: Writer | undefined;
  /** Set once the store is closed or closing: no call is taken any more. */
  isClosed = false;
  /** How many changes of index entries the image of the index does not cover. */
  changes: number;
  /** Changes when entries of the index are put back, or all of it is replaced. Copies of entries are invalid then. */
  epoch = 0;
  /** When this many bytes have expired, maintenance is told: there may be something to compact. */
  wakeAtBytes: number = Infinity;
  /** Hears of places before they change. */
  readonly observer: PlaceObserver;
  readonly #parts: EngineParts;
  readonly #header = new RecordHeader();
  /** Per pending record the place that it replaced: four numbers, as one object each would cost more. */
  #undo: number[] = [];
  /** The index, for changes. Whatever stages a record sets it. */
  #changeable!: Index;
  /** For each pending clear, the index that it replaced and the live bytes of the segments. */
  #cleared: { index: Index; liveBytes: Map<Segment, number> }[] = [];
  /** The segment that the last group was written to. */
  #last: Segment | undefined;

  /** Puts together what opening found. */
  constructor(opened: Opened, parts: EngineParts) {
    this.log = opened.log;
    this.index = opened.index;
    this.changes = opened.replayed;
    this.writer = this.log.isWriter ? new Writer(this.log, parts.segmentBytes, this) : undefined;
    this.observer = parts.observer;
    this.#parts = parts;
    this.#last = this.log.active;
  }

  /** Throws `CLOSED` once the store is closed. */
  checkOpen(): void {
    if (this.isClosed) throw new KvStoreError("CLOSED", "the store is closed");
    if (this.log.failure !== undefined) this.writer?.mend();
  }

  /**
   * Takes what has expired by now off the index. Every call that reads the present state begins with it. While nothing
   * can expire, it costs one comparison.
   */
  expire(): void {
    const { index, log } = this;
    const { expired } = index;
    if (expired.next === Infinity) return;
    const now = log.now();
    if (now < expired.next || now === expired.now) return;
    // What has expired once never comes back, even if the clock is set back later.
    log.clockFloor = now;
    index.expire(now);
    // Of tables that have not been read it is unknown how much has expired in them: maintenance reads them.
    const { wakeAtBytes } = this;
    if (wakeAtBytes === Infinity || (expired.bytes < wakeAtBytes && expired.next > now)) return;
    this.wakeAtBytes = Infinity;
    this.#parts.wakeMaintenance();
  }

  /** The writer. Throws unless the store can be written to. */
  writable(): Writer {
    this.checkOpen();
    if (this.writer === undefined) throw new KvStoreError("READ_ONLY", "the store was opened read-only");
    if (this.log.failure !== undefined) throw this.log.failure;
    return this.writer;
  }

  /** Begins a call that changes the store, and stages nothing yet. Throws as `writable` does. */
  beginWrite(): Writer {
    const writer = this.writable();
    // A call that was refused halfway may have left records, which would be written with this call.
    writer.tail.stagedEnd = writer.tail.length;
    return writer;
  }

  /** Lays out a set in the tail; `expiresAt` is 0 if the key never expires. Nobody sees it before `Writer.publish`. */
  stageSet(key: TypedKey, value: { type: number; data: Uint8Array | string }, expiresAt: number): void {
    this.#changeable = this.index.changeable(key);
    this.writer!.tail.stage(KIND.set, flagsOf(key.isString, value.type), key, value.data, expiresAt);
  }

  /** Lays out a delete, as `stageSet` does a set. */
  stageDelete(key: TypedKey): void {
    this.#changeable = this.index.changeable(key);
    this.writer!.tail.stage(KIND.delete, flagsOf(key.isString, 0), key, "");
  }

  /** Lays out a clear, which has no key. */
  stageClear(): void {
    this.#changeable = this.index.changeable();
    this.writer!.tail.stage(KIND.clear, 0, NO_KEY, "");
  }

  /** Points the index at a record that just got its place. If there is no memory for it, nothing has changed. */
  onRecord(buffer: RecordBuffer, at: number, header: RecordHeader, offset: number): void {
    const target = this.log.target!;
    if (header.kind === KIND.clear) this.#clear();
    else this.#point(buffer, at, header, offset);
    this.changes++;
    target.add(header);
  }

  /** Takes a record back that will not be written: everything is as before it. */
  onRollback(buffer: RecordBuffer, at: number, header: RecordHeader): void {
    const target = this.log.target!;
    this.epoch++;
    target.drop(header);
    if (header.kind === KIND.clear) {
      const { index, liveBytes } = this.#cleared.pop()!;
      this.index = this.#changeable = index;
      this.observer.onReplaced(index);
      for (const [segment, bytes] of liveBytes) segment.liveBytes = bytes;
    } else {
      const [segment, offset, form, expiresAt] = this.#undo.splice(-4) as [number, number, number, number];
      this.#changeable.put(keyIn(buffer, at, header), segment, offset, form, expiresAt);
      this.#subtractLive(segment, -lengthOf(form));
    }
    this.observer.onRollback(header.sequence);
  }

  /** What is written is not taken back any more. The first group in a segment comes after the one before was sealed. */
  onWritten(): void {
    this.#undo = [];
    this.#cleared = [];
    if (this.log.active === this.#last) return;
    this.#last = this.log.active;
    this.#parts.wakeMaintenance();
  }

  /** Replaces the index, which was left halfway through a change, by one that is built anew from the log. */
  onCutOff(): void {
    this.onWritten();
    this.index.changeable();
    this.replaceIndex(this.#parts.rebuildIndex(this.log));
  }

  /** Replaces the index by one that was read anew. */
  replaceIndex(index: ReadIndex): void {
    this.epoch++;
    this.observer.beforeReplacement(index);
    this.index = index;
  }

  /** Removes segments that compaction has replaced. `OpenStore` keeps them as long as a view or a watch needs them. */
  retire(segments: Segment[]): void {
    for (const segment of segments) this.log.discard(segment);
  }

  /** Closes all files. Nothing is read any more. */
  closeFiles(): void {
    this.index.close();
    this.log.closeFiles();
    this.#parts.cache.close();
  }

  /** Where the record of a key is; `undefined` if there is none, or if it has expired. */
  find(key: KeyBytes): Place | undefined {
    return this.isListed(key) && !this.index.isExpired ? this.index : undefined;
  }

  /** Whether a key has a record that counts, which may have expired. */
  isListed({ bytes, start, length }: KeyBytes): boolean {
    return this.index.find(bytes, start, length);
  }

  /** The present value of a key; `undefined` if it has none. */
  get(key: KeyBytes): Value | undefined {
    const { index } = this;
    const { bytes, start, length } = key;
    if (!index.guess(bytes, start, length)) return undefined;
    if (index.segment !== 0 && !index.isExpired && index.length <= MAX_GUESSED_BYTES) {
      const { segment, offset } = index;
      try {
        const value = this.#valueAt(index, key);
        if (value !== undefined) return value;
      } catch (error) {
        // What is wrong with the record of another key is no error of this one.
        if (index.find(bytes, start, length) && index.segment === segment && index.offset === offset) throw error;
      }
    }
    return index.find(bytes, start, length) && !index.isExpired ? this.read(index, key) : undefined;
  }

  /** Reads the value of a key from its place, and checks all of it. */
  read(place: Place, key: KeyBytes): Value {
    const value = this.#valueAt(place, key);
    if (value !== undefined) return value;
    throw corrupt(this.log.segment(place.segment)!.name, place.offset, "the record of another key");
  }

  /** Reads and checks a value; `undefined` if the place is that of another key. */
  #valueAt(place: Place, key: KeyBytes): Value | undefined {
    const { segment, offset, length } = place;
    const source = this.log.segment(segment);
    if (source === undefined) throw new KvStoreError("CLOSED", "the segment that this record was in has been given up");
    const { cache } = this.#parts;
    if (cache.load(source, offset, length)) {
      try {
        return this.#decode(cache, cache.at, source, place, key);
      } catch {
        // It may be that one reading, or memory, that is bad, and not the file.
        cache.drop(source, offset, length);
      }
    }
    // A long value is given away where it is read. Like all others, it starts at a multiple of 8.
    const at = -key.length & 7;
    return this.#decode(this.#fetch(source, offset, length, at), at, source, place, key);
  }

  /** Checks a record and decodes its value; `undefined` if it is another key's. */
  #decode(buffer: RecordBuffer, at: number, source: Segment, place: Place, key: KeyBytes): Value | undefined {
    const { offset, length } = place;
    const header = this.#header;
    const seed = placeSeed(source.salt, offset);
    const bad = (reason: string) => corrupt(source.name, offset, reason);
    const isSet = readHeader(buffer.view, at, length, header) && header.length === length && header.kind === KIND.set;
    const isIntact = isSet && recordIsIntact(buffer, at, header, seed);
    if (!isIntact && !(isSet && headerIsIntact(buffer, at, header, seed))) {
      throw bad("checksum of a record's header and key");
    }
    const keyStart = at + header.keyStart;
    const { bytes, start, length: keyLength } = key;
    const isOfKey = header.keyLength === keyLength && sameRange(buffer.bytes, keyStart, bytes, start, keyLength);
    if (!isOfKey) return undefined;
    if (!isIntact) throw bad("checksum of a value");
    try {
      const isOwn = header.valueLength > SCRATCH_BYTES;
      return this.#parts.decode(valueTypeOf(header.flags), buffer.bytes, keyStart + keyLength, at + length, isOwn);
    } catch (error) {
      // The caller's code has left no stack: no fault of the record.
      if (isStackOverflow(error)) throw error;
      throw bad(`a value that does not decode: ${String(error)}`);
    }
  }

  /**
   * Reads a record that the cache does not take to byte `at` of a buffer: from what is pending, or from the file. A record
   * whose value is longer than `SCRATCH_BYTES` gets a buffer of its own.
   */
  #fetch(source: Segment, offset: number, length: number, at: number): RecordBuffer {
    const buffer = at + length <= SCRATCH_BYTES ? SCRATCH : recordBuffer(at + length);
    const target = buffer.bytes.subarray(at, at + length);
    if (this.writer?.readPending(source, offset, target) === true) return buffer;
    try {
      if (readInto(source.handle, target, offset) === length) return buffer;
    } catch (error) {
      throw ioError(`read ${source.name} at byte ${offset}`, error);
    }
    throw corrupt(source.name, offset, `the file ends within a record of ${length} bytes`);
  }

  #point(buffer: RecordBuffer, at: number, header: RecordHeader, offset: number): void {
    const index = this.#changeable;
    const key = keyIn(buffer, at, header);
    if (this.observer.isInterested) {
      index.find(key.bytes, key.start, key.length);
      this.observer.beforeChange(key, index);
    }
    const form = formOf(header.length, (header.flags & FLAG_STRING_KEY) !== 0);
    const expiresAt = header.kind === KIND.set ? expiryOf(buffer.view, at, header.flags) : 0;
    if (header.kind === KIND.set) index.put(key, this.log.target!.number, offset, form, expiresAt);
    else index.remove(key);
    this.#subtractLive(index.segment, index.length);
    this.#undo.push(index.segment, index.offset, formOf(index.length, index.isString), index.expiresAt);
  }

  #clear(): void {
    const segments = new Set(this.log.segments.values()).add(this.log.target!);
    const liveBytes = new Map(Array.from(segments, (segment) => [segment, segment.liveBytes]));
    this.#cleared.push({ index: this.#changeable, liveBytes });
    this.replaceIndex(this.#changeable = new Index());
    for (const segment of segments) segment.liveBytes = 0;
  }

  #subtractLive(number: number, bytes: number): void {
    const segment = number === 0 ? undefined : this.log.segment(number);
    if (segment !== undefined) segment.liveBytes -= bytes;
  }
}

function keyIn({ bytes }: RecordBuffer, at: number, header: RecordHeader): KeyBytes {
  return { bytes, start: at + header.keyStart, length: header.keyLength };
}
