/**
 * The parts of an open store, put together: every change goes to the log and to the index in one step, and can be taken
 * back in one step if the log does not take it.
 *
 * @module
 */
import { corrupt, ioError, KvStoreError } from "../errors.ts";
import { formOf, Index, type KeyBytes, lengthOf, type Place } from "./index.ts";
import { isStackOverflow } from "../kinds.ts";
import { BlockCache } from "../cache/block_cache.ts";
import type { Log } from "./log.ts";
import {
  expiryOf,
  FLAG_STRING_KEY,
  GRAVE_BYTES,
  headerIsIntact,
  KIND,
  placeSeed,
  readHeader,
  type RecordBuffer,
  recordBuffer,
  RecordHeader,
  valueIsIntact,
  valueTypeOf,
} from "./record.ts";
import type { Segment } from "./segment.ts";
import { Writer, type WriterEvents } from "./writer.ts";
import { readInto } from "../platform/files.ts";
import type { Value } from "../types.ts";
import { EncodedKey } from "./keys.ts";
import type { Opened } from "./open.ts";
import type { Settings } from "../store/options.ts";
import { Ordering } from "../order/ordering.ts";
import { decodeValue } from "../store/values.ts";
import { type View, Views } from "../views/views.ts";
import { Watches } from "../watch/watches.ts";

/** Records up to this size are read into a buffer that is used again. */
const SCRATCH_BYTES = 64 * 1024;

/** Log, index and views of an open store. */
export class Core implements WriterEvents {
  /** The log; a reader's is replaced when it takes in a newer one. */
  log: Log;
  /** The index, now and as open views see it. */
  readonly views: Views;
  /** Makes the order of the keys for those who ask for ranges. */
  readonly ordering: Ordering;
  /** Who watches. */
  readonly watches: Watches;
  /** Appends to the log; readers have none. */
  readonly writer: Writer | undefined;
  /** Set once the store is closed or closing: no call is taken any more. */
  isClosed = false;
  /** Encodes keys for one call at a time. */
  readonly key: EncodedKey = new EncodedKey();
  /** Index entries changed since the last image. */
  changes: number;
  /** Whenever this changes, an image being written no longer fits. */
  epoch = 0;
  /** Once so many bytes have expired, compaction may have something to do. */
  wakeAtBytes: number = Infinity;
  /** For readers: the index has everything up to this sequence number. */
  sequence: number;
  /** For readers: a refresh ended halfway, and the index has a part of what the log has. */
  isTorn = false;
  readonly #onNews: () => void;
  readonly #header = new RecordHeader();
  readonly #scratch: RecordBuffer = recordBuffer(SCRATCH_BYTES);
  #cache: BlockCache;
  /** Per pending record the place that it replaced: four numbers, as one object each would cost more. */
  #undo: number[] = [];
  /** Per pending clear the whole index that it replaced. */
  #cleared: Index[] = [];
  #last: Segment | undefined;

  /** Puts together what opening found. `onNews` hears when a new segment is begun, or much has expired. */
  constructor(
    opened: Opened,
    { segmentBytes, cacheBytes }: Pick<Settings, "segmentBytes" | "cacheBytes">,
    onNews: () => void,
  ) {
    this.log = opened.log;
    this.views = new Views(opened.index);
    this.ordering = new Ordering(opened.log.platform);
    this.changes = opened.replayed;
    this.sequence = opened.sequence;
    this.writer = this.log.isWriter ? new Writer(this.log, segmentBytes, this) : undefined;
    this.#cache = new BlockCache(cacheBytes);
    this.#onNews = onNews;
    this.watches = new Watches(segmentBytes);
    this.log.onDurable = () => this.watches.wake();
    this.#last = this.log.active;
  }

  /** The present index. */
  get index(): Index {
    return this.views.current;
  }

  /** Throws `CLOSED` once the store is closed. */
  check(): void {
    if (this.isClosed) throw new KvStoreError("CLOSED", "the store is closed");
  }

  /**
   * Lets go of what has expired by now: asked at the beginning of every call that reads the present. As long as nothing
   * can expire it is one comparison.
   */
  expire(): void {
    const { index, log } = this;
    if (index.nextExpiry === Infinity) return;
    const now = log.now();
    if (now < index.nextExpiry || now === index.now) return;
    // Whatever the clock says later, and be it an hour less: what has expired once does not come back.
    log.clockFloor = now;
    index.expire(now);
    if (index.expiredBytes < this.wakeAtBytes) return;
    this.wakeAtBytes = Infinity;
    this.#onNews();
  }

