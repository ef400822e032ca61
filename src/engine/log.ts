/**
 * The log: the segments that make up a store, the one that is being appended to, and the manifest that says so.
 * Whatever changes the set of segments happens here, in the one order that survives a crash at any point: new file, its
 * bytes, its name in the directory, manifest; only then is the old forgotten.
 *
 * @module
 */
import { asIo, asSync, corrupt, ioError, KvStoreError } from "../errors.ts";
import { writeAll } from "../platform/files.ts";
import type { FileHandle, Lock, Platform } from "../platform/types.ts";
import { type Manifest, manifestBytes, type Mark, missingFile, writeManifest } from "./manifest.ts";
import { MAX_SEQUENCE } from "./record.ts";
import { Reserve } from "../platform/reserve.ts";
import { encodeSegmentHeader, Segment, segmentName } from "./segment.ts";

/** Segment numbers reserved ahead with each manifest, so that creating a file rarely costs a manifest of its own. */
const SPARE_NUMBERS = 8;

/** Segment numbers are 32-bit fields, and the manifest names the one behind the last. */
const MAX_SEGMENT_NUMBER = 2 ** 32 - 1 - 2 * SPARE_NUMBERS;

/** Room for a batch and for what an open after a crash skips is kept below the highest number. */
const LAST_SEQUENCE = MAX_SEQUENCE - 2 ** 33;

/** Where a log lives. */
export interface LogPlace {
  /** The operating system. */
  platform: Platform;
  /** The store's directory, absolute. */
  directory: string;
  /** The writer lock; `undefined` for readers. */
  lock: Lock | undefined;
}

/** The segments of an open store. */
export class Log {
  /** The operating system. */
  readonly platform: Platform;
  /** The store's directory, absolute. */
  readonly directory: string;
  /** Random identity of the store. */
  readonly storeId: Uint8Array;
  /** Room for what frees space on a full disk. */
  readonly reserve: Reserve;
  /** The segments that the manifest lists, by number. */
  readonly segments: Map<number, Segment> = new Map();
  /** Segments that compaction replaced and somebody may still read, by number. */
  readonly retired: Map<number, Segment> = new Map();
  /** The segment that is appended to, if there is one. */
  active: Segment | undefined;
  /** The active segment is durable up to this offset. */
  syncedBytes = 0;
  /** Set once an fsync failed: nothing is written any more. */
  failure: KvStoreError | undefined;
  /** The next record's sequence number. */
  nextSequence: number;
  /** Every version written after this sequence number is still in the log. */
  historyFloor: number;
  /**
   * For judging expiry, the clock never counts as earlier than this: the latest time at which anything was found to have
   * expired, here or, as far as the manifest says, before.
   */
  clockFloor: number;
  /** Whether the next append needs a segment of its own, as the last one failed. */
  mustRotate = false;
  /** Counts the manifest's replacements. */
  generation: number;
  /** Hears when more has become durable, and when nothing will any more. */
  onDurable: () => void = () => {};

  readonly #lock: Lock | undefined;
  /**
   * A second descriptor of the active segment. Linux reports a failed write-back once to each descriptor: were the sync
   * of a rotation and one in the background to share one, the error could reach the one while the other goes on.
   */
  #barrier: FileHandle | undefined;
  #removals: Promise<void> = Promise.resolve();
  #nextSegment: number;
  #reservedBelow: number;
  #recordedFloor: number;
  #clean: boolean;

  /** The log that a manifest describes; `adopt` gives it its segments. */
  constructor(place: LogPlace, manifest: Manifest) {
    this.platform = place.platform;
    this.directory = place.directory;
    this.#lock = place.lock;
    this.reserve = new Reserve(place.platform, place.directory);
    this.storeId = manifest.storeId;
    this.generation = manifest.generation;
    this.nextSequence = manifest.nextSequence;
    this.historyFloor = manifest.historyFloor;
    this.clockFloor = manifest.clockFloor;
    this.#recordedFloor = manifest.clockFloor;
    this.#nextSegment = manifest.nextSegment;
    this.#reservedBelow = manifest.nextSegment;
    this.#clean = manifest.clean;
  }

  /** Whether this is the writer's log. */
  get isWriter(): boolean {
    return this.#lock !== undefined;
  }

  /** Whether the manifest on the disk says that the store is closed cleanly, and knows the clock floor. */
  get isClean(): boolean {
    return this.#clean && this.#recordedFloor === this.clockFloor;
  }

  /** The time that expiry is judged by: it never goes back behind the clock floor. */
  now(): number {
    return Math.max(this.platform.now(), this.clockFloor);
  }

  /** A segment that is listed or retired. */
  segment(number: number): Segment | undefined {
    return this.segments.get(number) ?? this.retired.get(number);
  }

  /** The segments, oldest records first. */
  inOrder(): Segment[] {
    return [...this.segments.values()].sort((a, b) => a.lowestSequence - b.lowestSequence || a.number - b.number);
  }

  /** The path of a file of the store. */
  path(name: string): string {
    return `${this.directory}/${name}`;
  }

