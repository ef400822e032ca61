/**
 * The names of files in a store's directory: which ones are the store's, and which ones are signs of another program.
 *
 * @module
 */
import { KvStoreError } from "../errors.ts";
import { IMAGE_FORMER, IMAGE_NAME, IMAGE_TEMPORARY } from "../image/image.ts";
import { MANIFEST_NAME } from "../engine/manifest.ts";
import { isTemporary } from "../platform/files.ts";
import { RESERVE_NAME, RESERVE_TEMPORARY } from "../platform/reserve.ts";
import { segmentNumberOf } from "../engine/segment.ts";

/** Name of the file that the writer locks. */
export const LOCK_NAME = "LOCK";
/** Name of the folder that repair moves damaged bytes to. */
export const ASIDE = "damaged";

const OURS = [
  MANIFEST_NAME,
  IMAGE_NAME,
  IMAGE_TEMPORARY,
  IMAGE_FORMER,
  RESERVE_NAME,
  RESERVE_TEMPORARY,
  LOCK_NAME,
];
/** Names that systems create in any directory, apart from those that begin with a dot. */
const SYSTEM_NAMES = ["lost+found", "Thumbs.db", "desktop.ini"];
/** An error names at most this many files. */
const NAMED_FILES = 3;

/** Whether a file of this name belongs to a store. False for the folder that repair uses. */
export function isStoreFile(name: string): boolean {
  return OURS.includes(name) || isUnfinishedManifest(name) || segmentNumberOf(name) !== undefined;
}

/** Whether a file of this name is a manifest that is being written, or that a crash has left unfinished. */
export function isUnfinishedManifest(name: string): boolean {
  return isTemporary(MANIFEST_NAME, name);
}

/** Whether a name says nothing about who uses the directory. */
export function isIncidental(name: string): boolean {
  return name.startsWith(".") || SYSTEM_NAMES.includes(name);
}

/**
 * Refuses to create a store in a directory with the files of another program, which might take ours for its own: LevelDB,
 * for instance, also has a LOCK and a MANIFEST. An existing store tolerates other files. `names` are those in the
 * directory.
 *
 * @throws {KvStoreError} `FORMAT` if there are other files, but no MANIFEST and no segment
 */
export function refuseForeign(directory: string, names: string[]): void {
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