  /** Fixes the present: a view of it. */
  openView(): View {
    this.expire();
    return this.views.open(this.log.nextSequence, this.log.clockFloor);
  }

  /** Tells each segment how many of its bytes have expired, for whoever is about to ask it. */
  countExpired(): void {
    for (const segment of this.log.segments.values()) countExpired(segment, this.index);
  }

  /** Throws unless the store can be written to. */
  writable(): Writer {
    this.check();
    if (this.writer === undefined) throw new KvStoreError("READ_ONLY", "the store was opened read-only");
    if (this.log.failure !== undefined) throw this.log.failure;
    this.index.loadAll();
    // What a call that was cut off left there would be written with the next one.
    this.writer.tail.stagedEnd = this.writer.tail.length;
    return this.writer;
  }

  /** Points the index at a record that just got its place. If there is no memory for it, nothing has changed. */
  onRecord(buffer: RecordBuffer, at: number, header: RecordHeader, offset: number): void {
    const active = this.log.active!;
    if (active !== this.#last) {
      this.#last = active;
      this.#onNews();
    }
    if (header.kind === KIND.clear) this.#clear();
    else this.#point(buffer, at, header, offset);
    this.changes++;
    if (header.kind === KIND.set) active.liveBytes += header.length;
    else active.coverTombstone(header.sequence, header.length);
  }

  /** Takes a record back that will not be written: everything is as before it. */
  onRollback(buffer: RecordBuffer, at: number, header: RecordHeader): void {
    const active = this.log.active!;
    this.epoch++;
    if (header.kind !== KIND.set) active.tombstoneBytes -= header.length;
    if (header.kind === KIND.clear) {
      this.views.restore(this.#cleared.pop()!);
      this.#recount();
    } else {
      const [segment, offset, form, expiresAt] = this.#undo.splice(-4) as [number, number, number, number];
      this.index.put(keyIn(buffer, at, header), segment, offset, form, expiresAt);
      if (header.kind === KIND.set) active.liveBytes -= header.length;
      this.#discharge(segment, -lengthOf(form));
    }
    this.views.rolledBack(header.sequence);
  }

  /** What is written is not taken back any more. */
  onWritten(): void {
    this.#undo = [];
    this.#cleared = [];
  }

  /** Replaces the index by one that was read anew (a reader's): open views keep the old one. */
  replaceIndex(index: Index): void {
    this.views.replace(index);
  }

  /** Closes all files. Nothing is read any more. */
  closeFiles(): void {
    this.ordering.stop();
    this.log.closeFiles();
    this.#cache = new BlockCache(0);
  }

  /** Closes a view, and gives back the segments that were kept for it. */
  release(view: View): void {
    this.views.close(view);
    this.sweep();
  }

  /** Gives back retired segments that no view and no watch needs. Files are removed by their writer alone. */
  sweep(): void {
    // An index that is behind its log may point into any of them.
    if (this.isTorn) return;
    this.watches.limit(this.log);
    for (const segment of this.log.retired.values()) {
      if (segment.retiredAt >= this.views.oldest) continue;
      if (this.watches.needs(this.log, segment)) continue;
      this.log.retired.delete(segment.number);
      if (this.log.isWriter) this.log.discard(segment);
      else segment.handle.close();
    }
  }

  /** Where a key's record is, for a view or now; `undefined` if there is none, or if it has expired. */
  find(view: View | undefined): Place | undefined {
    const { bytes, start, length } = this.key;
    if (view !== undefined) return this.views.find(view, this.key);
    const { index } = this;
    return index.find(bytes, start, length) && !index.isExpired ? index : undefined;
  }

  /** Whether the key that is encoded now has a record that counts: also one that has expired. */
  isListed(): boolean {
    const { bytes, start, length } = this.key;
    return this.index.find(bytes, start, length);
  }

  /** The present value of the key that is encoded now; `undefined` if it has none. */
  get(): Value | undefined {
    const { index, key } = this;
    const { bytes, start, length } = key;
    if (this.#cache.isOn) {
      if (!index.guess(bytes, start, length)) return undefined;
      const source = index.isExpired ? undefined : this.log.segment(index.segment);
      if (source !== undefined && this.#cache.has(source, index.offset, index.length)) {
        try {
          const value = this.#valueAt(index, key);
          if (value !== undefined) return value;
        } catch {
          // It may be the record of another key.
        }
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
    if (this.#cache.load(source, offset, length)) {
      try {
        return this.#decode(this.#cache, source, place, key);
      } catch {
        // It may be that one reading, or memory, that is bad, and not the file.
        this.#cache.drop(source, offset, length);
      }
    }
    return this.#decode(this.#fetch(source, offset, length), source, place, key);
  }

  /** Checks a record and decodes its value; `undefined` if it is another key's. */
  #decode(buffer: RecordBuffer, source: Segment, { offset, length }: Place, key: KeyBytes): Value | undefined {
    const at = buffer === this.#cache ? this.#cache.at : 0;
    const header = this.#header;
    const seed = placeSeed(source.salt, offset);
    const bad = (reason: string) => corrupt(source.name, offset, reason);
    const isRecord = readHeader(buffer.view, at, length, header) && header.length === length &&
      header.kind === KIND.set;
    if (!isRecord || !headerIsIntact(buffer, at, header, seed)) throw bad("checksum of a record's header and key");
    if (!isSame(buffer.bytes, at + header.keyStart, header.keyLength, key)) return undefined;
    if (!valueIsIntact(buffer, at, header, seed)) throw bad("checksum of a value");
    const value = buffer.bytes.subarray(at + header.keyStart + header.keyLength, at + length);
    try {
      return decodeValue(valueTypeOf(header.flags), value);
    } catch (error) {
      // The caller's code has left no stack: no fault of the record.
      if (isStackOverflow(error)) throw error;
      throw bad(`a value that does not decode: ${String(error)}`);
    }
  }

  /** A record that the cache does not take: from what is pending, or from the file. */
  #fetch(source: Segment, offset: number, length: number): RecordBuffer {
    const buffer = length <= SCRATCH_BYTES ? this.#scratch : recordBuffer(length);
    const target = buffer.bytes.subarray(0, length);
    if (this.writer?.readPending(source, offset, target) === true) return buffer;
    try {
      if (readInto(source.handle, target, offset) === length) return buffer;
    } catch (error) {
      throw ioError(`read ${source.name} at byte ${offset}`, error);
    }
    throw corrupt(source.name, offset, `the file ends within a record of ${length} bytes`);
  }

  #point(buffer: RecordBuffer, at: number, header: RecordHeader, offset: number): void {
    const { index, views } = this;
    const key = keyIn(buffer, at, header);
    if (views.oldest < Infinity) {
      index.find(key.bytes, key.start, key.length);
      views.remember(key, index);
    }
    const form = formOf(header.length, (header.flags & FLAG_STRING_KEY) !== 0);
    const expiresAt = header.kind === KIND.set ? expiryOf(buffer.view, at, header.flags) : 0;
    if (header.kind === KIND.set) index.put(key, this.log.active!.number, offset, form, expiresAt);
    else index.remove(key);
    this.#discharge(index.segment, index.length);
    this.#undo.push(index.segment, index.offset, formOf(index.length, index.isString), index.expiresAt);
  }

