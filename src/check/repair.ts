/**
 * Repair: makes a store that can be opened out of one that is damaged. Everything readable stays; damaged files are
 * moved aside, never destroyed; what was lost is listed.
 *
 * @module
 */
import { sameBytes } from "../bytes.ts";
import { asIo, asSync, corrupt, ioError, KvStoreError, syncFailure } from "../errors.ts";
import { IMAGE_NAME } from "../image/image.ts";
import { SegmentCopier } from "../engine/copier.ts";
import { Log, type LogPlace } from "../engine/log.ts";
import { type Manifest, MANIFEST_NAME, writeManifest } from "../engine/manifest.ts";
import { KIND } from "../engine/record.ts";
import type { Segment } from "../engine/segment.ts";
import { readUpTo, removeIfThere, writeAll } from "../platform/files.ts";
import { platform as systemPlatform } from "../platform/mod.ts";
import { pathOf } from "../platform/path.ts";
import { paced, Slices } from "../platform/turn.ts";
import type { FileHandle, Lock, Platform } from "../platform/types.ts";
import type { RepairReport, WorkOptions } from "../types.ts";
import { findStore, takeLock } from "../engine/directory.ts";
import { ASIDE } from "../store/names.ts";
import { checkNames } from "../store/options.ts";
import { highestOf } from "./rebuild.ts";
import { scan } from "./scan.ts";
import { isDirectory, segmentFiles } from "./strays.ts";
import { type ExaminedStore, examineStore } from "./survey.ts";

/** Files are copied and compared in pieces of this size. */
const PIECE_BYTES = 1024 * 1024;

/**
 * Repairs the store in a directory: nobody may have it open. A key whose newest value is damaged is lost, and listed;
 * it does not go back silently to an older value.
 *
 * @param options `dryRun`: only say what would be done
 * @throws {KvStoreError} `LOCKED`, `NOT_FOUND`, `FORMAT`, `IO`
 */
export async function repairStore(
  directory: string | URL,
  options: { dryRun?: boolean } & WorkOptions = {},
): Promise<RepairReport> {
  checkNames("repairStore", options, ["dryRun", "onProgress", "signal"]);
  return await paced(() => repairOn(systemPlatform, systemPlatform.absolute(pathOf(directory)), options));
}

/** Repairs a store on any platform: for tests that simulate a disk. */
export async function repairOn(
  platform: Platform,
  directory: string,
  options: { dryRun?: boolean } & WorkOptions,
): Promise<RepairReport> {
  // Asked first, as taking the lock would create a file where there is no store.
  if (findStore(platform, directory) === "none") {
    throw new KvStoreError("NOT_FOUND", `there is no store in ${directory}`);
  }
  const lock = takeLock(platform, directory);
  try {
    return await repairHeld(platform, directory, lock, options);
  } finally {
    lock.release();
  }
}

/** Repairs a store whose lock is held. */
async function repairHeld(
  platform: Platform,
  directory: string,
  lock: Lock,
  options: { dryRun?: boolean } & WorkOptions,
): Promise<RepairReport> {
  const store = await examineStore(platform, directory, options);
  try {
    const { found, segments, rebuilt } = store;
    const report: RepairReport = {
      problems: found.problems,
      lostKeys: found.lostKeys(),
      lostSequences: found.lostSequences,
      keptRecords: found.records,
      movedAside: [],
    };
    if (report.problems.length === 0) return report;
    if (segments.length === 0 && segmentFiles(platform, directory).length > 0) {
      throw corrupt(MANIFEST_NAME, 0, `it cannot be used, and no segment in ${directory} has an intact header`);
    }
    const damaged = segments.filter(({ isDamaged }) => isDamaged).map(({ name }) => name);
    const files = rebuilt === undefined ? damaged : [MANIFEST_NAME, ...damaged, ...rebuilt.unused];
    const moves = await planMoves(platform, directory, files).catch((error) => {
      throw ioError(`look into ${ASIDE}`, error);
    });
    report.movedAside = moves.map(({ target }) => target);
    if (options.dryRun !== true) await rewrite({ platform, directory, lock }, store, moves);
    return report;
  } finally {
    store.close();
  }
}

/** Repairs what opening with salvage meets; `undefined` where there is nothing yet. */
export async function repairIfThere(
  platform: Platform,
  directory: string,
  lock: Lock,
): Promise<RepairReport | undefined> {
  return findStore(platform, directory) === "none" ? undefined : await repairHeld(platform, directory, lock, {});
}

/**
 * Keeps the damaged files aside, copies what is intact of them, makes that count, and gives the damaged ones up. Until
 * the manifest that lists the copies is durable, everything is as it was; from then on the damaged files are left-over
 * inputs, which the next open removes if this does not come to it.
 */
