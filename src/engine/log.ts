/**
 * The log: the segments that make up a store, and the one that is appended to. The log owns its set of segments and lists
 * it in the manifest (manifest_file.ts). `Log.change` changes both in the one order that survives a crash at any point:
 * first the new file, its bytes and its name in the directory are made durable, then the manifest lists it, and only then
 * are old files removed. Opening may seal the active segment without a new manifest (`Log.sealActive`); the next one,
 * which comes before the next record, says so.
 *
 * A segment is created, listed and active, then sealed, and at last no longer listed: then it is retired as long as
 * somebody may read it, and discarded after that.
 *
 * @module
 */
import { asFsync, asIo, asNamesSync, KvStoreError, syncError } from "../errors.ts";
import { timeBy } from "../expiries.ts";
import { Removals, removeQuietly, writeAll } from "../platform/files.ts";
import { lossOf } from "../platform/lock.ts";
import type { FileHandle, Lock, Platform } from "../platform/types.ts";
import { entryOf, type Manifest, manifestBytes } from "./manifest.ts";
import { type LogContent, ManifestFile, type ReplaceOptions } from "./manifest_file.ts";
import { LAST_SEQUENCE } from "./record.ts";
import { Reserve } from "../platform/reserve.ts";
import { encodeSegmentHeader, type Segment } from "./segment.ts";
import { createSegmentFile } from "./segment_file.ts";

/** Where a log lives. */
export interface LogPlace {
  /** The operating system. */
  platform: Platform;
  /** The store's directory, absolute. */
  directory: string;
  /** The writer lock; `undefined` for readers. */
  lock: Lock | undefined;
  /** For readers: the error for the file of a segment that is gone. A writer's files stay until it removes them. */
  missing?(number: number): KvStoreError;
}

/** A change of the set of segments. */
export interface SegmentChange {
  /** Segments that the manifest lists from now on. They are durable. The change seals all but `active`. */
  add?: Segment[];
  /** Segments that it lists no longer, and that somebody may still read. */
  retire?: Segment[];
  /**
   * The segment that is appended to from now on. If that is another one than before, the one before is sealed, or
   * listed no longer if it holds nothing but marks.
   */
  active: Segment | undefined;
  /** The new history floor, if it is higher. */
  historyFloor?: number;
}

/** What a change of the set of segments replaces as a whole. */
type State = Pick<Log, "segments" | "retired" | "active" | "syncedBytes" | "historyFloor">;

/** The segments of an open store. */
export class Log {
  /** The segments that the manifest lists, by number. */
  readonly segments: ReadonlyMap<number, Segment> = new Map();
  /** Segments that the manifest lists no longer and that somebody may still read, by number. */
  readonly retired: Map<number, Segment> = new Map();
  /** The segment that is appended to, if there is one; for a reader, by the writer. */
  readonly active: Segment | undefined = undefined;
  /** The active segment is durable up to this offset. */
  syncedBytes: number = 0;
  /** Every version written after this sequence number is still in the log. */
  readonly historyFloor: number = 0;
  /** Whether this is the writer's log. */
  readonly isWriter: boolean;
  /** The operating system. */
  readonly platform: Platform;
  /** The store's directory, absolute. */
  readonly directory: string;
  /** Random identity of the store. */
  readonly storeId: Uint8Array;
  /** The manifest on the disk. */
  readonly manifestFile: ManifestFile;
  /** Disk space for steps that free space on a full disk. */
  readonly reserve: Reserve;
  /** Removes files that are no longer needed. The next opening removes those that it could not. */
  readonly removals: Removals;
  /** Why the log has failed: an fsync did, LOCK was lost, or memory ran out. Nothing is written after that. */
  failure: KvStoreError | undefined;
  /** The next record's sequence number. */
  nextSequence: number;
  /**
   * No record whose time is at or below this holds a value: so much had been found to have expired, since the store was
   * opened or, according to the manifest, before. For expiry the clock never counts as earlier than this.
   */
  clockFloor: number;
  /** Whether the next record must go to a new segment, because the last append failed. */
  mustRotate = false;
  /** While a rotation is under way, the segment to go on in. Records get their places in it, but none is written yet. */
  successor: Segment | undefined;
  /** Called when more has become durable, and when the log has failed. */
  onDurable: () => void = () => {};

