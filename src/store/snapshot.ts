/**
 * Snapshots.
 *
 * @module
 */
import type { Value } from "../types.ts";
import type { Core } from "./core.ts";
import { Reader, releaseNow, releaseWhenAbandoned } from "./reader.ts";

/**
 * The store as it was when `snapshot()` was called, pending writes included, whatever is written, compacted or cleared
 * since. It keeps the segments that it needs on the disk until it is closed, or collected as garbage.
 */
export class Snapshot<V extends Value = Value> extends Reader<V> {
  /** Made by `KvStore.snapshot()`. */
  constructor(core: Core) {
    const view = core.openView();
    super(core, view);
    releaseWhenAbandoned(this, core, view);
  }

  /** Ends the snapshot and its iterators. Closing twice is harmless. */
  close(): void {
    releaseNow(this, this.core, this.view!);
  }

  /** The same as `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
