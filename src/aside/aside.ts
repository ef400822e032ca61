/**
 * The folder for damaged files: repair keeps what it cannot use there, under names that are still free.
 *
 * @module
 */
import { sameBytes } from "../bytes.ts";
import { asFsync, corrupt } from "../errors.ts";
import { readUpTo, removeIfThere, writeAll } from "../platform/files.ts";
import { Slices } from "../platform/turn.ts";
import type { Platform } from "../platform/types.ts";
import { ASIDE } from "../store/names.ts";

/** Files are copied and compared in pieces of so many bytes. */
const PIECE_BYTES = 1024 * 1024;

/** A file to move aside. */
export interface Move {
  /** Its name. */
  name: string;
  /** Its new path, relative to the store's directory. */
  target: string;
  /** Whether it is a regular file. Otherwise, it is moved without being opened. */
  isRegular: boolean;
  /** Whether an interrupted repair has copied it already. */
  isDone: boolean;
}

/** Decides where to move those of these files that exist: never over another file. Directories stay where they are. */
export async function planMoves(platform: Platform, directory: string, files: string[]): Promise<Move[]> {
  const folder = `${directory}/${ASIDE}`;
  const folderKind = platform.kindOf(folder);
  if (folderKind !== undefined && folderKind !== "a directory") {
    throw corrupt(ASIDE, 0, `it is ${folderKind}, not a directory: move it away`);
  }
  const taken = new Set(folderKind === undefined ? [] : platform.list(folder));
  const moves: Move[] = [];
  const names = new Set(platform.list(directory));
  for (const name of files.filter((one) => names.has(one))) {
    const kind = platform.kindOf(`${directory}/${name}`);
    if (kind === undefined || kind === "a directory") continue;
    const isRegular = kind === "a regular file";
    for (let i = 0, move: Move | undefined; move === undefined; i++) {
      const candidate = i === 0 ? name : `${name}.${i}`;
      const target = `${ASIDE}/${candidate}`;
      const isTaken = taken.has(candidate);
      const isDone = isTaken && isRegular && platform.kindOf(`${directory}/${target}`) === kind &&
        await areEqual(platform, `${directory}/${name}`, `${directory}/${target}`);
      if (isDone || !isTaken) moves.push(move = { name, target, isRegular, isDone });
    }
  }
  return moves;
}

/** Whether two files hold the same bytes. */
async function areEqual(platform: Platform, one: string, other: string): Promise<boolean> {
  const handle = platform.open(other, "read");
  try {
    let end = 0;
    for await (const { bytes, offset } of piecesOf(platform, one)) {
      if (!sameBytes(bytes, readUpTo(handle, bytes.length, offset))) return false;
      end = offset + bytes.length;
    }
    return handle.size() === end;
  } finally {
    handle.close();
  }
}

/** Reads a file in pieces, and pauses for other work. */
async function* piecesOf(platform: Platform, path: string): AsyncGenerator<{ bytes: Uint8Array; offset: number }> {
  const slices = new Slices();
  const handle = platform.open(path, "read");
  try {
    const end = handle.size();
    for (let offset = 0; offset < end; offset += PIECE_BYTES) {
      yield { bytes: readUpTo(handle, PIECE_BYTES, offset), offset };
      if (slices.count(PIECE_BYTES)) await slices.pause();
    }
  } finally {
    handle.close();
  }
}

/**
 * Makes a durable copy of a file to move aside. A rename instead would leave the store without it after a crash. What is
 * not a regular file is renamed: the store is already without it.
 */
export async function keep(
  platform: Platform,
  directory: string,
  { name, target, isRegular, isDone }: Move,
): Promise<void> {
  if (isDone) return;
  const folder = `${directory}/${ASIDE}`;
  if (platform.kindOf(folder) === undefined) platform.makeDirectory(folder);
  platform.syncDirectory(directory);
  if (!isRegular) return platform.rename(`${directory}/${name}`, `${directory}/${target}`);
  const temporary = `${folder}/copy.tmp`;
  removeIfThere(platform, temporary);
  const copy = platform.open(temporary, "create");
  try {
    for await (const { bytes, offset } of piecesOf(platform, `${directory}/${name}`)) writeAll(copy, bytes, offset);
    await asFsync(temporary, () => copy.syncData());
  } finally {
    copy.close();
  }
  platform.rename(temporary, `${directory}/${target}`);
  asFsync(folder, () => platform.syncDirectory(folder));
}