  /** The error for a segment's file that is gone. A writer's are there until it removes them itself. */
  missing(number: number): KvStoreError {
    return this.isWriter
      ? corrupt(segmentName(number), 0, "the file is missing")
      : missingFile(this.platform, this.directory, number);
  }

  /** Takes so many numbers as reserved: the manifest on the disk says so already. */
  assumeReserved(count: number): void {
    this.#reservedBelow += count;
  }

  /** Takes over an open segment that the manifest lists. */
  adopt(segment: Segment): void {
    this.segments.set(segment.number, segment);
  }

  /** Goes on appending to a segment that was closed cleanly, or has just been written by recovery. */
  resume(segment: Segment): void {
    this.active = segment;
    this.syncedBytes = segment.endBytes;
    this.#barrier = asIo(`open ${segment.name}`, () => this.platform.open(this.path(segment.name), "write"));
  }

  /** Where the log is known to be durable. */
  get mark(): Mark {
    return { segment: this.active?.number ?? 0, offset: this.active === undefined ? 0 : this.syncedBytes };
  }

  /** Up to where a segment that is listed or retired is known to be durable. */
  durableEnd({ sealed, endBytes }: Segment): number {
    return sealed ? endBytes : this.syncedBytes;
  }

  /** Takes note that the active segment is durable up to an offset. */
  synced(endBytes: number): void {
    this.syncedBytes = endBytes;
    this.onDurable();
  }

  /**
   * Whether so many bytes may go behind the pending ones in the active segment: within the limit, or as the first thing
   * in it.
   */
  fits(pendingBytes: number, lengthBytes: number, limitBytes: number): boolean {
    const active = this.active;
    if (active === undefined || this.mustRotate) return false;
    const end = active.endBytes + pendingBytes;
    return end + lengthBytes <= limitBytes || end === active.headerBytes;
  }

  /** Throws if there are no sequence numbers left to write with. */
  checkSequence(): void {
    if (this.nextSequence <= LAST_SEQUENCE) return;
    throw new KvStoreError("IO", "all sequence numbers are used up: export and import the store");
  }

