/**
 * What the calls of the interface take and return: the types of Deno KV.
 *
 * @module
 */
import type { KvKey } from "./keys.ts";
import type { KvU64 } from "./u64.ts";

/** An entry that is there. */
export interface KvEntry<T> {
  /** The key. */
  key: KvKey;
  /** The value. */
  value: T;
  /** The versionstamp of the commit that set it: 20 hexadecimal digits. Later commits have greater ones. */
  versionstamp: string;
}

/** An entry that may be there. */
export type KvEntryMaybe<T> = KvEntry<T> | {
  /** The key. */
  key: KvKey;
  /** There is no value. */
  value: null;
  /** There is no version. */
  versionstamp: null;
};

/** How fresh a read must be. Every read is `"strong"` here. */
export type KvConsistencyLevel = "strong" | "eventual";

/** Options of `get` and `getMany`. */
export interface KvReadOptions {
  /** Accepted, and without effect. */
  consistency?: KvConsistencyLevel | undefined;
}

/** Options of `set`. */
export interface KvSetOptions {
  /** Milliseconds until the entry expires: a whole number. Without it the entry stays, whatever it had before. */
  expireIn?: number | undefined;
}

/** Which keys to list: those with a prefix, whose own key does not count, or those from `start` to before `end`. */
export type KvListSelector =
  | { prefix: KvKey }
  | { prefix: KvKey; start: KvKey }
  | { prefix: KvKey; end: KvKey }
  | { start: KvKey; end: KvKey };

/** Options of `list`. */
export interface KvListOptions extends KvReadOptions {
  /** At most so many entries. */
  limit?: number | undefined;
  /** Go on where another list with the same selector and direction was when it had this cursor. */
  cursor?: string | undefined;
  /** From the last key to the first. */
  reverse?: boolean | undefined;
  /** Checked as Deno does, at most 1,000, and without effect: a list reads one entry after the other. */
  batchSize?: number | undefined;
}

/** What must hold for a commit: the key has this versionstamp still, or, if `null`, no value. An entry will do. */
export interface AtomicCheck {
  /** The key. */
  key: KvKey;
  /** Its versionstamp; `null` if it must have no value. */
  versionstamp: string | null;
}

/** One change of a commit. `sum` (modulo 2^64), `min` and `max` combine with the value that is there, a `KvU64`. */
export type KvMutation =
  & {
    /** The key. */
    key: KvKey;
  }
  & (
    | { type: "set"; value: unknown; expireIn?: number | undefined }
    | { type: "delete" }
    | { type: "sum" | "min" | "max"; value: KvU64 }
  );

/** A commit that was made. */
export interface KvCommitResult {
  /** All checks held. */
  ok: true;
  /** The versionstamp of all that it has set. */
  versionstamp: string;
}

/** A commit that was not made, since a check did not hold. Nothing has changed. */
export interface KvCommitError {
  /** A check did not hold. */
  ok: false;
}

/** Options of `openKv`. */
export interface OpenKvOptions {
  /** `"deno"` (the default): the limits of Deno KV. `"store"`: those of the store. */
  limits?: "deno" | "store" | undefined;
}
