/**
 * An open store: the engine, and the features that depend on its state.
 *
 * @module
 */
import { BlockCache } from "../cache/block_cache.ts";
import { Engine } from "../engine/engine.ts";
import type { KeyBytes, ReadIndex } from "../engine/index.ts";
import type { Opened } from "../engine/open.ts";
import type { RecordBuffer, RecordHeader } from "../engine/record.ts";
import type { Segment } from "../engine/segment.ts";
import type { KvStoreError } from "../errors.ts";
import { Follower } from "../follow/follower.ts";
import { ImageIndex } from "../lazy_index/image_index.ts";
import { needStack } from "../kinds.ts";
import { rebuildIndex } from "../lazy_index/open_index.ts";
import { Ordering } from "../ordering/ordering.ts";
import { rotate } from "../rotation/rotation.ts";
import type { Extent } from "../platform/types.ts";
import { type View, Views } from "../views/views.ts";
import { Watches } from "../watch/watches.ts";
import { EncodedKey } from "./keys.ts";
import type { Settings } from "./options.ts";
import { Lookahead } from "../lookahead/records.ts";
import type { SegmentHolder } from "./segment_holder.ts";
import { decodeValue } from "./values.ts";

/** The engine with views, watches, and the order of the keys. */
export class OpenStore extends Engine {
  /** Encodes keys for one call at a time. */
  readonly key: EncodedKey = new EncodedKey();
  /** The views of open snapshots and iterators. */
  readonly views: Views;
  /** The open watches. */
  readonly watches: Watches;
  /** In a reader: how far it has followed the writer. */
  readonly follower: Follower;
  /** Puts keys in order for ranges. */
  readonly ordering: Ordering;
  readonly #cache: BlockCache;
  readonly #lookahead = new Lookahead();
  readonly #holders: SegmentHolder[];

  /** Combines what opening found with the features. Calls `wakeMaintenance` if there may be something to compact. */
  constructor(
    opened: Opened,
    { segmentBytes, cacheBytes }: Pick<Settings, "segmentBytes" | "cacheBytes">,
    wakeMaintenance: () => void,
  ) {
    const views = new Views(opened.index);
    const watches = new Watches(segmentBytes);
    const follower = new Follower(opened.sequence);
    const cache = new BlockCache(cacheBytes);
    super(opened, {
      segmentBytes,
      cache,
      observer: views,
      decode: decodeValue,
      rebuildIndex: (log) => rebuildIndex(log).index,
      wakeMaintenance,
    });
    this.#cache = cache;
    this.views = views;
    this.watches = watches;
    this.follower = follower;
    this.#holders = [follower, views, watches];
    this.ordering = new Ordering(this.log.platform, opened.index);
    this.log.onDurable = () => watches.wake();
  }

  /**
   * Brings the cached records of some entries of `index` into the processor's cache, as `BlockCache.touch` does; for a
   * scan of everything also those that are not cached yet.
   */
  prefetch(
    index: ReadIndex,
    refs: Uint32Array,
    { from, to, isWhole }: { from: number; to: number; isWhole: boolean },
  ): number {
    for (let i = from; i < to; i++) {
      const source = index.look(refs[i]!) ? this.log.segment(index.segment) : undefined;
      if (source === undefined) continue;
      if (isWhole) this.#cache.readChunk(source, index.offset, index.length);
      this.#cache.note(source, index.offset);
    }
    return this.#cache.touch();
  }

  /** Where the record of a key is on the disk; `undefined` if it has none, or if it is in memory. */
  extentToRead(key: KeyBytes): Extent | undefined {
    const place = this.find(key);
    const segment = place && this.log.segment(place.segment);
    if (segment === undefined || place!.offset >= segment.endBytes) return undefined;
    const { offset, length } = place!;
    if (this.#cache.has(segment, offset, length)) return undefined;
    return { path: `${this.log.directory}/${segment.name}`, offset, length };
  }

  /** Points the index at a record, as every engine does; in a batch with a look at the next ones. */
  override onRecord(buffer: RecordBuffer, at: number, header: RecordHeader, offset: number): void {
    this.#lookahead.reach(this.index, buffer, { at, length: header.length, end: this.writer!.tail.stagedEnd });
    super.onRecord(buffer, at, header, offset);
  }

  /** Ends a rotation while the event loop goes on. */
  onRotation(): Promise<KvStoreError | undefined> {
    return rotate(this.log, this.writer!);
  }

  /** Closes all files and ends background work. Nothing can be read afterwards. */
  override closeFiles(): void {
    this.ordering.stop();
    super.closeFiles();
  }

  /** Replaces the index. The former one needs its image no longer, unless tables are missing that views may read. */
  override replaceIndex(index: ReadIndex): void {
    const former = this.index;
    super.replaceIndex(index);
    if (former instanceof ImageIndex && !(former.isLazy && this.views.isInterested)) former.close();
  }

  /** Removes segments that compaction has replaced, as soon as nobody needs them. */
  override retire(segments: Segment[]): void {
    for (const segment of segments) for (const holder of this.#holders) holder.onRetired?.(segment);
    this.sweep();
  }

  /** Removes the retired segments that nobody needs any more. */
  sweep(): void {
    const { log } = this;
    for (const holder of this.#holders) holder.beforeSweep?.(log);
    for (const segment of log.retired.values()) {
      if (!this.#holders.some((holder) => holder.needs(segment, log))) log.discard(segment);
    }
  }

  /** Writes and syncs all earlier writes and blocks until that is done. Their promises settle in later turns. */
  flushNow(): void {
    const writer = this.writable();
    needStack();
    const failure = writer.write();
    if (failure !== undefined) throw failure;
    try {
      this.log.syncActive();
    } catch (error) {
      throw writer.fail(error as KvStoreError);
    }
  }

  /** Notes in each segment how much of it had expired when `expire` was called last. */
  countExpired(): void {
    this.index.countExpired(this.log.segments.values());
  }

  /** Opens a view of the present state. */
  openView(): View {
    this.expire();
    return this.views.open(this.log.nextSequence, this.log.clockFloor);
  }

  /** Closes a view, and removes retired segments that were kept only for it. */
  release(view: View): void {
    this.views.close(view);
    this.sweep();
  }
}
