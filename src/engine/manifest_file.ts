/**
 * The manifest's file, as the writer of a store keeps it. The log says what is to stand in it and when; this knows what
 * stands in it now.
 *
 * It is replaced in one step, which blocks while the disk works, or in two: first the new one is written and synced under
 * a temporary name, without blocking, and later it gets its name. Both ways use the same temporary name, so whatever is
 * replaced or prepared in between makes the prepared one void.
 *
 * A manifest also reserves numbers for segments that are yet to come. None is given out twice, also across a crash.
 *
 * @module
 */
import { asIo, ioError, KvStoreError, noSpace } from "../errors.ts";
import { prepareReplacement, putInPlace, replaceDurably, type Replacement } from "../platform/files.ts";
import type { LogPlace } from "./log.ts";
import { encodeManifest, type Manifest, MANIFEST_NAME, MAX_SEGMENTS } from "./manifest.ts";
import { MAX_SEQUENCE } from "./record.ts";

/** Each manifest reserves this many segment numbers ahead, so that few new files need a new manifest first. */
const SPARE_NUMBERS = 8;
/** Segment numbers are 32-bit fields, and the manifest names numbers above the last one in use. */
const MAX_SEGMENT_NUMBER = 2 ** 32 - 1 - 2 * SPARE_NUMBERS;
const TOO_MANY = `a store has at most ${MAX_SEGMENTS} segments: compact it, with larger ones (segmentBytes)`;

/** What the log says in a manifest. The rest is about the store, the file, and the numbers of segments. */
export type LogContent = Omit<Manifest, "storeId" | "generation" | "clean" | "nextSegment">;

/** How to replace a manifest: whether the store is closed cleanly with it, and what `prepare` has returned for it. */
export type ReplaceOptions = { clean: boolean; prepared?: Manifest | undefined };

/** The manifest of an open store. A reader only knows the one that it has read. */
export class ManifestFile {
  /**
   * What stands in the manifest that has its name, but for the segments. If it was prepared, a crash may bring the one
   * before back until the name is durable.
   */
  latest: Omit<Manifest, "segments">;
  /** Counts the replacements, also those that failed. */
  generation: number;
  readonly #place: LogPlace;
  /** The number that the next segment gets. */
  #nextSegment: number;
  /** A manifest that is durable reserves the numbers below this. */
  #reservedBelow: number;
  /** What is under the temporary name, unless the manifest was replaced since. */
  #prepared: Manifest | undefined;

  /** The file of a manifest that was read, and that is durable. */
  constructor(place: LogPlace, manifest: Manifest) {
    this.#place = place;
    this.latest = manifest;
    this.generation = manifest.generation;
    this.#nextSegment = this.#reservedBelow = manifest.nextSegment;
  }

  /** Gives out the next segment number. Throws if they are used up. */
  takeNumber(): number {
    if (this.#nextSegment <= MAX_SEGMENT_NUMBER) return this.#nextSegment++;
    throw new KvStoreError("IO", "all segment numbers are used up: export and import the store");
  }

  /** Whether no crash makes the manifest forget that a segment number was given out. */
  isReserved(number: number): boolean {
    return number < this.#reservedBelow;
  }

  /** Notes that a manifest is durable under its name, and with it the segment numbers that it reserves. */
  noteDurable({ nextSegment }: Pick<Manifest, "nextSegment">): void {
    this.#reservedBelow = Math.max(this.#reservedBelow, nextSegment);
  }

  /** The manifest that comes next: the latest one, but for what the log says and what this keeps. */
  next(content: LogContent, clean: boolean): Manifest {
    // A clean close frees numbers that were reserved and not used.
    const spare = clean ? 0 : Math.max(this.#reservedBelow - this.#nextSegment, SPARE_NUMBERS);
    const nextSegment = this.#nextSegment + spare;
    return { ...this.latest, ...content, generation: this.generation + 1, clean, nextSegment };
  }

  /**
   * Takes the first step without blocking: writes and syncs the next manifest under the temporary name. Returns
   * `undefined` after a clean close, or if the disk is full: then `replace` does all of it.
   */
  async prepare(content: LogContent): Promise<Manifest | undefined> {
    // That a clean close was not the last word must be durable as soon as the manifest has its name.
    if (this.latest.clean) return undefined;
    const manifest = this.next(content, false);
    // One that was prepared before is void, as both have the same temporary name.
    this.#prepared = manifest;
    const replacement = replacementBy(manifest, this.#place);
    const { platform } = this.#place;
    const isPrepared = await asIo(`prepare ${MANIFEST_NAME}`, () => prepareReplacement(platform, replacement));
    return isPrepared ? manifest : undefined;
  }

  /**
   * Replaces the manifest, durably. One that was prepared for this content only gets its name, which is not durable then.
   * It is void if another one was prepared or put in place since, or if the clock floor is lower by now.
   */
  replace(content: LogContent, { clean, prepared }: ReplaceOptions): void {
    const isReady = prepared !== undefined && prepared === this.#prepared && prepared.clockFloor <= content.clockFloor;
    const manifest = isReady ? prepared : this.next(content, clean);
    this.generation++;
    // Also if it fails: then nobody knows any more what is under the temporary name.
    this.#prepared = undefined;
    const { platform, directory, lock } = this.#place;
    if (isReady) asIo(`replace ${MANIFEST_NAME}`, () => putInPlace(platform, { directory, name: MANIFEST_NAME, lock }));
    else writeManifest(this.#place, manifest);
    // The list of segments may be long. It is not kept, so that the garbage collector need not move it.
    const { segments: _, ...latest } = manifest;
    this.latest = latest;
    // The name of one that was prepared is not durable yet.
    if (!isReady) this.#reservedBelow = manifest.nextSegment;
  }
}

/**
 * Replaces the manifest, as `replaceDurably` does: unless the lock on the store's directory is lost. A directory that
 * becomes a store only with this has none.
 */
export function writeManifest(place: LogPlace, manifest: Manifest): void {
  const replacement = replacementBy(manifest, place);
  asIo(`replace ${MANIFEST_NAME}`, () => replaceDurably(place.platform, replacement));
}

/** The file that a manifest is to be. Throws if there is none that could hold it. */
function replacementBy(manifest: Manifest, { directory, lock }: LogPlace): Replacement {
  const { nextSequence, nextSegment, segments } = manifest;
  if (nextSequence > MAX_SEQUENCE || nextSegment > 2 ** 32 - 1) {
    throw new KvStoreError("IO", "all sequence numbers, or segment numbers, are used up: export and import the store");
  }
  if (segments.length > MAX_SEGMENTS) throw ioError(`replace ${MANIFEST_NAME}`, noSpace(TOO_MANY));
  return { directory, name: MANIFEST_NAME, bytes: encodeManifest(manifest), lock };
}