  /** Says in the manifest, before the first append after an open, that the end recorded there holds no longer. */
  begin(): void {
    if (this.#clean) this.replaceManifest({ clean: false });
  }

  /** Seals the active segment at its last good record, syncs it, and starts a new one. */
  rotate(): void {
    const old = this.active;
    if (old !== undefined) this.syncActive();
    const next = this.createSegment([]);
    if (old !== undefined) old.sealed = true;
    const isOldVoid = old?.isVoid === true;
    if (old !== undefined && isOldVoid) this.segments.delete(old.number);
    const syncedBytes = this.syncedBytes;
    this.segments.set(next.number, next);
    this.active = next;
    this.syncedBytes = next.endBytes;
    let barrier: FileHandle | undefined;
    try {
      barrier = asIo(`open ${next.name}`, () => this.platform.open(this.path(next.name), "write"));
      this.replaceManifest({ clean: false });
    } catch (error) {
      barrier?.close();
      this.segments.delete(next.number);
      this.active = old;
      this.syncedBytes = syncedBytes;
      if (old !== undefined) {
        old.sealed = false;
        this.segments.set(old.number, old);
      }
      this.giveUp(next);
      throw error;
    }
    this.mustRotate = false;
    this.#barrier?.close();
    this.#barrier = barrier;
    if (old === undefined) return;
    if (isOldVoid) this.discard(old);
    else this.platform.pool.release(old.handle);
  }

  /** Waits until the active segment is durable. */
  syncActive(): void {
    const active = this.active;
    if (active === undefined || this.syncedBytes === active.endBytes) return;
    try {
      asSync(active.name, () => (this.#barrier ?? active.handle).syncDataNow());
    } catch (error) {
      throw this.fail(error as KvStoreError);
    }
    this.synced(active.endBytes);
  }

  /**
   * Creates the next segment: when this returns, the file, its header and its name are durable; the manifest does not
   * list it yet.
   */
  createSegment(inputs: number[]): Segment {
    const segment = this.beginSegment(inputs);
    try {
      asSync(segment.name, () => segment.handle.syncDataNow());
      this.syncNames();
      return segment;
    } catch (error) {
      this.giveUp(segment);
      throw (error as KvStoreError).code === "FAILED" ? this.fail(error as KvStoreError) : error;
    }
  }

  /** Makes the names of all files durable. */
  syncNames(): void {
    asSync("the store's directory", () => this.platform.syncDirectory(this.directory));
  }

  /** Creates the next segment as `createSegment` does, but leaves it to the caller to make file and name durable. */
  beginSegment(inputs: number[]): Segment {
    if (this.failure !== undefined) throw this.failure;
    const { pool } = this.platform;
    for (;;) {
      const number = this.#reserveNumber();
      const path = this.path(segmentName(number));
      const header = { number, storeId: this.storeId, salt: crypto.getRandomValues(new Uint32Array(1))[0]!, inputs };
      let handle: FileHandle;
      try {
        handle = pool.keep(this.platform.open(path, "create"), path, () => this.missing(number));
      } catch (error) {
        if (this.platform.isAlreadyThere(error)) continue;
        throw ioError(`create ${segmentName(number)}`, error);
      }
      const segment = new Segment(header, handle, { endBytes: 0, sealed: false });
      try {
        asIo(`write ${segment.name}`, () => writeAll(handle, encodeSegmentHeader(header), 0));
        segment.endBytes = segment.headerBytes;
        return segment;
      } catch (error) {
        this.giveUp(segment);
        throw error;
      }
    }
  }

  /**
   * Gives up a segment that no manifest lists any more: closes and removes the file. What cannot be removed now, the
   * next open removes.
   */
  discard(segment: Segment): void {
    segment.handle.close();
    // After a failed sync nobody knows which manifest lasts: opening removes what that one does not list.
    if (this.failure !== undefined) return;
    this.removeLater(segment.name);
  }

  /** Gives up a new segment that no manifest has listed: at once, as its room may be what is missing. */
  giveUp(segment: Segment): void {
    segment.handle.close();
    if (this.failure !== undefined) return;
    try {
      this.platform.remove(this.path(segment.name));
    } catch {
      // The next open removes it.
    }
  }

  /** Removes a file that means nothing any more, in the background. If it stays, opening removes it. */
  removeLater(name: string): void {
    const removal = this.platform.removeLater(this.path(name)).catch(() => {});
    this.#removals = this.#removals.then(() => removal);
  }

  /** Resolves once the files given up so far are gone. */
  async removals(): Promise<void> {
    await this.#removals;
  }

  /**
   * Fails the log if LOCK is not the file any more that was locked: somebody removed it, and another writer may be
   * there. Asked before each change of the manifest, and for each group between its writing and its acknowledgement:
   * whoever opens the store after this look finds the group and takes it over.
   */
  checkLock(): void {
    if (asIo("look at LOCK", () => this.#lock?.isCurrent()) !== false) return;
    const reason = this.#isDirectoryGone()
      ? `the directory ${this.directory} was removed while the store was open`
      : `the LOCK file in ${this.directory} was replaced: another writer may be there`;
    throw this.fail(new KvStoreError("FAILED", reason));
  }

  #isDirectoryGone(): boolean {
    try {
      this.platform.list(this.directory);
      return false;
    } catch (error) {
      return this.platform.isNotFound(error);
    }
  }

  /** Replaces the manifest by one that describes the present state, durably. */
  replaceManifest(options: { clean: boolean }): void {
    if (this.failure !== undefined) throw this.failure;
    this.checkLock();
    // Numbers that were reserved and not used are free again once the store is closed.
    const ahead = Math.max(this.#reservedBelow, this.#nextSegment + SPARE_NUMBERS);
    const reservedBelow = options.clean ? this.#nextSegment : ahead;
    try {
      writeManifest(this.platform, this.directory, { ...this.describe(), ...options, nextSegment: reservedBelow });
    } catch (error) {
      throw (error as KvStoreError).code === "FAILED" ? this.fail(error as KvStoreError) : error;
    }
    this.generation++;
    this.#reservedBelow = reservedBelow;
    this.#recordedFloor = this.clockFloor;
    this.#clean = options.clean;
  }

  /** Makes the reserve as large as it is to be, if there is room. */
  restoreReserve(): void {
    if (this.failure === undefined) this.reserve.restore(manifestBytes(this.segments.size));
  }

  /** The manifest's content for the present state. */
  describe(): Manifest {
    const segments = [...this.segments.values()].sort((a, b) => a.number - b.number);
    return {
      storeId: this.storeId,
      generation: this.generation + 1,
      clean: this.#clean,
      nextSegment: this.#nextSegment,
      nextSequence: this.nextSequence,
      mark: this.mark,
      historyFloor: this.historyFloor,
      clockFloor: this.clockFloor,
      segments: segments.map((segment) => ({
        number: segment.number,
        salt: segment.salt,
        sealedBytes: segment.sealed ? segment.endBytes : 0,
        lowestSequence: segment.sealed ? segment.lowestSequence : Infinity,
        highestSequence: segment.sealed ? segment.highestSequence : 0,
        cleanAsOf: segment.cleanAsOf,
      })),
    };
  }

  /** Notes that an fsync failed; the first failure stays. */
  fail(error: KvStoreError): KvStoreError {
    this.failure ??= error;
    this.onDurable();
    return this.failure;
  }

  /** Closes every file. */
  closeFiles(): void {
    for (const segment of [...this.segments.values(), ...this.retired.values()]) segment.handle.close();
    this.#barrier?.close();
  }

  #reserveNumber(): number {
    const number = this.#nextSegment++;
    if (number > MAX_SEGMENT_NUMBER) {
      throw new KvStoreError("IO", "all segment numbers are used up: export and import the store");
    }
    // The number is durable in the manifest before a file of that name exists: a file that has a number from beyond it
    // proves an older manifest.
    if (number >= this.#reservedBelow) this.replaceManifest({ clean: false });
    return number;
  }
}
