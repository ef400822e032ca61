/**
 * Repair: makes a damaged store one that can be opened. It keeps everything that is readable, moves damaged files aside
 * and destroys none, and lists what is lost.
 *
 * @module
 */
import { sameBytes } from "../bytes.ts";
import { SegmentCopier } from "../engine/copier.ts";
import { findStore, takeLock } from "../store/directory.ts";
import { Log, type LogPlace } from "../engine/log.ts";
import { type Manifest, MANIFEST_NAME, writeManifest } from "../engine/manifest.ts";
import { KIND } from "../engine/record.ts";
import type { Segment } from "../engine/segment.ts";
import { asFsync, asIo, corrupt, KvStoreError } from "../errors.ts";
import { IMAGE_NAME } from "../image/image.ts";
import { readUpTo, removeIfThere, writeAll } from "../platform/files.ts";
import { platform as systemPlatform } from "../platform/mod.ts";
import { pathOf } from "../platform/path.ts";
import { paced, Slices } from "../platform/turn.ts";
import type { Lock, Platform } from "../platform/types.ts";
import { ASIDE } from "../store/names.ts";
import { checkNames } from "../store/options.ts";
import type { RepairReport, WorkOptions } from "../types.ts";
import { highestOf } from "./rebuild.ts";
import { scan } from "./scan.ts";
import { isDirectory, segmentFiles } from "../store/strays.ts";
import { type VerifiedStore, verifyFiles } from "./verify.ts";

/** Options of a repair. */
type RepairOptions = { dryRun?: boolean } & WorkOptions;

/** Files are copied and compared in pieces of so many bytes. */
const PIECE_BYTES = 1024 * 1024;

/**
 * Repairs the store in a directory, which must not be open for writing. A key whose newest value is damaged is lost,
 * and the report lists it. It never falls back to an older value.
 *
 * @param options `dryRun` only reports what a repair would do
 * @throws {KvStoreError} `LOCKED`, `NOT_FOUND`, `FORMAT`, `IO`
 */
export function repairStore(
  directory: string | URL,
  options: { dryRun?: boolean } & WorkOptions = {},
): Promise<RepairReport> {
  return paced(() => {
    checkNames("repairStore", options, ["dryRun", "onProgress", "signal"]);
    return repairOn(systemPlatform, systemPlatform.absolute(pathOf(directory)), options);
  });
}

/** Repairs a store on any platform: for tests that simulate a disk. */
export async function repairOn(platform: Platform, directory: string, options: RepairOptions): Promise<RepairReport> {
  // Before the lock: taking that creates a file, also where there is no store.
  if (findStore(platform, directory) === "none") {
    throw new KvStoreError("NOT_FOUND", `there is no store in ${directory}`);
  }
  const lock = takeLock(platform, directory);
  try {
    return await repairHeld({ platform, directory, lock }, options);
  } finally {
    lock.release();
  }
}

/** Repairs a store whose lock the caller holds. */
async function repairHeld(place: LogPlace & { lock: Lock }, options: RepairOptions): Promise<RepairReport> {
  const { platform, directory } = place;
  const store = await verifyFiles(platform, directory, options);
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
    const moves = await asIo(`read the folder ${ASIDE}`, () => planMoves(platform, directory, files));
    report.movedAside = moves.map(({ target }) => target);
    if (options.dryRun !== true) await rewrite(place, store, moves);
    return report;
  } finally {
    store.close();
  }
}

/** Repairs a store before it is opened with salvage. Returns `undefined` if there is no store yet. */
export async function repairIfThere(
  platform: Platform,
  directory: string,
  lock: Lock,
): Promise<RepairReport | undefined> {
  return findStore(platform, directory) === "none" ? undefined : await repairHeld({ platform, directory, lock }, {});
}

/**
 * Copies the damaged files aside, copies their intact records to new segments, lists those in the manifest, and removes
 * the damaged files. Until the manifest that lists the new segments is durable, the store is as damaged as before. From
 * then on the damaged files are unlisted, and the next open removes them if this is interrupted.
 */
async function rewrite(place: LogPlace & { lock: Lock }, store: VerifiedStore, moves: Move[]): Promise<void> {
  const { platform, directory } = place;
  const { manifest, segments, found } = store;
  for (const move of moves) {
    await asIo(`copy ${move.name} to ${move.target}`, () => keep(platform, directory, move));
  }
  const known = Math.max(manifest.nextSequence - 1, found.highestSequence);
  const highest = found.lostSequences.map(([, last]) => last).reduce(highestOf, known);
  const damaged = segments.filter(({ isDamaged }) => isDamaged);
  // The first manifest reserves the numbers of the copies and lists what the old one listed, missing files included:
  // after an interruption, the next repair finds what this one found.
  const first: Manifest = {
    ...manifest,
    generation: manifest.generation + 1,
    nextSequence: highest + 2 ** 32,
    historyFloor: highest,
  };
  // Numbers that strays have in their names are skipped. There must be enough: reserving more would replace the
  // manifest before the copies are whole.
  const reserved = damaged.length + segmentFiles(platform, directory).length;
  writeManifest(platform, directory, { ...first, nextSegment: first.nextSegment + reserved }, place.lock);
  const intact = segments.flatMap(({ segment, isDamaged }) => isDamaged ? [] : segment ?? []);
  const log = new Log(place, first, intact);
  log.assumeReserved(reserved);
  const copies: Segment[] = [];
  try {
    for (const segment of damaged.flatMap(({ segment }) => segment ?? [])) {
      const copier = new SegmentCopier(log);
      copies.push(copier.segment);
      await copyIntact(copier, segment);
      await copier.finish();
    }
    asIo(`remove ${IMAGE_NAME}`, () => removeIfThere(platform, log.path(IMAGE_NAME)));
    log.change({ add: copies, active: log.active }, { clean: manifest.clean });
  } finally {
    for (const { handle } of copies) handle.close();
  }
  // Some systems do not remove a file that is open.
  store.close();
  for (const { name } of moves) {
    if (name !== MANIFEST_NAME) asIo(`remove ${name}`, () => removeIfThere(platform, log.path(name)));
  }
  asFsync("the store's directory", () => platform.syncDirectory(directory));
}

/** Copies all intact records. A damaged value becomes a tombstone, or an older value of its key would come back. */
async function copyIntact(copier: SegmentCopier, segment: Segment): Promise<void> {
  const slices = new Slices();
  for (const { cursor, length, isRecord, reason } of scan(segment, segment.headerBytes, segment.endBytes)) {
    if (!isRecord || cursor.kind === KIND.mark) continue;
    copier.copy(cursor, reason === undefined ? undefined : KIND.delete);
    if (slices.count(length)) await slices.pause();
  }
}

/** A file to move aside. */
interface Move {
  name: string;
  /** Its new path, relative to the store's directory. */
  target: string;
  /** Whether an interrupted repair has copied it already. */
  isDone: boolean;
}

/** Decides where to move those of these files that exist: never over another file. */
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
      const isDone = isTaken && await areEqual(platform, `${directory}/${name}`, `${directory}/${target}`);
      if (isDone || !isTaken) moves.push(move = { name, target, isDone });
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

/** Makes a durable copy of a file to move aside. A rename instead would leave the store without it after a crash. */
async function keep(platform: Platform, directory: string, { name, target, isDone }: Move): Promise<void> {
  if (isDone) return;
  const folder = `${directory}/${ASIDE}`;
  if (!isDirectory(platform, folder)) platform.makeDirectory(folder);
  platform.syncDirectory(directory);
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
