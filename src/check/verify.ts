/**
 * Verify: whether a store's files are intact, and whether its index says what they say.
 *
 * @module
 */
import { asIo, isTrimmed } from "../errors.ts";
import { IMAGE_NAME } from "../image/image.ts";
import { RESERVE_NAME } from "../platform/reserve.ts";
import { type Segment, segmentName, segmentNumberOf, shadowOf } from "../engine/segment.ts";
import { platform as systemPlatform } from "../platform/mod.ts";
import { pathOf } from "../platform/path.ts";
import { paced } from "../platform/turn.ts";
import type { Platform } from "../platform/types.ts";
import type { VerifyReport, WorkOptions } from "../types.ts";
import { accountOf, compare, problemOf } from "./compare.ts";
import { countExpired } from "../engine/engine.ts";
import type { OpenStore } from "../store/open_store.ts";
import { Examination, type Examined } from "./examine.ts";
import { checkNames } from "../store/options.ts";
import { ASIDE } from "../store/names.ts";
import { Pace } from "./scan.ts";
import { type ExaminedStore, examineStore, generationOf } from "./survey.ts";

/** How often verify starts over because the writer replaced files under its hands. */
const MAX_TRIES = 3;

/**
 * Reads every byte of the store in a directory, rebuilds the index from the log and compares. Needs no lock and changes
 * nothing; works beside a writer, and on stores that `open` refuses.
 *
 * @throws {KvStoreError} `NOT_FOUND`, `FORMAT`, `IO`
 */
export async function verifyStore(directory: string | URL, options: WorkOptions = {}): Promise<VerifyReport> {
  checkNames("verifyStore", options, ["onProgress", "signal"]);
  return await paced(() => verifyOn(systemPlatform, systemPlatform.absolute(pathOf(directory)), options));
}

/** Verifies a store on any platform: for tests that simulate a disk. */
export async function verifyOn(platform: Platform, directory: string, options: WorkOptions): Promise<VerifyReport> {
  for (let tries = 0;; tries++) {
    const examined = await examineStore(platform, directory, options).catch((error) => {
      if (!isTrimmed(error) || tries === MAX_TRIES) throw error;
    });
    if (examined === undefined) continue;
    try {
      const { problems, notes } = examined.found;
      // Beside a writer, files may have gone while they were read: then what the manifest said holds no longer.
      const isStale = examined.generation !== generationOf(platform, directory);
      if (problems.length > 0 && tries < MAX_TRIES && isStale) continue;
      noteOthers(platform, directory, examined);
      return { problems, notes };
    } finally {
      examined.close();
    }
  }
}

/** Verifies a store that is open, as it is at this moment; reading and writing go on. */
export async function verifyOpen(core: OpenStore, options: WorkOptions): Promise<VerifyReport> {
  const failure = core.writer?.write();
  if (failure !== undefined) throw failure;
  const view = core.openView();
  try {
    core.countExpired();
    const listed = [...core.log.segments.values()];
    const accounts = listed.map(accountOf);
    const segments = new Map(listed.map((segment) => [segment.number, shadowOf(segment)]));
    const found = new Examination(segments);
    const pace = new Pace(options, listed.reduce((sum, segment) => sum + segment.endBytes, 0), () => core.check());
    const examined = [...segments.values()].map((segment) => examinedOf(segment));
    for (const one of examined) await found.read(one, pace);
    await found.finish(examined);
    if (found.problems.length > 0) return found;
    // As of the same time: what has expired meanwhile is no matter.
    found.index.expire(view.now);
    for (const segment of segments.values()) countExpired(segment, found.index);
    const size = view.size;
    const find = (bytes: Uint8Array) => core.views.find(view, { bytes, start: 0, length: bytes.length });
    const problems = await compare("the index in memory", found.index, size, find);
    [...segments.values()].forEach((segment, i) => {
      if (accountOf(segment) !== accounts[i]) {
        problems.push(problemOf(segment.name, `the account is ${accounts[i]}; the log says ${accountOf(segment)}`));
      }
    });
    return { problems, notes: found.notes };
  } finally {
    core.release(view);
  }
}

function examinedOf(segment: Segment): Examined {
  const { name, endBytes, lowestSequence, highestSequence } = segment;
  return {
    name,
    file: name,
    segment,
    headerReason: undefined,
    sequences: [lowestSequence, highestSequence],
    recordedBytes: endBytes,
    requiredBytes: endBytes,
    fileBytes: segment.handle.size(),
    isDamaged: false,
  };
}

/** Files that do not belong to the store, or not any more. */
function noteOthers(platform: Platform, directory: string, { manifest, found }: ExaminedStore): void {
  const ours = new Set(["MANIFEST", "LOCK", IMAGE_NAME, RESERVE_NAME, ...found.problems.map(({ file }) => file)]);
  for (const { number } of manifest.segments) ours.add(segmentName(number));
  for (const name of asIo(`list ${directory}`, () => platform.list(directory)).sort()) {
    if (ours.has(name)) continue;
    let reason = "it does not belong to the store";
    if (segmentNumberOf(name) !== undefined) reason = "a segment that the manifest does not list";
    if (name === ASIDE) reason = "what a repair moved aside";
    found.notes.push(problemOf(name, reason));
  }
}
