/**
 * Repair: makes a damaged store one that can be opened. It keeps everything that is readable, moves damaged files aside
 * and destroys none, and lists what is lost.
 *
 * @module
 */
import { keep, type Move, planMoves } from "../aside/aside.ts";
import { SegmentCopier } from "../engine/copier.ts";
import { findStore, releasedAfter, takeLock } from "../store/directory.ts";
import { Log, type LogPlace } from "../engine/log.ts";
import { type Manifest, MANIFEST_NAME } from "../engine/manifest.ts";
import { writeManifest } from "../engine/manifest_file.ts";
import { KIND } from "../engine/record.ts";
import type { Segment } from "../engine/segment.ts";
import { asFsync, asIo, corrupt, KvStoreError } from "../errors.ts";
import { IMAGE_NAME } from "../image/image.ts";
import { removeIfThere } from "../platform/files.ts";
import { platform as systemPlatform } from "../platform/mod.ts";
import { pathOf } from "../platform/path.ts";
import { paced, Slices } from "../platform/turn.ts";
import type { Lock, Platform } from "../platform/types.ts";
import { ASIDE } from "../store/names.ts";
import { booleanOf, checkNames } from "../store/options.ts";
import type { RepairReport, WorkOptions } from "../types.ts";
import { highestOf } from "./rebuild.ts";
import { scan } from "./scan.ts";
import { segmentFiles } from "../store/strays.ts";
import { type VerifiedStore, verifyFiles, verifySettled } from "./verify.ts";

/** Options of a repair. */
type RepairOptions = { dryRun?: boolean; lock?: boolean } & WorkOptions;

/**
 * Repairs the store in a directory, which must not be open for writing. A key whose newest value is damaged is lost,
 * and the report lists it. It never falls back to an older value.
 *
 * @param options `dryRun` only reports what a repair would do: it writes nothing, takes no lock, and needs permission to
 * read alone, as `verifyStore` does; `lock` is that of `KvStore.open`
 * @throws {KvStoreError} `LOCKED`, `NO_LOCK`, `NOT_FOUND`, `FORMAT`, `IO`
 */
export function repairStore(
  directory: string | URL,
  options: { dryRun?: boolean; lock?: boolean } & WorkOptions = {},
): Promise<RepairReport> {
  return paced(() => {
    checkNames("repairStore", options, ["dryRun", "lock", "onProgress", "signal"]);
    return repairOn(systemPlatform, systemPlatform.absolute(pathOf(directory)), options);
  });
}

/** Repairs a store on any platform: for tests that simulate a disk. */
export async function repairOn(platform: Platform, directory: string, options: RepairOptions): Promise<RepairReport> {
  // Before the lock: taking that creates a file, also where there is no store.
  if (findStore(platform, directory) === "none") {
    throw new KvStoreError("NOT_FOUND", `there is no store in ${directory}`);
  }
  if (options.dryRun === true) return await planRepair(platform, directory, options);
  const lock = takeLock(platform, directory, booleanOf("lock", options.lock, true));
  try {
    const report = await repairHeld({ platform, directory, lock }, options);
    lock.release();
    return report;
  } catch (error) {
    throw releasedAfter(error, lock, platform, directory);
  }
}

/** Repairs a store whose lock the caller holds. */
async function repairHeld(place: LogPlace & { lock: Lock }, options: RepairOptions): Promise<RepairReport> {
  const { platform, directory } = place;
  const store = await verifyFiles(platform, directory, options);
  try {
    const moves = await movesFor(platform, directory, store);
    const report = reportOf(store, moves);
    if (store.problems.length > 0) await rewrite(place, store, moves);
    return report;
  } finally {
    store.close();
  }
}

/** What a repair would do. It writes nothing, so it takes no lock either, and reads as verify does beside a writer. */
async function planRepair(platform: Platform, directory: string, options: WorkOptions): Promise<RepairReport> {
  const store = await verifySettled(platform, directory, options);
  try {
    return reportOf(store, await movesFor(platform, directory, store));
  } finally {
    store.close();
  }
}

function reportOf({ found }: VerifiedStore, moves: Move[]): RepairReport {
  return {
    problems: found.problems,
    lostKeys: found.lostKeys(),
    lostSequences: found.lostSequences,
    keptRecords: found.records,
    movedAside: moves.map(({ target }) => target),
  };
}

/** Which files a repair moves aside. Throws `CORRUPT` if there is nothing to make a manifest of. */
async function movesFor(platform: Platform, directory: string, store: VerifiedStore): Promise<Move[]> {
  const { problems, segments, rebuilt } = store;
  if (problems.length === 0) return [];
  if (segments.length === 0 && segmentFiles(platform, directory).length > 0) {
    throw corrupt(MANIFEST_NAME, 0, `it cannot be used, and no segment in ${directory} has an intact header`);
  }
  const damaged = segments.filter(({ isDamaged }) => isDamaged).map(({ name }) => name);
  const files = rebuilt === undefined ? damaged : [MANIFEST_NAME, ...damaged, ...rebuilt.unused];
  return await asIo(`read the folder ${ASIDE}`, () => planMoves(platform, directory, files));
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
  for (const move of moves) await asIo(`copy ${move.name} to ${move.target}`, () => keep(platform, directory, move));
  const known = Math.max(manifest.nextSequence - 1, found.highestSequence);
  const highest = found.lostSequences.map(([, last]) => last).reduce(highestOf, known);
  const damaged = segments.filter(({ isDamaged }) => isDamaged);
  // Numbers that strays have in their names are skipped. There must be enough: reserving more would replace the
  // manifest before the copies are whole.
  const reserved = damaged.length + segmentFiles(platform, directory).length;
  // The first manifest reserves the numbers of the copies and lists what the old one listed, missing files included:
  // after an interruption, the next repair finds what this one found.
  const first: Manifest = {
    ...manifest,
    generation: manifest.generation + 1,
    nextSegment: manifest.nextSegment + reserved,
    nextSequence: highest + 2 ** 32,
    historyFloor: highest,
  };
  writeManifest(place, first);
  const intact = segments.flatMap(({ segment, isDamaged }) => isDamaged ? [] : segment ?? []);
  const log = new Log(place, { ...first, nextSegment: manifest.nextSegment }, intact);
  log.manifestFile.noteDurable(first);
  const copies: Segment[] = [];
  try {
    for (const segment of damaged.flatMap(({ segment }) => segment ?? [])) {
      const copier = new SegmentCopier(log);
      copies.push(copier.segment);
      await copyIntact(copier, segment);
      await copier.end().finish();
    }
    asIo(`remove ${IMAGE_NAME}`, () => removeIfThere(platform, log.path(IMAGE_NAME)));
    log.syncNamesNow();
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
    if (reason === undefined) copier.copy(cursor);
    else copier.bury(cursor);
    if (slices.count(length)) await slices.pause();
  }
}