  #clear(): void {
    this.epoch++;
    const cleared = this.views.replace(new Index());
    for (const segment of this.log.segments.values()) segment.liveBytes = 0;
    this.#cleared.push(cleared);
  }

  /** Counts live bytes from the index: after a clear was taken back, which is rare enough to be simple. */
  #recount(): void {
    for (const segment of this.log.segments.values()) segment.liveBytes = 0;
    for (const [segment, bytes] of this.index.liveBytes()) this.#discharge(segment, -bytes);
  }

  #discharge(number: number, bytes: number): void {
    const segment = number === 0 ? undefined : this.log.segment(number);
    if (segment !== undefined) segment.liveBytes -= bytes;
  }
}

/** Notes in a segment what an index knows to have expired in it. */
export function countExpired(segment: Segment, index: Index): void {
  const { count, bytes, keyBytes } = index.expiredIn(segment.number);
  segment.expiredBytes = bytes;
  segment.graveBytes = count * GRAVE_BYTES + keyBytes;
}

function keyIn({ bytes }: RecordBuffer, at: number, header: RecordHeader): KeyBytes {
  return { bytes, start: at + header.keyStart, length: header.keyLength };
}

function isSame(bytes: Uint8Array, start: number, length: number, key: KeyBytes): boolean {
  if (length !== key.length) return false;
  let i = 0;
  while (i < length && bytes[start + i] === key.bytes[key.start + i]) i++;
  return i === length;
}
