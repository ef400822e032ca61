/**
 * The writer: collects records in memory, hands them to the operating system in groups, and tells each caller when its
 * record has the durability that it asked for. One write and one fdatasync serve all calls that came since the last
 * ones (group commit: DeWitt et al., "Implementation Techniques for Main Memory Database Systems", 1984).
 *
 * A record gets its place in the log during the call, so that the index can point at it at once. Until it is written,
 * it is read from the writer's memory by that place.
 *
 * @module
 */
import { ioError, KvStoreError, syncError } from "../errors.ts";
import { isStackOverflow, needStack } from "../kinds.ts";
import { writeAll } from "../platform/files.ts";
import { settled } from "../platform/turn.ts";
import { Waiters } from "../platform/waiters.ts";
import type { Timer } from "../platform/types.ts";
import type { Durability } from "../types.ts";
import type { Log } from "./log.ts";
import {
  FLAG_MORE,
  KIND,
  MARK_BYTES,
  placeSeed,
  readHeader,
  type RecordBuffer,
  RecordHeader,
  stampRecord,
  writeMark,
} from "./record.ts";
import { MAX_SEGMENT_BYTES, type Segment } from "./segment.ts";
import { Tail } from "./tail.ts";

/** If more bytes than this are pending, the call that added the last of them writes. */
const MAX_PENDING_BYTES = 8 * 1024 * 1024;
/** Once this many bytes are written and not synced, a sync begins in the background. */
const BACKGROUND_SYNC_BYTES = 4 * 1024 * 1024;
/**
 * After this time a sync begins anyway. An idle writer then also writes a mark that says how far the log is durable.
 */
const BACKGROUND_SYNC_MS = 1000;

/** Fails a store after a stack overflow. It is made beforehand, as there may be no stack left to make it. */
const CUT_OFF = new KvStoreError("FAILED", "a stack overflow has cut off a write");

/** What the writer tells its owner. */
export interface WriterEvents {
  /** A record got its place, `offset`. `at` is its start in `buffer`. */
  onRecord(buffer: RecordBuffer, at: number, header: RecordHeader, offset: number): void;
  /** A pending record will not be written. The youngest record is rolled back first. */
  onRollback(buffer: RecordBuffer, at: number, header: RecordHeader): void;
  /** All pending records are written. None of them is rolled back any more. */
  onWritten(): void;
  /**
   * A rotation has begun. What this does of it without blocking, the writer need not do in place. Resolves to the error
   * if it has refused the records that wait for it; never rejects.
   */
  onRotation?(): Promise<KvStoreError | undefined>;
  /** A stack overflow has cut off `onRecord`: only the log tells now what counts. Nothing is pending. */
  onCutOff(): void;
}

/** Appends records to a log, in groups. */
export class Writer {
  /** Calls of fdatasync so far. */
  syncs = 0;
  readonly #log: Log;
  readonly #segmentBytes: number;
  readonly #events: WriterEvents;
  readonly #header = new RecordHeader();
  /**
   * Resolves once the rotation that is under way has ended, to the error if it failed. Until then `write` would have to end
   * it in place.
   */
  rotating: Promise<KvStoreError | undefined> = Promise.resolve(undefined);
  /** Records are staged here before `publish`, and wait here to be written. */
  readonly tail: Tail = new Tail();
  readonly #waiters = new Waiters();
  /** The sync that is under way. */
  #syncing: Promise<void> | undefined;
  #isScheduled = false;
  /** Whether the log has failed only because a stack overflow cut off `onRecord`. */
  #isCutOff = false;
  #timer: Timer | undefined;

  /** A writer that appends to `log` and seals segments at `segmentBytes`. */
  constructor(log: Log, segmentBytes: number, events: WriterEvents) {
    this.#log = log;
    this.#segmentBytes = segmentBytes;
    this.#events = events;
    if (log.active !== undefined) log.active.markedBytes = log.syncedBytes;
  }

  /** Bytes of records that are written and not known to be synced. Marks at the end do not count. */
  get unsyncedBytes(): number {
    const { active, syncedBytes } = this.#log;
    return active === undefined ? 0 : Math.max(0, Math.min(active.dataEnd, active.endBytes) - syncedBytes);
  }

