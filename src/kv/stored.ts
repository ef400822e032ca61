/**
 * How an entry stands in the store. Its key is the encoded tuple, so the ranges of the store are those of Deno KV. Its
 * value is the number of the commit in eight bytes, high bytes first, and then the encoded value.
 *
 * @module
 */
import { ENCODED } from "./byte_writer.ts";
import { decodeKey } from "./keys.ts";
import type { KvEntry, KvEntryMaybe } from "./types.ts";
import { decodeValue, encodeValue, sizeOfValue } from "./values.ts";

/** Bytes before the encoded value. */
const HEADER_BYTES = 8;

/** A value as it stands in the store. */
export type StoredValue = Uint8Array<ArrayBuffer>;

/** Encodes a value. The number of its commit is still to come. Throws as `encodeValue` does. */
export function storedOf(value: unknown): StoredValue {
  return storedAs(encodeValue(value));
}

/** Makes room for the number of the commit before an encoded value. */
export function storedAs(encoded: Uint8Array): StoredValue {
  const stored = ENCODED.memoryFor(HEADER_BYTES + encoded.length);
  stored.set(encoded, HEADER_BYTES);
  return stored;
}

/** Bytes of the value as Deno counts them. */
export function sizeOf(stored: StoredValue): number {
  return sizeOfValue(stored.subarray(HEADER_BYTES));
}

/** Enters the number of the commit. Returns the value. */
export function stampWith(stored: StoredValue, sequence: number): StoredValue {
  for (let i = HEADER_BYTES - 1, rest = sequence; i >= 0; i--, rest = Math.floor(rest / 256)) stored[i] = rest % 256;
  return stored;
}

/** The number of the commit that set a value. */
export function sequenceOf(stored: Uint8Array): number {
  let sequence = 0;
  for (let i = 0; i < HEADER_BYTES; i++) sequence = sequence * 256 + stored[i]!;
  return sequence;
}

/** The value. */
export function valueOf(stored: Uint8Array): unknown {
  return decodeValue(stored, HEADER_BYTES);
}

/** The entry of a key and what the store has for it. */
export function entryOf<T>(key: Uint8Array, stored: Uint8Array): KvEntry<T> {
  return { key: decodeKey(key), value: valueOf(stored) as T, versionstamp: versionstampOf(sequenceOf(stored)) };
}

/** The entry of a key that the store may have nothing for. */
export function entryMaybe<T>(key: Uint8Array, stored: Uint8Array | undefined): KvEntryMaybe<T> {
  return stored === undefined ? { key: decodeKey(key), value: null, versionstamp: null } : entryOf<T>(key, stored);
}

/** The versionstamp of a commit. Its last four digits are 0, as in Deno, where they tell apart what is one commit here. */
export function versionstampOf(sequence: number): string {
  return `${sequence.toString(16).padStart(16, "0")}0000`;
}
