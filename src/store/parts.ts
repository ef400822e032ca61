/**
 * What an open store is made of, from what opening found.
 *
 * @module
 */
import type { Lock } from "../platform/types.ts";
import type { Recovery, RepairReport } from "../types.ts";
import { Maintenance } from "../maintenance/maintenance.ts";
import { OpenStore } from "./open_store.ts";
import type { Opened } from "../engine/open.ts";
import type { Settings } from "./options.ts";

/** Compaction first looks for something to do so long after opening. */
const FIRST_LOOK_MS = 1000;

/** The parts of a store. */
export interface Parts {
  /** Log, index and views. */
  engine: OpenStore;
  /** The options, complete. */
  settings: Settings;
  /** The writer lock; readers have none. */
  lock: Lock | undefined;
  /** Compaction, and images of the index. */
  maintenance: Maintenance;
  /** What recovery did. */
  recovery: Recovery;
}

/** Parts that were put together here: nobody else makes stores. */
const MADE = new WeakSet<Parts>();

/** Puts together what opening found. */
export function partsFor(
  opened: Opened,
  settings: Settings,
  lock: Lock | undefined,
  salvaged?: RepairReport,
): Parts {
  let engine: OpenStore;
  try {
    engine = new OpenStore(opened, settings, () => maintenance.consider());
  } catch (error) {
    // No memory for the cache, say.
    opened.index.close();
    opened.log.closeFiles();
    throw error;
  }
  const maintenance = new Maintenance(engine, settings);
  const recovery = salvaged === undefined || salvaged.problems.length === 0
    ? opened.recovery
    : { ...opened.recovery, salvaged };
  // Not at once: a process that opens the store for a single write would begin what its closing cuts off.
  if (lock !== undefined) maintenance.considerAfter(FIRST_LOOK_MS);
  const parts = { engine, settings, lock, maintenance, recovery };
  MADE.add(parts);
  return parts;
}

/** What the constructor of a store was given, if that is parts; a `TypeError` for the arguments of a caller's `new`. */
export function partsOf(given: Parts): Parts {
  if (MADE.has(given)) return given;
  throw new TypeError("a store is opened by `await KvStore.open(directory)`, not by `new`");
}
