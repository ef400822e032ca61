/**
 * The options of `KvStore.open` among those that an adapter is given.
 *
 * @module
 */
import type { OpenOptions } from "../../mod.ts";

/** Every option of `KvStore.open`. The type makes a missing one an error. */
const NAMES: Record<keyof OpenOptions, true> = {
  create: true,
  readOnly: true,
  lock: true,
  durability: true,
  segmentBytes: true,
  cacheBytes: true,
  strictJson: true,
  compaction: true,
  recovery: true,
  onError: true,
};

/** Picks the options of `KvStore.open` that are set. The store refuses options that it does not know. */
export function openOptionsIn(options: OpenOptions): OpenOptions {
  const isSet = ([name, value]: [string, unknown]) => Object.hasOwn(NAMES, name) && value !== undefined;
  return Object.fromEntries(Object.entries(options).filter(isSet));
}
