/**
 * History: the versions of a key that the log still holds. The index does not have the old ones, so finding them takes
 * a pass over the whole log, in slices.
 *
 * @module
 */
import { startsWith } from "../bytes.ts";
import { corrupt, KvStoreError } from "../errors.ts";
import { describe } from "../kinds.ts";
import { RecordCursor } from "../engine/cursor.ts";
import { KIND, valueTypeOf } from "../engine/record.ts";
import type { Segment } from "../engine/segment.ts";
import type { HistoryOptions, Key, Version, WorkOptions } from "../types.ts";
import type { OpenStore } from "../store/open_store.ts";
import { EncodedKey } from "../store/keys.ts";
import { booleanOf, checkInteger, checkNames } from "../store/options.ts";
import { slicesFor } from "../check/scan.ts";
import { decodeValue, type EncodedValue } from "../store/values.ts";

const TYPES = { [KIND.set]: "set", [KIND.delete]: "delete", [KIND.clear]: "clear" } as const;

/** The versions of a key, the newest first. */
export async function historyOf(store: OpenStore, key: Key, options: HistoryOptions): Promise<Version[]> {
  store.checkOpen();
  checkNames("history", options, ["limit", "values", "onProgress", "signal"]);
  const readsValues = booleanOf("values", options.values, false);
  const { limit = Infinity } = options;
  if (limit !== Infinity) checkInteger("limit", limit, 0, Number.MAX_SAFE_INTEGER);
  const versions: Version[] = [];
  // Sequence number of the oldest version that is not a clear.
  let oldest = Infinity;
  await readRecords(store, { key, options }, (cursor, { name: segment }) => {
    const { sequence: seq, offset, length: bytes, expiresAt } = cursor;
    const type = TYPES[cursor.kind as keyof typeof TYPES];
    if (type !== "clear") oldest = Math.min(oldest, seq);
    const version: Version = { seq, type, segment, offset, bytes, live: false };
    if (expiresAt !== 0) version.expiresAt = expiresAt;
    if (readsValues && type === "set" && cursor.checkValue()) {
      version.value = decodeValue(valueTypeOf(cursor.flags), cursor.value);
    }
    versions.push(version);
    // Keeps memory to twice the limit, however often the key was written.
    if (versions.length > 2 * limit) keepNewest(versions, limit);
    return false;
  });
  keepNewest(versions, limit);
  // The newest set is live, unless it has expired. Expire first, to judge that by the same time as reads.
  store.expire();
  const [newest] = versions;
  if (newest?.type === "set") newest.live = (newest.expiresAt ?? Infinity) > store.log.now();
  // A clear is a version of the key only if there was an older one.
  return versions.filter(({ type, seq }) => type !== "clear" || seq > oldest);
}

/** An old value that the log still holds. */
export interface OldValue {
  /** The value in its encoded form. */
  value: EncodedValue;
  /** When it expires or expired; 0: never. */
  expiresAt: number;
}

/** Reads the value of one version of a key. Rejects with `NOT_FOUND` if the log does not hold it any more. */
export async function versionOf(store: OpenStore, key: Key, seq: number): Promise<OldValue> {
  if (!Number.isSafeInteger(seq)) {
    throw new TypeError(`a sequence number is a whole number, not ${typeof seq === "number" ? seq : describe(seq)}`);
  }
  let found: OldValue | undefined;
  await readRecords(store, { key, options: {}, seq }, (cursor, { name }) => {
    if (cursor.sequence !== seq || cursor.kind !== KIND.set) return false;
    if (!cursor.checkValue()) throw corrupt(name, cursor.offset, "checksum of a value");
    const value = { type: valueTypeOf(cursor.flags), data: cursor.value.slice() };
    found = { value, expiresAt: cursor.expiresAt };
    return true;
  });
  if (found !== undefined) return found;
  throw new KvStoreError("NOT_FOUND", `the log holds no value of this key with sequence number ${seq}`);
}

/**
 * Reads the records of a key and all clears, segment by segment, until `visit` returns true. It includes every write
 * before the call. A view keeps the segments on disk meanwhile.
 */
async function readRecords(
  store: OpenStore,
  { key, options, seq }: { key: Key; options: WorkOptions; seq?: number },
  visit: (cursor: RecordCursor, segment: Segment) => boolean,
): Promise<void> {
  const wanted = new EncodedKey().encode(key).copy();
  const failure = store.writer?.write();
  if (failure !== undefined) throw failure;
  const mayHold = ({ sealed, lowestSequence, highestSequence }: Segment) =>
    seq === undefined || !sealed || (lowestSequence <= seq && seq <= highestSequence);
  const view = store.openView();
  try {
    const segments = [...store.log.segments.values()].filter(mayHold);
    const extents = segments.map((segment) => ({ segment, endBytes: segment.endBytes }));
    const slices = slicesFor(
      options,
      extents.reduce((sum, { endBytes }) => sum + endBytes, 0),
      () => store.checkOpen(),
    );
    for (const { segment, endBytes } of extents) {
      const cursor = new RecordCursor(segment, segment.headerBytes, endBytes);
      while (cursor.next()) {
        if (cursor.kind === KIND.clear || (cursor.kind !== KIND.mark && isKey(cursor, wanted))) {
          if (visit(cursor, segment)) return;
        }
        if (slices.count(cursor.length)) await slices.pause();
      }
      if (cursor.reason !== undefined) throw corrupt(segment.name, cursor.offset, cursor.reason);
    }
  } finally {
    store.release(view);
  }
}

function isKey({ bytes, at, keyStart, keyLength }: RecordCursor, wanted: Uint8Array): boolean {
  return keyLength === wanted.length && startsWith(bytes, wanted, at + keyStart);
}

function keepNewest(versions: Version[], count: number): void {
  versions.sort((a, b) => b.seq - a.seq);
  versions.length = Math.min(versions.length, count);
}