  /**
   * Gives the staged records their places, all in one segment, and announces them. Several records take effect together
   * or not at all, also across a crash. If it throws, nothing is staged any more.
   */
  publish(): void {
    try {
      if (this.tail.stagedEnd >= MAX_PENDING_BYTES) needStack();
      this.#makeRoom();
      // Now, so that a turn comes in any case and mends what a stack overflow cuts off. The end of a sync is one, too.
      if (!this.#isScheduled && this.#syncing === undefined) this.#schedule();
    } catch (error) {
      this.tail.dropStaged();
      throw error;
    }
    this.#announce();
    const failure = this.tail.length >= MAX_PENDING_BYTES ? this.write() : undefined;
    if (failure !== undefined) throw failure;
  }

  /** Gives the staged records their places. If that fails halfway, the records that were announced are rolled back. */
  #announce(): void {
    const log = this.#log;
    const target = log.target!;
    const header = this.#header;
    const { bytes, view, length: end } = this.tail;
    let at = end;
    try {
      for (; at < this.tail.stagedEnd; at += header.length) {
        readHeader(view, at, Infinity, header);
        if (at + header.length < this.tail.stagedEnd) bytes[at + 9] = header.flags |= FLAG_MORE;
        const offset = target.endBytes + at;
        header.sequence = log.nextSequence++;
        stampRecord(this.tail, at, { sequence: header.sequence, seed: placeSeed(target.salt, offset) });
        target.cover(header.sequence);
        this.#events.onRecord(this.tail, at, header, offset);
      }
    } catch (error) {
      // First of all, and without a call: if no stack is left, only assignments are certain to succeed.
      log.failure = CUT_OFF;
      this.#isCutOff = true;
      this.tail.stagedEnd = end;
      // If memory ran out, the index has refused the whole record. If the stack ran out, it may have taken half of it.
      if (!isStackOverflow(error)) {
        this.#isCutOff = false;
        log.failure = undefined;
        this.#takeBack(end, at);
      }
      throw error;
    }
    this.tail.length = this.tail.stagedEnd;
    target.dataEnd = target.endBytes + this.tail.length;
  }

