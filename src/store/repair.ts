/**
 * Repair: makes a store that can be opened out of one that is damaged. Everything readable stays; damaged files are
 * moved aside, never destroyed; what was lost is listed.
 *
 * @module
 */
import { asIo, KvStoreError } from "../errors.ts";
import { IMAGE_NAME } from "../index/image.ts";
import { SegmentCopier } from "../log/copier.ts";
import { Log } from "../log/log.ts";
import { MANIFEST_NAME, writeManifest } from "../log/manifest.ts";
import { KIND } from "../log/record.ts";
import { segmentName } from "../log/segment.ts";
import { removeIfThere } from "../platform/files.ts";
import { platform as systemPlatform } from "../platform/mod.ts";
import type { Lock, Platform } from "../platform/types.ts";
import type { RepairReport, WorkOptions } from "../types.ts";
import { type Examined, type ExaminedStore, examineStore } from "./examine.ts";
import { findStore, takeLock } from "./open.ts";
import { checkNames } from "./options.ts";
import { scan } from "./scan.ts";

/** Folder in the store's directory for what is moved aside. */
const ASIDE = "damaged";

/**
 * Repairs the store in a directory: nobody may have it open. A key whose newest value is damaged is lost, and listed;
 * it does not go back silently to an older value.
 *
 * @param options `dryRun`: only say what would be done
 * @throws {KvStoreError} `LOCKED`, `NOT_FOUND`, `FORMAT`, `IO`
 */
export async function repairStore(
  directory: string,
  options: { dryRun?: boolean } & WorkOptions = {},
): Promise<RepairReport> {
  checkNames("repairStore", options, ["dryRun", "onProgress", "signal"]);
  return await repairOn(systemPlatform, systemPlatform.absolute(directory), options);
}

/** The same on any platform. */
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
  const examined = await examineStore(platform, directory, options);
  try {
    const { found, segments, isRebuilt } = examined;
    const damaged = segments.filter((segment) => segment.isDamaged);
    const report: RepairReport = {
      problems: found.problems,
      lostKeys: found.lostKeys(),
      lostSequences: found.lostSequences,
      keptRecords: found.records,
      movedAside: [],
    };
    if (report.problems.length === 0) return report;
    const names = asIo(`list ${directory}`, () => platform.list(directory));
    const aside = [...damaged.map(({ listed }) => segmentName(listed.number)), ...(isRebuilt ? [MANIFEST_NAME] : [])];
    report.movedAside = aside.filter((name) => names.includes(name)).map((name) => `${ASIDE}/${name}`);
    if (options.dryRun !== true) rewrite(platform, directory, lock, examined, report);
    return report;
  } finally {
    examined.close();
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

/** Copies what is intact of the damaged segments, makes that count, and moves the damaged files aside. */
function rewrite(
  platform: Platform,
  directory: string,
  lock: Lock,
  examined: ExaminedStore,
  report: RepairReport,
): void {
  const { manifest, segments, found, isRebuilt } = examined;
  const highest = Math.max(
    manifest.nextSequence,
    found.highestSequence + 1,
    ...report.lostSequences.map(([, last]) => last + 1),
  );
  const repaired = { ...manifest, generation: manifest.generation + 1, clean: false, nextSequence: highest + 2 ** 32 };
  if (isRebuilt) moveAside(platform, directory, MANIFEST_NAME);
  const unsealed = segments.find(({ listed }) => listed.sealedBytes === 0);
  const replaced = segments.filter((one) => one.isDamaged || (one === unsealed && !manifest.clean));
  // First of all a manifest that lists everything, also what is missing, and reserves the numbers of the copies: an
  // interrupted repair finds again what this one found.
  writeManifest(platform, directory, { ...repaired, nextSegment: repaired.nextSegment + replaced.length });
  const log = new Log({ platform, directory, lock }, repaired);
  for (const { segment } of segments) if (segment !== undefined) log.adopt(segment);
  const copies: SegmentCopier[] = [];
  log.assumeReserved(replaced.length);
  if (unsealed?.segment !== undefined) {
    log.active = unsealed.segment;
    log.syncedBytes = manifest.mark.offset;
  }
  try {
    for (const { segment } of replaced) {
      if (segment === undefined) continue;
      const copier = new SegmentCopier(log, log.createSegment([]));
      copies.push(copier);
      copyIntact(copier, segment, segment.endBytes);
      copier.finishNow();
    }
    log.active = undefined;
    for (const { listed } of replaced) log.segments.delete(listed.number);
    for (const { segment } of copies) log.adopt(segment);
    for (const segment of log.segments.values()) segment.sealed = true;
    asIo(`remove ${IMAGE_NAME}`, () => removeIfThere(platform, log.path(IMAGE_NAME)));
    log.replaceManifest({ clean: true });
  } finally {
    for (const { segment } of copies) segment.handle.close();
  }
  for (const { listed, isDamaged } of replaced) setAside(platform, directory, segmentName(listed.number), isDamaged);
}

/**
 * A damaged file is kept for whoever wants to look at it; one that was copied for being unfinished alone is not needed.
 */
function setAside(platform: Platform, directory: string, name: string, isDamaged: boolean): void {
  if (isDamaged) moveAside(platform, directory, name);
  else asIo(`remove ${name}`, () => removeIfThere(platform, `${directory}/${name}`));
}

/** Copies all intact records. A damaged value becomes a tombstone: else an older value of the key would come back. */
function copyIntact(copier: SegmentCopier, segment: Examined["segment"] & object, end: number): void {
  for (const { cursor, isRecord, reason } of scan(segment, segment.headerBytes, end)) {
    if (!isRecord || cursor.kind === KIND.mark) continue;
    copier.copy(cursor, reason === undefined ? undefined : KIND.delete);
  }
}

function moveAside(platform: Platform, directory: string, name: string): void {
  asIo(`move ${name} to ${ASIDE}`, () => {
    try {
      platform.makeDirectory(`${directory}/${ASIDE}`);
    } catch (error) {
      if (!platform.isAlreadyThere(error)) throw error;
    }
    const taken = new Set(platform.list(`${directory}/${ASIDE}`));
    let target = name;
    for (let i = 1; taken.has(target); i++) target = `${name}.${i}`;
    try {
      platform.rename(`${directory}/${name}`, `${directory}/${ASIDE}/${target}`);
    } catch (error) {
      if (!platform.isNotFound(error)) throw error;
    }
    platform.syncDirectory(`${directory}/${ASIDE}`);
    platform.syncDirectory(directory);
  });
}