  readonly #lock: Lock | undefined;
  /**
   * A second descriptor of the active segment. Linux reports a failed write-back once to each descriptor. If the sync
   * of a rotation shared a descriptor with the sync in the background, only one of them would see the error.
   */
  #barrier: FileHandle | undefined;

  /** The log that a manifest describes, with its open segments. The one that is not sealed is active. */
  constructor(place: LogPlace, manifest: Manifest, segments: Iterable<Segment> = []) {
    this.platform = place.platform;
    this.directory = place.directory;
    this.#lock = place.lock;
    this.isWriter = place.lock !== undefined;
    this.reserve = new Reserve(place.platform, place.directory);
    this.removals = new Removals(place.platform);
    this.storeId = manifest.storeId;
    this.manifestFile = new ManifestFile(place, manifest);
    this.nextSequence = manifest.nextSequence;
    this.clockFloor = manifest.clockFloor;
    this.segments = new Map(Array.from(segments, (segment) => [segment.number, segment]));
    this.active = [...this.segments.values()].find(({ sealed }) => !sealed);
    this.syncedBytes = manifest.mark.offset;
    this.historyFloor = manifest.historyFloor;
  }

  /** The segment in which records get their places. */
  get target(): Segment | undefined {
    return this.successor ?? this.active;
  }

  /** The time by which expiry is judged. It is never earlier than the clock floor. */
  now(): number {
    return Math.max(timeBy(this.platform, this.clockFloor), this.clockFloor);
  }

  /** A segment that is listed or retired, or about to be listed. */
  segment(number: number): Segment | undefined {
    const { successor } = this;
    return this.segments.get(number) ?? this.retired.get(number) ??
      (successor?.number === number ? successor : undefined);
  }

  /** The path of a file of the store. */
  path(name: string): string {
    return `${this.directory}/${name}`;
  }

  /** Gets ready to append to the active segment, which was closed cleanly. */
  resume(): void {
    if (this.active !== undefined) this.#barrier = this.#openBarrier(this.active);
  }

  /** Notes that the active segment is durable up to an offset. */
  noteSynced(endBytes: number): void {
    this.syncedBytes = endBytes;
    this.onDurable();
  }

  /** Throws if there are no sequence numbers left to write with. */
  checkSequence(): void {
    if (this.nextSequence <= LAST_SEQUENCE) return;
    throw new KvStoreError("IO", "all sequence numbers are used up: export and import the store");
  }

  /**
   * Records in the manifest whether the store is closed cleanly, unless it says so already. It must stop saying so
   * before the first append. It also records the clock floor: at a clean close, and before the next append if that has
   * been lowered, as what is appended may live by it.
   */
  recordClean(clean: boolean): void {
    const { latest } = this.manifestFile;
    const isFloorRecorded = clean ? latest.clockFloor === this.clockFloor : latest.clockFloor <= this.clockFloor;
    if (latest.clean !== clean || !isFloorRecorded) this.replaceManifest({ clean });
  }

  /**
   * Changes the set of segments: in memory, and in the manifest. If the manifest cannot be replaced, everything is as
   * before. Added segments must already be durable. Segments that it seals are only read from then on. The caller may
   * remove files only after this; if it passes a manifest that was prepared, after `syncNames`.
   */
  change(change: SegmentChange, options: ReplaceOptions = { clean: false }): void {
    const state = this.#after(change);
    this.replaceManifest(options, state);
    this.#enter(state);
  }

  /**
   * Prepares a change of segments without blocking: writes and syncs the manifest that it needs, under a temporary name.
   * Returns `undefined` if the disk is full: then the change does all of it, with the reserve.
   */
  async prepare(change: SegmentChange): Promise<Manifest | undefined> {
    if (this.failure !== undefined) return undefined;
    try {
      return await this.manifestFile.prepare(this.#content(this.#after(change)));
    } catch (error) {
      throw this.failIfFinal(error);
    }
  }

  /** What there is after a change of the set of segments. */
  #after({ add = [], retire = [], active, historyFloor = 0 }: SegmentChange): State {
    const { active: former } = this;
    const segments = new Map(this.segments);
    const retired = new Map(this.retired);
    if (former !== active && former?.isVoid === true) segments.delete(former.number);
    for (const segment of add) segments.set(segment.number, segment);
    for (const segment of retire) {
      segments.delete(segment.number);
      retired.set(segment.number, segment);
    }
    return {
      segments,
      retired,
      active,
      syncedBytes: active === former ? this.syncedBytes : active?.endBytes ?? 0,
      historyFloor: Math.max(this.historyFloor, historyFloor),
    };
  }

