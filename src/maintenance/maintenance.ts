/**
 * Maintenance of an open store: compaction and images of the index, one at a time, as each relies on the segments that
 * the other would change.
 *
 * @module
 */
import { compactTombstones } from "../audit/audit.ts";
import { AUDITED, nextToAudit, nextToAuditOfAll } from "../audit/selection.ts";
import { noteCurrent } from "../engine/droppable.ts";
import { compactGroup } from "../engine/compactor.ts";
import { isDiskFull, KvStoreError } from "../errors.ts";
import { isError } from "../kinds.ts";
import { MARK_BYTES } from "../engine/record.ts";
import { type Segment, SEGMENT_HEADER_BYTES } from "../engine/segment.ts";
import { nextTurn } from "../platform/turn.ts";
import type { Timer } from "../platform/types.ts";
import type { Stats, WorkOptions } from "../types.ts";
import { ImageIndex } from "../lazy_index/image_index.ts";
import { isDue, writeImage } from "../image/image_file.ts";
import type { OpenStore } from "../store/open_store.ts";
import type { Settings } from "../store/options.ts";
import { statsOf } from "./stats.ts";
import { nextOfAll, nextOfStale, nextToMerge, oldestFirst, smallestFirst } from "./groups.ts";

const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 60_000;

/** How often compaction looks for something to do while as much expires as it must be able to win. */
const WAKES = 4;

/** When a store is opened, small segments are merged into segments of at most this size. */
const MERGED_BYTES = 1024 * 1024;
/** Opening merges until so many bytes have been read, which takes some milliseconds. */
const MAX_MERGED_BYTES = 4 * 1024 * 1024;
/** A file takes as long as so many bytes, however small it is. */
const FILE_BYTES = 4096;

/** What it costs to end a segment and copy it. */
const MIN_WON_BYTES = 2 * SEGMENT_HEADER_BYTES + MARK_BYTES;

/** Called at each pause with the bytes read since the last one. Throws to end the work. */
type OnPause = (scannedBytes: number) => void;

/** A call that waits for a full compaction. */
interface Caller {
  options: WorkOptions;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** Runs compaction and writes images for one store. */
export class Maintenance {
  readonly #engine: OpenStore;
  readonly #settings: Settings;
  #queue: Promise<unknown> = Promise.resolve();
  #isConsidering = false;
  #isStopped = false;
  /** Whether compaction has met a full disk: then it begins with what takes the least room. */
  #isTight = false;
  /** Callers of the full compaction that has not begun yet: they share it. */
  #waiting: Caller[] | undefined;
  #compactions = 0;
  #lastError: Error | undefined;
  #retryMs = FIRST_RETRY_MS;
  #delay: Timer | undefined;

  /** Nothing runs before `consider` or `compact` is called. */
  constructor(store: OpenStore, settings: Settings) {
    this.#engine = store;
    this.#settings = settings;
  }

  /** Runs `work` when no other maintenance does. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {});
    return result;
  }

  /** Looks, soon, whether there is something to compact, or an image to write. */
  consider(): void {
    if (this.#isConsidering || this.#isStopped || this.#delay !== undefined) return;
    this.#isConsidering = true;
    this.exclusively(async () => {
      this.#isConsidering = false;
      await nextTurn();
      await this.#runAutomatically();
    });
  }

  /** Looks as `consider` does, but not before so many milliseconds have passed. */
  considerAfter(delayMs: number): void {
    // What was queued while another try ran may fail after it, and ask again.
    this.#delay?.stop();
    this.#delay = this.#engine.log.platform.startTimer(delayMs, () => {
      this.#delay = undefined;
      this.consider();
    });
  }

  /**
   * Merges small segments, a few megabytes at most, before the store is used. Every unclean end leaves one, and a process
   * that always ends soon never gets to merge them in the background.
   */
  async mergeSmall(): Promise<void> {
    const { auto } = this.#settings.compaction;
    const next = () => auto ? nextToMerge(this.#segments(), Math.min(this.#segmentBytes(), MERGED_BYTES)) : undefined;
    await this.exclusively(async () => {
      try {
        let bytes = 0;
        for (let inputs = next(); inputs !== undefined && bytes < MAX_MERGED_BYTES; inputs = next()) {
          bytes += inputs.reduce((sum, { endBytes }) => sum + Math.max(endBytes, FILE_BYTES), 0);
          await this.#compactGroup(inputs);
        }
      } catch (error) {
        // Merging can wait: the store is as good as before.
        this.#report(error);
      }
    });
  }

  /** Compacts everything. Callers that come before it begins share it. */
  compact(options: WorkOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const caller = { options: { ...options }, resolve, reject };
      if (this.#waiting !== undefined) return void this.#waiting.push(caller);
      const callers = this.#waiting = [caller];
      this.exclusively(async () => {
        this.#waiting = undefined;
        await this.#compactAll(callers);
      });
    });
  }

