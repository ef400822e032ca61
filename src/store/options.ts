/**
 * Checks options before anything else happens, so that a misspelt one is an error and never ignored.
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
/** Larger than any clock that is right. */
const MAX_TTL_MS = 2 ** 52;

/** The options of `open`, with defaults filled in. */
export interface Settings {
  /** Create the store where there is none. */
  create: boolean;
  /** Open for reading only. */
  readOnly: boolean;
  /** Ask the operating system for the writer lock. */
  lock: boolean;
  /** When the promises of writes resolve. */
  durability: Durability;
  /** Size at which a segment is sealed. */
  segmentBytes: number;
  /** The largest size of the block cache. */
  cacheBytes: number;
  /** Refuse values that JSON would change. */
  strictJson: boolean;
  /** When compaction runs in the background. */
  compaction: { [name in keyof CompactionOptions]-?: NonNullable<CompactionOptions[name]> };
  /** What to do about damage found at opening. */
  recovery: "strict" | "salvage";
  /** Called with errors of background work. */
  onError: ((error: Error) => void) | undefined;
}

/** Checks the options of `open` and fills in defaults. Throws a `TypeError` or `RangeError` that names a wrong one. */
export function settingsOf(options: OpenOptions): Settings {
  checkNames("open", options, [
    "create",
    "readOnly",
    "lock",
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
    create: booleanOf("create", options.create, true),
    readOnly: booleanOf("readOnly", options.readOnly, false),
    lock: booleanOf("lock", options.lock, true),
    durability: durabilityOf(options.durability, "sync"),
    segmentBytes,
    cacheBytes,
    strictJson: booleanOf("strictJson", options.strictJson, false),
    compaction: { auto: booleanOf("auto", compaction.auto, true), staleRatio, minStaleBytes },
    recovery,
    onError: options.onError,
  };
}

/** The durability of a call: `given`, or else `preset`. Throws a `TypeError` for anything unknown. */
export function durabilityOf(given: Durability | undefined, preset: Durability): Durability {
  const durability = given ?? preset;
  if (durability === "sync" || durability === "write") return durability;
  throw new TypeError(`durability is "sync" or "write", not ${JSON.stringify(durability)}`);
}

/**
 * The time when a key expires, in milliseconds since 1970; 0 without an expiry. `now` returns the time. It is at most
 * 2^53 − 1, the largest time that a record can have, whatever the clock says. Throws a
 * `TypeError` for anything but a number or for both options at once, and a `RangeError` for a number out of range.
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
  // In a record 0 means never. A key with the time 1 has expired just as well.
  return ttl === undefined ? Math.max(1, given) : Math.min(now() + Math.ceil(ttl), Number.MAX_SAFE_INTEGER);
}

/** Throws a `TypeError` for options that do not exist. */
export function checkNames(call: string, options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`the options of ${call} are an object, not ${describe(options)}`);
  }
  for (const name in options) {
    if (!known.includes(name) && Object.hasOwn(options, name)) {
      throw new TypeError(`${call} has no option ${JSON.stringify(name)}; it has ${known.join(", ")}`);
    }
  }
}

/** An option that is true or false: `given`, or else `preset`. Throws a `TypeError` for anything else. */
export function booleanOf(name: string, given: boolean | undefined, preset: boolean): boolean {
  if (given === undefined) return preset;
  if (typeof given !== "boolean") throw new TypeError(`${name} is true or false, not ${describe(given)}`);
  return given;
}

/** Throws a `RangeError` for anything but a whole number within bounds. */
export function checkInteger(name: string, given: number, lowest: number, highest: number): void {
  if (Number.isSafeInteger(given) && given >= lowest && given <= highest) return;
  throw new RangeError(`${name} is a whole number from ${lowest} to ${highest}, not ${String(given)}`);
}
