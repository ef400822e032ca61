/**
 * The names in a store's directory: which are the store's, and which say that the directory is somebody else's.
 *
 * @module
 */
import { asIo, KvStoreError } from "../errors.ts";
import { IMAGE_FORMER, IMAGE_NAME, IMAGE_TEMPORARY } from "../image/image.ts";
import { MANIFEST_NAME, MANIFEST_TEMPORARY } from "../engine/manifest.ts";
import { RESERVE_NAME, RESERVE_TEMPORARY } from "../platform/reserve.ts";
import { segmentNumberOf } from "../engine/segment.ts";
import type { Platform } from "../platform/types.ts";

/** Name of the file that the writer locks. */
export const LOCK_NAME = "LOCK";
/** Name of the folder in the store's directory for what repair moves aside. */
export const ASIDE = "damaged";

const OURS = [
  MANIFEST_NAME,
  MANIFEST_TEMPORARY,
  IMAGE_NAME,
  IMAGE_TEMPORARY,
  IMAGE_FORMER,
  RESERVE_NAME,
  RESERVE_TEMPORARY,
  LOCK_NAME,
];
/** What systems leave in any directory, beside names that begin with a dot. */
const ANYWHERE = ["lost+found", "Thumbs.db", "desktop.ini"];
/** An error names so many files. */
const NAMED_FILES = 3;

/** Whether a store gives files such a name: segments and those of a fixed name, not the folder of repair. */
export function isStoreFile(name: string): boolean {
  return OURS.includes(name) || segmentNumberOf(name) !== undefined;
}

/** Whether a name says nothing about whose directory it is in. */
export function isIncidental(name: string): boolean {
  return name.startsWith(".") || ANYWHERE.includes(name);
}

/**
 * Keeps a store from being created among the files of another program, which may take our files for its own: LevelDB
 * has a LOCK and MANIFESTs, too. An existing store minds no files beside its own.
 *
 * @throws {KvStoreError} `FORMAT` if there is neither MANIFEST nor segment, but something else
 */
export function refuseForeign(platform: Platform, directory: string): void {
  const names = asIo(`list ${directory}`, () => platform.list(directory));
  if (names.some((name) => name === MANIFEST_NAME || segmentNumberOf(name) !== undefined)) return;
  const foreign = names.filter((name) => !isStoreFile(name) && name !== ASIDE && !isIncidental(name)).sort();
  if (foreign.length === 0) return;
  const more = foreign.length > NAMED_FILES ? ` and ${foreign.length - NAMED_FILES} more` : "";
  const isLevel = names.includes("CURRENT") && names.some((name) => /^MANIFEST-\d+$/.test(name));
  const advice = isLevel
    ? "It looks like a LevelDB database: docs/recipes.md has a program that converts one"
    : "Give the store a directory of its own";
  throw new KvStoreError(
    "FORMAT",
    `there is no store in ${directory}, but other files: ${foreign.slice(0, NAMED_FILES).join(", ")}${more}. ${advice}`,
  );
}
