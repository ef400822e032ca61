/**
 * Options: checked before anything else happens, so that a misspelt one is an error and never silence.
 *
 * @module
 */
import { describe } from "../kinds.ts";
import type { CompactionOptions, Durability, Expiry, OpenOptions } from "../types.ts";

const MEBIBYTE = 1024 * 1024;
const MIN_SEGMENT_BYTES = 4096;
const MAX_SEGMENT_OPTION_BYTES = 1024 * MEBIBYTE;
const DEFAULT_SEGMENT_BYTES = 64 * MEBIBYTE;
const MAX_CACHE_BYTES = 64 * 1024 * MEBIBYTE;
const DEFAULT_CACHE_BYTES = 256 * MEBIBYTE;
/** Far beyond any clock, and so far below 2^53 that a time so long from now is below it, too. */
const MAX_TTL_MS = 2 ** 52;

/** The options of an open store, complete. */
export interface Settings {
  /** Create the store where there is none. */
  create: boolean;
  /** Change nothing. */
  readOnly: boolean;
  /** When writes count as done. */
  durability: Durability;
  /** Size at which a segment is sealed. */
  segmentBytes: number;
  /** Most memory for blocks of the log that were read. */
  cacheBytes: number;
  /** Refuse values that JSON would change. */
  strictJson: boolean;
  /** When compaction runs by itself. */
  compaction: { [name in keyof CompactionOptions]-?: NonNullable<CompactionOptions[name]> };
  /** What to do about damage. */
  recovery: "strict" | "salvage";
  /** Hears of errors in the background. */
  onError: ((error: Error) => void) | undefined;
}

/** Completes the options of `open`. Throws a `TypeError` or `RangeError` that names the wrong one. */
export function settingsOf(options: OpenOptions): Settings {
  checkNames("open", options, [
    "create",
    "readOnly",
    "durability",
    "segmentBytes",
    "cacheBytes",
    "strictJson",
    "compaction",
    "recovery",
    "onError",
  ]);
  const compaction = options.compaction ?? {};
  checkNames("open's compaction", compaction, ["auto", "staleRatio", "minStaleBytes"]);
  const segmentBytes = options.segmentBytes ?? DEFAULT_SEGMENT_BYTES;
  checkInteger("segmentBytes", segmentBytes, MIN_SEGMENT_BYTES, MAX_SEGMENT_OPTION_BYTES);
  const cacheBytes = options.cacheBytes ?? DEFAULT_CACHE_BYTES;
  checkInteger("cacheBytes", cacheBytes, 0, MAX_CACHE_BYTES);
  const staleRatio = compaction.staleRatio ?? 0.5;
  if (!(staleRatio > 0 && staleRatio <= 1)) {
    throw new RangeError(`staleRatio must be above 0 and at most 1, not ${String(staleRatio)}`);
  }
  const minStaleBytes = compaction.minStaleBytes ?? Math.floor(segmentBytes / 4);
  checkInteger("minStaleBytes", minStaleBytes, 0, Number.MAX_SAFE_INTEGER);
  const recovery = options.recovery ?? "strict";
  if (recovery !== "strict" && recovery !== "salvage") {
    throw new TypeError(`recovery is "strict" or "salvage", not ${JSON.stringify(recovery)}`);
  }
  if (options.onError !== undefined && typeof options.onError !== "function") {
    throw new TypeError(`onError is a function, not ${describe(options.onError)}`);
  }
  return {
    create: flag("create", options.create, true),
    readOnly: flag("readOnly", options.readOnly, false),
    durability: durabilityOf(options.durability, "sync"),
    segmentBytes,
    cacheBytes,
    strictJson: flag("strictJson", options.strictJson, false),
    compaction: { auto: flag("auto", compaction.auto, true), staleRatio, minStaleBytes },
    recovery,
    onError: options.onError,
  };
}

/** The durability of a call. Throws a `TypeError` for anything but the two there are. */
export function durabilityOf(given: Durability | undefined, preset: Durability): Durability {
  const durability = given ?? preset;
  if (durability === "sync" || durability === "write") return durability;
  throw new TypeError(`durability is "sync" or "write", not ${JSON.stringify(durability)}`);
}

/**
 * The time that an expiry names, `now` being the time; 0 if there is none. Throws a `TypeError` for a wrong kind of number,
 * or both at once, and a `RangeError` for one out of range.
 */
export function expiryTimeOf({ ttl, expiresAt }: Expiry, now: () => number): number {
  if (ttl === undefined && expiresAt === undefined) return 0;
  if (ttl !== undefined && expiresAt !== undefined) throw new TypeError("a key has a ttl or an expiresAt, not both");
  const [name, given] = ttl === undefined ? ["expiresAt", expiresAt] : ["ttl", ttl];
  if (typeof given !== "number") throw new TypeError(`${name} is a number of milliseconds, not ${describe(given)}`);
  if (ttl === undefined) checkInteger(name, given, 0, Number.MAX_SAFE_INTEGER);
  else if (!(ttl > 0 && ttl <= MAX_TTL_MS)) {
    throw new RangeError(`ttl is a number of milliseconds above 0 and up to ${MAX_TTL_MS}, not ${String(ttl)}`);
  }
  // 0 stands for never; at either time it is long past.
  return ttl === undefined ? Math.max(1, given) : now() + Math.ceil(ttl);
}

/** Refuses options that there are not. */
export function checkNames(call: string, options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`the options of ${call} are an object, not ${describe(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new TypeError(`${call} has no option ${JSON.stringify(name)}; it has ${known.join(", ")}`);
    }
  }
}

function flag(name: string, given: boolean | undefined, preset: boolean): boolean {
  if (given === undefined) return preset;
  if (typeof given !== "boolean") throw new TypeError(`${name} is true or false, not ${describe(given)}`);
  return given;
}

/** Refuses anything but a whole number within bounds. */
export function checkInteger(name: string, given: number, lowest: number, highest: number): void {
  if (Number.isSafeInteger(given) && given >= lowest && given <= highest) return;
  throw new RangeError(`${name} is a whole number from ${lowest} to ${highest}, not ${String(given)}`);
}