  /** Resolves once everything published so far has the durability asked for. */
  reached(durability: Durability): Promise<void> {
    if (this.#log.failure !== undefined) return Promise.reject(this.#log.failure);
    if (durability === "write") {
      if (this.tail.length === 0) return settled();
      if (!this.#isScheduled) this.#schedule();
      return this.#waiters.written();
    }
    if (this.tail.length === 0 && this.unsyncedBytes === 0) return settled();
    // While a sync is under way, the next group forms. It is written when that sync ends, and shares the next sync.
    if (this.#syncing === undefined) this.#schedule();
    // If all records are written, this call does not wait for the next group.
    return this.#waiters.synced(this.tail.length > 0);
  }

  /** Resolves once everything is durable, including marks at the end, for which `reached` does not wait. */
  syncAll(): Promise<void> {
    const { target } = this.#log;
    if (target !== undefined) target.dataEnd = target.endBytes + this.tail.length;
    return this.reached("sync");
  }

  /**
   * Hands all pending records to the operating system. If that fails, it rolls them back, rejects their callers'
   * promises, and returns the error. With `syncs`, the sync that callers wait for begins at once.
   */
  write(syncs: boolean = false): KvStoreError | undefined {
    const log = this.#log;
    this.mend();
    // A failed store writes nothing more, whichever file could not be synced.
    if (log.failure !== undefined) return this.fail(log.failure);
    const failure = log.successor && this.#endRotation(this.tail.tombstoneBytes(0, this.tail.length));
    if (failure !== undefined) return failure;
    const { active } = log;
    let syncing: Promise<void> | undefined;
    if (this.tail.length > 0 && active !== undefined) {
      this.#appendMark();
      try {
        const bytes = this.tail.bytes.subarray(0, this.tail.length);
        const needBytes = this.tail.tombstoneBytes(0, bytes.length);
        // If the disk is full, the reserve makes room and the same bytes are written to the same place.
        log.reserve.lend(needBytes, () => writeAll(active.handle, bytes, active.endBytes));
        // The disk works while the lock is looked at: a tenth of a synced set alone (measured on Deno).
        if (syncs && this.#waiters.wantSync && this.#syncing === undefined) syncing = active.handle.syncData();
        log.checkLock();
      } catch (error) {
        void syncing?.catch((cause) => this.fail(syncError(active.name, cause)));
        if (log.failure !== undefined) return this.fail(log.failure);
        log.mustRotate = true;
        return this.refuse(ioError(`append to ${active.name}`, error));
      }
      active.endBytes += this.tail.length;
      this.tail.dropPublished();
      this.#events.onWritten();
    }
    this.#waiters.onWritten();
    if (syncing !== undefined || this.unsyncedBytes >= BACKGROUND_SYNC_BYTES) this.#sync(syncing);
    this.#startTimer();
    return undefined;
  }

  /**
   * Goes on after a stack overflow has cut off `onRecord`: writes what was published before that call, and has the
   * index built anew. Throws a `RangeError` if there is still too little stack.
   */
  mend(): void {
    if (!this.#isCutOff) return;
    needStack();
    this.#isCutOff = false;
    this.#log.failure = undefined;
    if (this.write()?.code === "FAILED") return;
    try {
      this.#events.onCutOff();
    } catch (cause) {
      this.fail(new KvStoreError("FAILED", "the index could not be built anew; open the store again", { cause }));
    }
  }

  /** Copies a record that is not written yet into `target`. False if it is written. */
  readPending(segment: Segment, offset: number, target: Uint8Array): boolean {
    if (segment !== this.#log.target || offset < segment.endBytes) return false;
    const at = offset - segment.endBytes;
    target.set(this.tail.bytes.subarray(at, at + target.length));
    return true;
  }

  /** Writes and syncs all pending records, and stops all background work. Nothing may be published afterwards. */
  async close(): Promise<void> {
    this.#timer?.stop();
    try {
      this.mend();
      await this.reached("sync");
    } finally {
      await this.rotating;
      await this.#syncing;
      this.#timer?.stop();
    }
  }

  /** Fails the store: rejects the promises of all callers that wait, and rolls back all pending records. */
  fail(error: KvStoreError): KvStoreError {
    const failure = this.#log.fail(error);
    for (const waiter of this.#waiters.take()) waiter.reject(failure);
    return this.refuse(failure);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    settled().then(() => this.#turn());
    // Set last: if a stack overflow cuts this call off earlier, the next call schedules the write.
    this.#isScheduled = true;
  }

  #turn(endsRotation: boolean = false): void {
    this.#isScheduled = false;
    // What a refused call may have left.
    this.tail.dropStaged();
    if (this.#log.successor !== undefined && !endsRotation) return;
    this.write(true);
    if (this.#waiters.areDue) this.#sync();
  }

  /**
   * Begins one fdatasync for all callers that wait for one, or takes over one that has begun since the last write.
   * Records that come meanwhile form the next group.
   */
  #sync(begun?: Promise<void>): void {
    const log = this.#log;
    const active = log.active;
    if (this.#syncing !== undefined || log.successor !== undefined || log.failure !== undefined) return;
    const waiters = this.#waiters.take();
    const end = active?.endBytes ?? 0;
    if (active === undefined || this.unsyncedBytes === 0) return waiters.forEach((waiter) => waiter.resolve());
    this.syncs++;
    this.#syncing = (begun ?? active.handle.syncData()).then(
      () => {
        if (log.active === active && end > log.syncedBytes) log.noteSynced(end);
        for (const waiter of waiters) waiter.resolve();
      },
      (error) => {
        this.fail(syncError(active.name, error));
        for (const waiter of waiters) waiter.reject(log.failure!);
      },
    ).then(() => {
      this.#syncing = undefined;
      if (this.#waiters.wantSync || this.#waiters.areDue || this.#isCutOff) this.#turn();
    });
  }

  /** Ends the group with a durable mark, if more is durable than the last mark says. */
  #appendMark(): void {
    const { active, syncedBytes, mustRotate, successor } = this.#log;
    const { length: at, stagedEnd } = this.tail;
    if (active === undefined || mustRotate || successor !== undefined || syncedBytes <= active.markedBytes) return;
    // A mark would take the place of records that are staged for the next segment.
    if (stagedEnd > at) return;
    if (active.endBytes + at + MARK_BYTES > MAX_SEGMENT_BYTES) return;
    this.tail.reserve(at + MARK_BYTES);
    writeMark(this.tail.view, at, { segment: active.number, offset: syncedBytes });
    const sequence = this.#log.nextSequence++;
    stampRecord(this.tail, at, { sequence, seed: placeSeed(active.salt, active.endBytes + at) });
    active.cover(sequence);
    active.markBytes += MARK_BYTES;
    this.tail.stagedEnd = this.tail.length += MARK_BYTES;
    active.markedBytes = syncedBytes;
  }

  /** Rolls back all pending records, and rejects their callers' promises with the error. */
  refuse(error: KvStoreError): KvStoreError {
    this.#takeBack(0, this.tail.length);
    this.tail.dropPublished();
    this.#log.giveUpRotation();
    this.#waiters.reject(error);
    return error;
  }

  /** Rolls back the records between two places in the tail, youngest first. Fails the store if it cannot. */
  #takeBack(from: number, to: number): void {
    try {
      const starts = this.tail.starts(from, to);
      for (const at of starts.reverse()) {
        readHeader(this.tail.view, at, Infinity, this.#header);
        if (this.#header.kind === KIND.mark) this.#log.target!.drop(this.#header);
        else this.#events.onRollback(this.tail, at, this.#header);
      }
    } catch (cause) {
      // Memory ran out. The index does not match the log any more, and compaction must not rely on it.
      this.#log.fail(new KvStoreError("FAILED", "a write could not be taken back; open the store again", { cause }));
    }
  }

  /** Makes sure that there is a segment that takes the staged records. */
  #makeRoom(): void {
    const log = this.#log;
    if (log.failure !== undefined) throw log.failure;
    log.checkSequence();
    if (!this.#fits()) {
      needStack();
      this.rotate(this.tail.tombstoneBytes(this.tail.length, this.tail.stagedEnd));
    } else if (this.tail.length === 0) {
      log.reserve.lend(this.tail.tombstoneBytes(0, this.tail.stagedEnd), () => log.recordClean(false));
    }
  }

  /** Whether the staged records fit into the active segment: within its size, or as the first records in it. */
  #fits(): boolean {
    const { target, mustRotate, reserve } = this.#log;
    if (target === undefined || mustRotate) return false;
    const { length, stagedEnd } = this.tail;
    return stagedEnd <= reserve.roomIn(target, this.#segmentBytes) || target.endBytes + length === target.headerBytes;
  }

  /**
   * Writes all pending records, and begins a rotation: from now on records get their places in a new segment, and are
   * written once it is listed. If the disk is full, it uses the reserve, provided that this covers `needBytes`; for a
   * compaction that is 0. Throws if it cannot write, or cannot begin the segment.
   */
  rotate(needBytes: number = 0): void {
    const log = this.#log;
    // The first one comes in place, as there is nothing to sync, and where the volume fills up: there calls may fail, and
    // each is to fail by itself.
    const isInPlace = log.active === undefined || log.reserve.isTight(this.#segmentBytes);
    const failure = this.write() ?? (isInPlace ? this.#endRotation(needBytes) : undefined);
    if (failure !== undefined) throw failure;
    if (isInPlace) return;
    log.reserve.lend(needBytes, () => log.beginRotation());
    this.rotating = Promise.allSettled([this.rotating, this.#syncing]).then(() => this.#events.onRotation?.());
    this.rotating.then(() => this.#turn(true));
  }

  /** Ends a rotation in place, or makes a whole one. If that fails, rolls back all pending records; returns the error. */
  #endRotation(needBytes: number): KvStoreError | undefined {
    const log = this.#log;
    try {
      log.reserve.lend(needBytes, () => log.rotate());
      return undefined;
    } catch (error) {
      return log.failure === undefined ? this.refuse(error as KvStoreError) : this.fail(log.failure);
    }
  }

  #startTimer(): void {
    if (this.#timer !== undefined || this.#log.failure !== undefined) return;
    const { active, syncedBytes, mustRotate } = this.#log;
    const isMarked = mustRotate || active === undefined || syncedBytes <= active.markedBytes;
    if (this.unsyncedBytes === 0 && isMarked) return;
    this.#timer = this.#log.platform.startTimer(BACKGROUND_SYNC_MS, () => {
      this.#timer = undefined;
      this.#idle();
    });
  }

  /** Runs a while after a write: syncs what no caller waits for, or writes a mark if everything is synced. */
  #idle(): void {
    if (this.#log.failure !== undefined) return;
    if (this.unsyncedBytes > 0) this.#sync();
    else if (this.tail.length === 0 && this.#syncing === undefined) this.#appendMark();
    this.#turn();
  }
}
