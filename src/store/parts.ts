/**
 * The parts of an open store, made from the results of opening.
 *
 * @module
 */
import type { Lock } from "../platform/types.ts";
import type { Recovery, RepairReport } from "../types.ts";
import { Maintenance } from "../maintenance/maintenance.ts";
import { OpenStore } from "./open_store.ts";
import type { Opened } from "../engine/open.ts";
import type { Settings } from "./options.ts";

/** The first background compaction is considered this long after opening. */
const FIRST_COMPACTION_MS = 1000;

/** The parts of a store. */
export interface Parts {
  /** The engine with its features. */
  engine: OpenStore;
  /** The options, with defaults filled in. */
  settings: Settings;
  /** The writer lock; readers have none. */
  lock: Lock | undefined;
  /** Compaction and the image of the index. */
  maintenance: Maintenance;
  /** What recovery did. */
  recovery: Recovery;
}

/** Parts made here. Stores are made of no others. */
const MADE = new WeakSet<Parts>();

/** Makes the parts of a store from the results of opening. */
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
    // There may be no memory for the cache, for instance.
    opened.index.close();
    opened.log.closeFiles();
    throw error;
  }
  const maintenance = new Maintenance(engine, settings);
  const recovery = salvaged === undefined || salvaged.problems.length === 0
    ? opened.recovery
    : { ...opened.recovery, salvaged };
  // Not at once: a process that opens the store for a single write would abort the compaction by closing.
  if (lock !== undefined) maintenance.considerAfter(FIRST_COMPACTION_MS);
  const parts = { engine, settings, lock, maintenance, recovery };
  MADE.add(parts);
  return parts;
}

/** Checks the argument of a store's constructor. Throws a `TypeError` if a caller has used `new`. */
export function partsOf(given: Parts): Parts {
  if (MADE.has(given)) return given;
  throw new TypeError("a store is opened by `await KvStore.open(directory)`, not by `new`");
}
