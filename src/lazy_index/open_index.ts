/**
 * Gets the index when a store is opened: from the image and the records that are newer, or from the whole log.
 *
 * @module
 */
import { Index, type ReadIndex } from "../engine/index.ts";
import type { OpenedIndex } from "../engine/interfaces.ts";
import type { Log } from "../engine/log.ts";
import type { Manifest } from "../engine/manifest.ts";
import type { Replayed } from "../engine/replay.ts";
import { shadowOf } from "./shadow.ts";
import { loadImage } from "../image/image_file.ts";
import { ImageDamaged, ImageIndex } from "./image_index.ts";
import { replay } from "../lookahead/replay.ts";

/** After a replay has failed, no other starts until this multiple of its duration has passed. */
const RETRY_FACTOR = 10;

/** Makes the index from the image and the newer records, or from the log alone. See `OpeningParts`. */
export function openIndex(log: Log, manifest: Manifest): OpenedIndex {
  const image = loadImage(log, manifest);
  if (image === undefined) return catchUp(log, new Index());
  const { index, known } = image;
  try {
    const opened = catchUp(log, index, known);
    index.rebuild = rebuilder(log, index.seed);
    return opened;
  } catch (error) {
    index.close();
    if (!(error instanceof ImageDamaged)) throw error;
    return rebuildIndex(log);
  }
}

/** Makes the index from the log alone, and counts the bytes of its segments anew. */
export function rebuildIndex(log: Log): OpenedIndex {
  for (const segment of log.segments.values()) segment.reset();
  return catchUp(log, new Index());
}

/**
 * Brings the index of a reader, who has no view open, up to the end of a newer log, and returns what `replay` does. Reads
 * the tables whose keys have changed. Throws `ImageDamaged` at one that is damaged: if it was rebuilt from this log, it
 * would have the changes before they are counted. Then the index has some of the changes.
 */
export function advanceIndex(index: ReadIndex, log: Log, known: Replayed): { highest: number; records: number } {
  if (!(index instanceof ImageIndex) || !index.isLazy) return replay(index.changeable(), log.segments, known);
  index.isChanged = true;
  index.rebuild = undefined;
  try {
    return replay(index, log.segments, known);
  } finally {
    index.rebuild = rebuilder(log, index.seed);
  }
}

/** Brings an index up to the end of its log. */
function catchUp(log: Log, index: Index, known?: Replayed): OpenedIndex {
  const { highest, records } = replay(index, log.segments, known);
  log.nextSequence = Math.max(log.nextSequence, highest + 1);
  return { index, replayed: records, sequence: Math.max(highest, known?.sequence ?? 0) };
}

/**
 * Returns a function that rebuilds the index of a log that has not changed since it was opened. That reads the whole
 * log. If it fails, calls throw the same error for ten times as long as it took, so that the event loop gets its turn.
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