async function rewrite(place: LogPlace & { lock: Lock }, examined: ExaminedStore, moves: Move[]): Promise<void> {
  const { platform, directory } = place;
  const { manifest, segments, found } = examined;
  for (const move of moves) {
    await keep(platform, directory, move).catch((error) => {
      throw ioError(`copy ${move.name} to ${move.target}`, error);
    });
  }
  const known = Math.max(manifest.nextSequence - 1, found.highestSequence);
  const highest = found.lostSequences.map(([, last]) => last).reduce(highestOf, known);
  const damaged = segments.filter(({ isDamaged }) => isDamaged);
  // First of all a manifest that reserves the numbers of the copies, and lists all that was listed, also what is
  // missing: an interrupted repair finds again what this one found.
  const first: Manifest = {
    ...manifest,
    generation: manifest.generation + 1,
    nextSequence: highest + 2 ** 32,
    historyFloor: highest,
  };
  if (!place.lock.isCurrent()) throw new KvStoreError("FAILED", `the LOCK file in ${directory} was replaced`);
  // Numbers that strays have in their names are skipped, and no other manifest may come before the copies are whole.
  const reserved = damaged.length + segmentFiles(platform, directory).length;
  writeManifest(platform, directory, { ...first, nextSegment: first.nextSegment + reserved });
  const log = new Log(place, first);
  log.assumeReserved(reserved);
  for (const { segment, isDamaged } of segments) if (segment !== undefined && !isDamaged) log.adopt(segment);
  log.active = [...log.segments.values()].find(({ sealed }) => !sealed);
  log.syncedBytes = manifest.mark.offset;
  const copies: Segment[] = [];
  try {
    for (const { segment } of damaged) {
      if (segment === undefined) continue;
      const copier = new SegmentCopier(log, log.createSegment([]));
      copies.push(copier.segment);
      await copyIntact(copier, segment);
      await copier.finish();
    }
    for (const segment of copies) {
      segment.sealed = true;
      log.adopt(segment);
    }
    asIo(`remove ${IMAGE_NAME}`, () => removeIfThere(platform, log.path(IMAGE_NAME)));
    log.replaceManifest({ clean: manifest.clean });
  } finally {
    for (const { handle } of copies) handle.close();
  }
  // Not every system removes a file that is open.
  examined.close();
  for (const { name } of moves) {
    if (name !== MANIFEST_NAME) asIo(`remove ${name}`, () => removeIfThere(platform, log.path(name)));
  }
  asSync("the store's directory", () => platform.syncDirectory(directory));
}

/** Copies all intact records. A damaged value becomes a tombstone: else an older value of the key would come back. */
async function copyIntact(copier: SegmentCopier, segment: Segment): Promise<void> {
  const slices = new Slices();
  for (const { cursor, length, isRecord, reason } of scan(segment, segment.headerBytes, segment.endBytes)) {
    if (!isRecord || cursor.kind === KIND.mark) continue;
    copier.copy(cursor, reason === undefined ? undefined : KIND.delete);
    if (slices.count(length)) await slices.pause();
  }
}

/** A file to be moved aside. */
interface Move {
  name: string;
  /** Where to, from the store's directory. */
  target: string;
  /** Whether an interrupted repair has copied it already. */
  isDone: boolean;
}

/** Decides which of these files are moved where: never over another file. */
async function planMoves(platform: Platform, directory: string, files: string[]): Promise<Move[]> {
  const names = platform.list(directory);
  const taken = new Set(names.includes(ASIDE) ? platform.list(`${directory}/${ASIDE}`) : []);
  const there = files.filter((name) => names.includes(name) && !isDirectory(platform, `${directory}/${name}`));
  const moves: Move[] = [];
  for (const name of there) {
    for (let i = 0, move: Move | undefined; move === undefined; i++) {
      const candidate = i === 0 ? name : `${name}.${i}`;
      const target = `${ASIDE}/${candidate}`;
      const isTaken = taken.has(candidate);
      const isDone = isTaken && await isSame(platform, `${directory}/${name}`, `${directory}/${target}`);
      if (isDone || !isTaken) moves.push(move = { name, target, isDone });
    }
  }
  return moves;
}

async function isSame(platform: Platform, one: string, other: string): Promise<boolean> {
  const handles = [one, other].map((path) => platform.open(path, "read"));
  try {
    if (handles[0]!.size() !== handles[1]!.size()) return false;
    for await (const { bytes, offset } of piecesOf(handles[0]!)) {
      if (!sameBytes(bytes, readUpTo(handles[1]!, bytes.length, offset))) return false;
    }
    return true;
  } finally {
    for (const handle of handles) handle.close();
  }
}

/** The bytes of a file, piece by piece, so that others have their turn. */
async function* piecesOf(handle: FileHandle): AsyncGenerator<{ bytes: Uint8Array; offset: number }> {
  const slices = new Slices();
  const end = handle.size();
  for (let offset = 0; offset < end; offset += PIECE_BYTES) {
    yield { bytes: readUpTo(handle, PIECE_BYTES, offset), offset };
    if (slices.count(PIECE_BYTES)) await slices.pause();
  }
}

/** Makes a durable copy of a file that is to be moved aside: a rename would leave the store without it in a crash. */
async function keep(platform: Platform, directory: string, { name, target, isDone }: Move): Promise<void> {
  if (isDone) return;
  const folder = `${directory}/${ASIDE}`;
  if (!isDirectory(platform, folder)) platform.makeDirectory(folder);
  platform.syncDirectory(directory);
  const temporary = `${folder}/copy.tmp`;
  removeIfThere(platform, temporary);
  const source = platform.open(`${directory}/${name}`, "read");
  try {
    const copy = platform.open(temporary, "create");
    try {
      for await (const { bytes, offset } of piecesOf(source)) writeAll(copy, bytes, offset);
      await copy.syncData().catch((error) => Promise.reject(syncFailure(temporary, error)));
    } finally {
      copy.close();
    }
  } finally {
    source.close();
  }
  platform.rename(temporary, `${directory}/${target}`);
  asSync(folder, () => platform.syncDirectory(folder));
}
