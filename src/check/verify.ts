/**
 * Verify: whether a store's files are intact, and whether its index agrees with them.
 *
 * @module
 */
import { asIo, isTrimmed } from "../errors.ts";
import { timeBy } from "../expiries.ts";
import { segmentNumberOf } from "../engine/segment.ts";
import { shadowOf } from "../lazy_index/shadow.ts";
import { forgetExpired } from "../follow/floor.ts";
import { Tries } from "../follow/tries.ts";
import { IMAGE_NAME } from "../image/image.ts";
import { platform as systemPlatform } from "../platform/mod.ts";
import { pathOf } from "../platform/path.ts";
import { RESERVE_NAME } from "../platform/reserve.ts";
import { finishInSlices, paced } from "../platform/turn.ts";
import type { Platform } from "../platform/types.ts";
import { ASIDE, LOCK_NAME } from "../store/names.ts";
import type { OpenStore } from "../store/open_store.ts";
import { checkNames } from "../store/options.ts";
import { irregularity } from "../store/strays.ts";
import type { VerifyReport, WorkOptions } from "../types.ts";
import { list, problemOf } from "./problems.ts";
import { asRecorded, isOutdated, type StoreSurvey, surveyOnce } from "./survey.ts";
import { Verification } from "./verification.ts";
import { accountOf, verifyImage, verifyIndex } from "./verify_index.ts";

/** How often verify reads a store whose files a writer replaces meanwhile. */
const MAX_TRIES = 4;

/** A store that has been surveyed and verified: `problems` are those of both. */
export interface VerifiedStore extends StoreSurvey {
  /** What the verification found. */
  found: Verification;
}

/**
 * Reads every byte of the store in a directory, builds the index from the log, and compares it with the stored image of
 * the index. It needs no lock, changes nothing, and works beside a writer and on stores that `KvStore.open` refuses.
 *
 * @throws {KvStoreError} `NOT_FOUND`, `FORMAT`, `IO`
 */
export function verifyStore(directory: string | URL, options: WorkOptions = {}): Promise<VerifyReport> {
  return paced(() => {
    checkNames("verifyStore", options, ["onProgress", "signal"]);
    return verifyOn(systemPlatform, systemPlatform.absolute(pathOf(directory)), options);
  });
}

/** Verifies a store on any platform: for tests that simulate a disk. */
export async function verifyOn(platform: Platform, directory: string, options: WorkOptions): Promise<VerifyReport> {
  const store = await verifySettled(platform, directory, options);
  try {
    lookAtOthers(platform, directory, store);
    return { problems: store.problems, notes: store.found.notes };
  } finally {
    store.close();
  }
}

/** Surveys and verifies a store that a writer may have open: begins anew if it replaces what is being read. */
export async function verifySettled(
  platform: Platform,
  directory: string,
  options: WorkOptions,
): Promise<VerifiedStore> {
  const tries = new Tries(platform, directory, MAX_TRIES);
  for (;;) {
    try {
      const store = await verifyFiles(platform, directory, options);
      if (!isOutdated(store, tries)) return store;
      store.close();
    } catch (error) {
      if (!isTrimmed(error) || !tries.again(undefined)) throw error;
    }
  }
}

/** Surveys a store and verifies its files. Throws `NOT_FOUND` or `FORMAT`, and nothing because of damage. */
export async function verifyFiles(
  platform: Platform,
  directory: string,
  options: WorkOptions,
): Promise<VerifiedStore> {
  const survey = await finishInSlices(surveyOnce(platform, directory));
  const { manifest, segments, problems } = survey;
  const found = new Verification(segments, problems);
  const store = { ...survey, found };
  try {
    await found.run(options);
    if (problems.length === 0) problems.push(...await verifyImage(platform, directory, store));
    // Only now: an image knows nothing of the time.
    found.index.expire(Math.max(timeBy(platform, manifest.clockFloor), manifest.clockFloor));
    return store;
  } catch (error) {
    survey.close();
    throw error;
  }
}

/** Verifies an open store as it is when this is called. Reading and writing go on meanwhile. */
export async function verifyOpen(store: OpenStore, options: WorkOptions): Promise<VerifyReport> {
  const failure = store.writer?.write();
  if (failure !== undefined) throw failure;
  const view = store.openView();
  try {
    store.countExpired();
    const listed = [...store.log.segments.values()];
    const accounts = listed.map(accountOf);
    const segments = listed.map(shadowOf);
    const surveyed = segments.map((one) => asRecorded(one.name, one, { endBytes: one.endBytes, isComplete: true }));
    const found = new Verification(surveyed, []);
    await found.run(options, () => store.checkOpen());
    const { problems, notes } = found;
    if (problems.length > 0) return { problems, notes };
    // As of the view: what expires meanwhile must not matter.
    found.index.expire(view.now);
    found.index.countExpired(segments);
    const find = (bytes: Uint8Array) => store.views.find(view, { bytes, start: 0, length: bytes.length });
    forgetExpired(store, found.index, {
      segments: new Map(segments.map((segment) => [segment.number, segment])),
      isThere: (key) => store.views.find(view, key) !== undefined,
    });
    problems.push(...await verifyIndex("the index in memory", found.index, view.size, find));
    segments.forEach((segment, i) => {
      const [account, expected] = [accounts[i], accountOf(segment)];
      if (account === expected) return;
      list(problems, problemOf(segment.name, `the account is ${account}; the log says ${expected}`));
    });
    return { problems, notes };
  } finally {
    store.release(view);
  }
}

/** Looks at LOCK, and notes files that are not part of the store, or no longer. */
function lookAtOthers(platform: Platform, directory: string, { manifest, problems, found }: VerifiedStore): void {
  const unlockable = irregularity(platform, `${directory}/${LOCK_NAME}`);
  if (unlockable !== undefined) list(problems, problemOf(LOCK_NAME, `${unlockable}: nobody can lock it; remove it`));
  const ours = new Set(["MANIFEST", LOCK_NAME, IMAGE_NAME, RESERVE_NAME, ...found.problems.map(({ file }) => file)]);
  const listed = new Set(manifest.segments.map(({ number }) => number));
  for (const name of asIo(`list ${directory}`, () => platform.list(directory)).sort()) {
    const number = segmentNumberOf(name);
    if (ours.has(name) || (number !== undefined && listed.has(number))) continue;
    let reason = "it does not belong to the store";
    if (number !== undefined) reason = "a segment that the manifest does not list";
    if (name === ASIDE) reason = "what a repair moved aside";
    list(found.notes, problemOf(name, reason));
  }
}
