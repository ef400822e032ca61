/**
 * An open store: the engine, and the features around it that go by its state.
 *
 * @module
 */
import { BlockCache } from "../cache/block_cache.ts";
import { Engine } from "../engine/engine.ts";
import type { Place } from "../engine/index.ts";
import type { Opened } from "../engine/open.ts";
import { Follower } from "../follow/follower.ts";
import { Ordering } from "../order/ordering.ts";
import { type View, Views } from "../views/views.ts";
import { Watches } from "../watch/watches.ts";
import type { Settings } from "./options.ts";
import { decodeValue } from "./values.ts";

/** The engine with views, watches, and the order of the keys. */
export class OpenStore extends Engine {
  /** What open snapshots and iterators see. */
  readonly views: Views;
  /** The open watches. */
  readonly watches: Watches;
  /** For readers: how far they have come behind the writer. */
  readonly follower: Follower;
  /** Makes the order of the keys for those who ask for ranges. */
  readonly ordering: Ordering;

  /** Puts together what opening found. `onNews` hears when there may be something to compact. */
  constructor(
    opened: Opened,
    { segmentBytes, cacheBytes }: Pick<Settings, "segmentBytes" | "cacheBytes">,
    onNews: () => void,
  ) {
    const views = new Views(opened.index);
    const watches = new Watches(segmentBytes);
    const follower = new Follower(opened.sequence);
    super(opened, {
      segmentBytes,
      cache: new BlockCache(cacheBytes),
      observer: views,
      holders: [follower, views, watches],
      decode: decodeValue,
      onNews,
    });
    this.views = views;
    this.watches = watches;
    this.follower = follower;
    this.ordering = new Ordering(this.log.platform);
    this.log.onDurable = () => watches.wake();
  }

  /** Closes all files. Nothing is read any more, and nothing goes on in the background. */
  override closeFiles(): void {
    this.ordering.stop();
    super.closeFiles();
  }

  /** Fixes the present: a view of it. */
  openView(): View {
    this.expire();
    return this.views.open(this.log.nextSequence, this.log.clockFloor);
  }

  /** Closes a view, and gives back the segments that were kept for it. */
  release(view: View): void {
    this.views.close(view);
    this.sweep();
  }

  /** Where the record of the key that is encoded now was for a view; `undefined` if there was none, or it had expired. */
  findIn(view: View): Place | undefined {
    return this.views.find(view, this.key);
  }
}