  /** Makes a state the present one, and seals all segments but the active one. */
  #enter(state: State): void {
    Object.assign(this, state);
    for (const segment of state.segments.values()) {
      if (segment === state.active || segment.sealed) continue;
      segment.sealed = true;
      this.platform.pool.release(segment.handle);
    }
  }

  /** Begins a rotation: creates the segment to go on in. */
  beginRotation(): void {
    this.successor = this.createSegment();
    this.mustRotate = false;
  }

  /**
   * Ends a rotation, or makes a whole one: syncs the active segment, seals it at its last good record, and goes on in its
   * successor. Blocks while the disk works. If it throws, it can be called again, or the rotation given up.
   */
  rotate(): void {
    if (this.successor === undefined) this.beginRotation();
    const next = this.successor!;
    try {
      this.syncActive();
      asFsync(next.name, () => next.handle.syncDataNow(), this.fail);
      this.syncNamesNow();
      if (this.active !== next) this.continueIn(next);
    } catch (error) {
      // Whoever has the lock now removes files that no manifest lists, such as this one.
      this.checkLock();
      // Once the manifest has its name, it is unknown which one will last.
      throw this.active === next ? this.fail(syncError("the store's directory", error)) : error;
    }
    this.successor = undefined;
  }

  /** Gives up a rotation. No record may have its place in the successor any more. */
  giveUpRotation(): void {
    if (this.successor === undefined) return;
    this.discardNow(this.successor);
    this.successor = undefined;
    this.mustRotate = true;
  }

  /** Goes on in a new segment, which is durable. If it throws, nothing has changed, and it can be called again. */
  continueIn(next: Segment, prepared?: Manifest): void {
    const old = this.active;
    const barrier = this.#openBarrier(next);
    try {
      this.change({ add: [next], active: next }, { clean: false, prepared });
    } catch (error) {
      barrier.close();
      throw error;
    }
    this.#barrier?.close();
    this.#barrier = barrier;
    if (old?.isVoid === true) this.discard(old);
  }

  /**
   * Seals the active segment in memory; if it holds nothing but marks, it goes. The next manifest says so, and no
   * record is written before that.
   */
  sealActive(): void {
    const old = this.active;
    this.#enter(this.#after({ active: undefined }));
    if (old?.isVoid === true) old.handle.close();
  }

  #openBarrier({ name }: Segment): FileHandle {
    return asIo(`open ${name}`, () => this.platform.open(this.path(name), "write"));
  }

  /** Makes the active segment durable, and blocks until it is. */
  syncActive(): void {
    const { active } = this;
    if (active === undefined || this.syncedBytes === active.endBytes) return;
    asFsync(active.name, () => (this.#barrier ?? active.handle).syncDataNow(), this.fail);
    this.noteSynced(active.endBytes);
  }

  /** Makes the names of new files durable, and blocks until they are. */
  syncNamesNow(): void {
    asNamesSync(() => this.platform.syncDirectory(this.directory), this.fail);
  }

  /** Makes the names of all files durable without blocking, also that of a prepared manifest. */
  async syncNames(): Promise<void> {
    const { latest } = this.manifestFile;
    await asFsync("the store's directory", () => this.platform.syncDirectoryLater(this.directory), this.fail);
    this.manifestFile.noteDurable(latest);
  }

  /**
   * Creates the next segment, which the manifest does not list yet. Its header is written; the caller makes it durable,
   * and its name. If it is to replace `inputs`, by their numbers, the caller sees to that once it is filled.
   */
  createSegment(inputs: number[] = []): Segment {
    for (;;) {
      if (this.failure !== undefined) throw this.failure;
      const number = this.manifestFile.takeNumber();
      // The manifest reserves the number durably before the file exists. So a file with a number that is not reserved
      // proves that the manifest is older than the file.
      if (!this.manifestFile.isReserved(number)) this.replaceManifest({ clean: false });
      const [salt] = crypto.getRandomValues(new Uint32Array(1));
      const header = { number, storeId: this.storeId, salt: salt!, inputs };
      const segment = createSegmentFile(this, header);
      if (segment === undefined) continue;
      const { name, handle } = segment;
      try {
        asIo(`write ${name}`, () => writeAll(handle, encodeSegmentHeader(header), 0));
      } catch (error) {
        this.discardNow(segment);
        throw error;
      }
      segment.endBytes = segment.headerBytes;
      return segment;
    }
  }

  /** Keeps a segment that is listed no longer, for those who still read it: up to `endBytes`. */
  retire(segment: Segment, endBytes: number): void {
    segment.endBytes = endBytes;
    segment.sealed = true;
    this.retired.set(segment.number, segment);
  }

  /**
   * Closes the file of a segment that the manifest does not list and that nobody reads. A writer also removes it, in
   * the background. If it cannot be removed, the next open removes it.
   */
  discard(segment: Segment): void {
    this.retired.delete(segment.number);
    segment.handle.close();
    // After a failed sync it is unknown which manifest will last. The next open removes what that one does not list.
    if (this.isWriter && this.failure === undefined) this.removals.add(this.path(segment.name));
  }

  /** Discards a new segment, which no manifest has listed, at once: its space may be needed. */
  discardNow(segment: Segment): void {
    segment.handle.close();
    // If it stays, the next open removes it.
    if (this.failure === undefined) removeQuietly(this.platform, this.path(segment.name));
  }

  /**
   * Fails the log if the lock is lost, since another writer may be at work then. This is called for each group after it
   * is written and before it is acknowledged. A writer that opens the store after that finds the group in the log.
   */
  checkLock(): void {
    const loss = this.#lock && lossOf(this.#lock, this.platform, this.directory);
    if (loss !== undefined) throw this.fail(loss);
  }

  /**
   * Replaces the manifest by one that describes the present state, as `ManifestFile.replace` does. A lost lock fails the
   * log, and so does a failed sync, after which it is unknown which manifest will last.
   */
  replaceManifest(options: ReplaceOptions, state: State = this): void {
    if (this.failure !== undefined) throw this.failure;
    try {
      this.manifestFile.replace(this.#content(state), options);
    } catch (error) {
      // Whoever has the lock now may have removed the temporary file, or the directory is gone.
      this.checkLock();
      throw this.failIfFinal(error);
    }
  }

  /** Makes the reserve as large as this store needs it, if the disk has room. */
  restoreReserve(): void {
    if (this.failure === undefined) this.reserve.restore(manifestBytes(this.segments.size));
  }

  /** The manifest that a clean close would write in the present state. */
  describe(): Manifest {
    return this.manifestFile.next(this.#content(this), true);
  }

  /** What a manifest is to say about a state. */
  #content({ segments, active, syncedBytes, historyFloor }: State): LogContent {
    return {
      nextSequence: this.nextSequence,
      mark: { segment: active?.number ?? 0, offset: active === undefined ? 0 : syncedBytes },
      historyFloor,
      clockFloor: this.clockFloor,
      segments: Array.from(segments.values(), (segment) => entryOf(segment, segment !== active))
        .sort((a, b) => a.number - b.number),
    };
  }

  /** Fails the log. Returns the error of the first failure. */
  readonly fail = (error: KvStoreError): KvStoreError => {
    this.failure ??= error;
    this.onDurable();
    return this.failure;
  };

  /** Fails the log if an error is `FAILED`, whoever throws it. Returns the error that is to be thrown. */
  failIfFinal(error: unknown): unknown {
    return error instanceof KvStoreError && error.code === "FAILED" ? this.fail(error) : error;
  }

  /** Closes every file. */
  closeFiles(): void {
    for (const segment of [...this.segments.values(), ...this.retired.values()]) segment.handle.close();
    this.successor?.handle.close();
    this.#barrier?.close();
  }
}