  /** Ends what is running and waits for it. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#delay?.stop();
    await this.#queue;
  }

  /**
   * Writes an image of the index if enough has changed. An image is derived: that it cannot be written is no failure of
   * the store.
   */
  async writeImage(): Promise<void> {
    const store = this.#engine;
    const { changes, index } = store;
    if (store.log.failure !== undefined) return;
    try {
      const isMended = index instanceof ImageIndex && index.isMended;
      // To make the order of the keys anew takes longer than a replay.
      const isLast = store.isClosed && !store.ordering.wouldBeLost(index);
      if (!isMended && !isDue(changes, index.size, isLast) && !store.ordering.isDue(index)) return;
      if (!await writeImage(store)) return;
      store.changes -= changes;
      if (isMended) index.isMended = false;
    } catch (error) {
      this.#report(error);
    }
  }

  /** Figures of the store, by what has expired until now. */
  stats(): Stats {
    return statsOf(this.#engine, { compactions: this.#compactions, lastError: this.#lastError });
  }

  async #runAutomatically(): Promise<void> {
    const store = this.#engine;
    const { log } = store;
    const { compaction } = this.#settings;
    try {
      // A program that only writes needs this too: what has expired would take memory until something is read.
      store.expire();
      let hasMore = compaction.auto;
      while (hasMore && !this.#isStopped && log.failure === undefined) hasMore = await this.#compactNext();
      this.#isTight = false;
      await log.removals.ended();
      log.restoreReserve();
      this.#lastError = undefined;
      this.#retryMs = FIRST_RETRY_MS;
      // It looks again before as much has expired as compaction wants, but not at every key. In a store that has failed
      // it has read no tables, so what is due in those would wake it again and again.
      if (compaction.auto && log.failure === undefined) {
        store.wakeAtBytes = store.index.expired.bytes + Math.max(1, compaction.minStaleBytes / WAKES);
      }
    } catch (error) {
      if (this.#isStopped) return;
      this.#report(error);
      this.considerAfter(this.#retryMs);
      this.#retryMs = Math.min(2 * this.#retryMs, LAST_RETRY_MS);
    }
    if (!this.#isStopped) await this.writeImage();
  }

  /** Does the next step of automatic compaction. False if there is none, or if it won nothing. */
  async #compactNext(): Promise<boolean> {
    const { compaction } = this.#settings;
    const segmentBytes = this.#segmentBytes();
    const all = this.#segments();
    // Where segments are smaller than the options say, there is less to win before the volume is full.
    const minStaleBytes = compaction.minStaleBytes * segmentBytes / this.#settings.segmentBytes;
    const thresholds = { ...compaction, minStaleBytes, segmentBytes };
    const inputs = this.#isTight
      ? nextOfStale(smallestFirst(all, [...all]), { ...thresholds, segmentBytes: 0 })
      : nextOfStale(all, thresholds) ?? nextToMerge(all, segmentBytes);
    if (inputs !== undefined) {
      await this.#compactGroup(inputs);
      return true;
    }
    const audited = nextToAudit(all, thresholds);
    if (audited === undefined) return false;
    // At least half of what it would win if no tombstone were needed.
    const leastShare = compaction.staleRatio / 2;
    const onPause = () => this.#throwIfOver();
    const groups = await compactTombstones(this.#engine, audited, { segmentBytes, leastShare, onPause });
    this.#compactions += groups;
    return groups > 0;
  }

  /**
   * Compacts a group. False if that met a full disk for the first time: there may be room for a smaller output. From then
   * on no group is begun before the files of the last one are gone.
   */
  async #compactGroup(inputs: Segment[], onPause: OnPause = () => this.#throwIfOver()): Promise<boolean> {
    const { log } = this.#engine;
    if (this.#isTight) await log.removals.ended();
    try {
      const output = await compactGroup(this.#engine, inputs, { onPause });
      if (output !== undefined && inputs.every((input) => AUDITED.has(input))) AUDITED.add(output);
      this.#compactions++;
      return true;
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      const wasTight = this.#isTight;
      this.#isTight = true;
      // The space of the unfinished copy, some of which may be the reserve's.
      await log.removals.ended();
      log.restoreReserve();
      if (wasTight) throw error;
      return false;
    }
  }

  /** Size of a new segment now, which gets smaller as the volume fills up. */
  #segmentBytes(): number {
    return this.#engine.log.reserve.segmentLimit(this.#settings.segmentBytes);
  }

  /** The segments, oldest records first, with their accounts brought up to date. */
  #segments(): Segment[] {
    const { log } = this.#engine;
    this.#engine.expire();
    this.#engine.countExpired();
    noteCurrent(log.segments.values(), log.nextSequence - 1);
    return oldestFirst(log.segments.values());
  }

  async #compactAll(callers: Caller[]): Promise<void> {
    const { log, writer } = this.#engine;
    try {
      const work = { doneBytes: 0, totalBytes: 0 };
      const onPause = (scannedBytes: number) => {
        this.#throwIfOver();
        work.doneBytes = Math.min(work.doneBytes + scannedBytes, work.totalBytes);
        askCallers(callers, work);
      };
      onPause(0);
      writer!.write();
      await writer!.reached("sync");
      onPause(0);
      // The active segment takes part only if that gives more back than the headers of its copy and of its successor
      // take.
      this.#engine.expire();
      this.#engine.countExpired();
      const { staleBytes = 0, tombstoneBytes = 0, graveBytes = 0 } = log.active ?? {};
      const wonBytes = staleBytes + tombstoneBytes + graveBytes;
      if (wonBytes > MIN_WON_BYTES) await this.#rotate();
      await nextTurn();
      const candidates = oldestFirst(log.segments.values()).filter((segment) => segment.isCompactable);
      work.totalBytes = candidates.reduce((total, segment) => total + segment.endBytes, 0);
      const next = () => {
        const all = this.#segments();
        return this.#isTight
          ? nextOfAll(all, smallestFirst(all, candidates), 0)
          : nextOfAll(all, candidates, this.#segmentBytes());
      };
      let damage: KvStoreError | undefined;
      for (let inputs = next(); inputs !== undefined; inputs = next()) {
        try {
          if (!await this.#compactGroup(inputs, onPause)) candidates.push(...inputs);
        } catch (error) {
          if (!(error instanceof KvStoreError) || error.code !== "CORRUPT") throw error;
          // The damaged segment stays as it is. The others are compacted.
          damage ??= error;
          candidates.unshift(...inputs.filter((input) => input.isCompactable));
        }
      }
      if (damage === undefined) await this.#compactTombstones(onPause);
      onPause(work.totalBytes);
      writer!.write();
      await writer!.reached("sync");
      this.#isTight = false;
      await log.removals.ended();
      log.restoreReserve();
      if (damage !== undefined) throw damage;
      this.#lastError = undefined;
      if (!this.#isStopped) await this.writeImage();
      for (const caller of callers) caller.resolve();
    } catch (error) {
      for (const caller of callers) caller.reject(error);
    }
  }

  /** Seals the active segment. */
  async #rotate(): Promise<void> {
    const writer = this.#engine.writer!;
    const { rotating } = writer;
    writer.rotate();
    // In place there is nothing to wait for.
    const failure = writer.rotating === rotating ? undefined : await writer.rotating;
    if (failure !== undefined) throw failure;
  }

  /** Removes the tombstones that hide nothing any more, once everything else has been rewritten. */
  async #compactTombstones(onPause: OnPause): Promise<void> {
    for (const segment of this.#engine.log.segments.values()) AUDITED.delete(segment);
    const next = () => nextToAuditOfAll(this.#segments());
    for (let inputs = next(); inputs !== undefined; inputs = next()) {
      const options = { segmentBytes: this.#segmentBytes(), leastShare: 0, onPause };
      this.#compactions += await compactTombstones(this.#engine, inputs, options);
    }
  }

  /** Ends compaction once the store is closed or has failed. */
  #throwIfOver(): void {
    if (this.#isStopped) throw new KvStoreError("CLOSED", "the store was closed during compaction");
    this.#engine.writer?.mend();
    if (this.#engine.log.failure !== undefined) throw this.#engine.log.failure;
  }

  #report(error: unknown): void {
    this.#lastError = isError(error) ? error : new Error(String(error));
    try {
      this.#settings.onError?.(this.#lastError);
    } catch {
      // No call waits for maintenance that could throw the callback's exception.
    }
  }
}

/** Reports progress to the callers. One that aborts, or whose callback throws, is rejected; with the last one the work ends. */
function askCallers(callers: Caller[], progress: { doneBytes: number; totalBytes: number }): void {
  for (const caller of [...callers]) {
    try {
      caller.options.signal?.throwIfAborted();
      caller.options.onProgress?.({ ...progress });
    } catch (error) {
      callers.splice(callers.indexOf(caller), 1);
      caller.reject(error);
      if (callers.length === 0) throw error;
    }
  }
}
