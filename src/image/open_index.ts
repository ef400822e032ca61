/**
 * Where an index comes from when a store is opened: the image and the records behind it, or the whole log.
 *
 * @module
 */
import { Index } from "../engine/index.ts";
import type { OpenedIndex } from "../engine/interfaces.ts";
import type { Log } from "../engine/log.ts";
import type { Manifest } from "../engine/manifest.ts";
import { replay, type Replayed } from "../engine/replay.ts";
import { shadowOf } from "../engine/segment.ts";
import { loadImage } from "./checkpoint.ts";
import { ImageDamaged } from "./image_index.ts";

/** After a replay that failed, its multiple that passes before the next. */
const RETRY_FACTOR = 10;

/** Makes the index from an image and what is behind it in the log, or from the log alone. See `OpeningParts`. */
export function openIndex(log: Log, manifest: Manifest): OpenedIndex {
  const image = loadImage(log, manifest);
  if (image === undefined) return bringUp(log, new Index());
  const { index, known } = image;
  try {
    const opened = bringUp(log, index, known);
    index.rebuild = rebuilder(log, index.seed);
    return opened;
  } catch (error) {
    index.close();
    if (!(error instanceof ImageDamaged)) throw error;
    for (const segment of log.segments.values()) segment.forget();
    return bringUp(log, new Index());
  }
}

/** Brings an index up to the end of its log. */
function bringUp(log: Log, index: Index, known?: Replayed): OpenedIndex {
  const { highest, records } = replay(index, log.segments, known);
  log.nextSequence = Math.max(log.nextSequence, highest + 1);
  return { index, replayed: records, sequence: Math.max(highest, known?.sequence ?? 0) };
}

/**
 * Makes the index of a log anew that has not changed since it was opened. That reads the whole log: should it fail, it
 * fails the same way at once for ten times as long as it took, in which the event loop may do other things.
 */
function rebuilder(log: Log, seed: number): () => Index {
  let failure: unknown;
  let retryAt = 0;
  return () => {
    const start = performance.now();
    if (start < retryAt) throw failure;
    const index = new Index(seed);
    try {
      replay(index, new Map(Array.from(log.segments, ([number, segment]) => [number, shadowOf(segment)])));
    } catch (error) {
      failure = error;
      const end = performance.now();
      retryAt = end + RETRY_FACTOR * (end - start);
      throw error;
    }
    return index;
  };
}
