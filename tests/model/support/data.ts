/**
 * What the model test writes: keys that collide and come back often, values of all kinds and sizes, and how both are
 * compared.
 *
 * @module
 */
import { crc32 } from "../../../src/platform/checksum.ts";
import type { Key, Range, Value } from "../../../src/types.ts";

/**
 * What the model knows of a key: in which form it was set last, its value, short enough to keep and to compare, and
 * when it expires (`Infinity`: never).
 */
export interface Entry {
  isString: boolean;
  value: string;
  expiresAt: number;
  /** The number of the call that set it; none if it was found at opening. */
  id?: number;
}

/**
 * Keys, by their bytes as a string of one character a byte, with what they have. Entries are never changed in place.
 */
export type State = Map<string, Entry>;

/** How much of what a run deals with. */
export interface Profile {
  name: string;
  keys: number;
  /** Longest key in bytes. */
  keyBytes: number;
  /** Operations of a batch, at most. */
  batch: number;
  /** Most values are shorter than this. */
  valueBytes: number;
  /** Few values are longer than this. */
  largeBytes: number;
  segmentBytes: number[];
}

/** A value as it is generated: what is in it follows from how many came before. */
export interface ValueOf {
  kind: "bytes" | "text" | "json" | "tiny";
  length: number;
}

/** A range as it is generated: keys by their numbers. */
export type RangeOf = Partial<Record<"prefix" | "gt" | "gte" | "lt" | "lte" | "limit", number | undefined>> & {
  reverse?: boolean | undefined;
  asBytes?: boolean | undefined;
};

const SMALL: Profile = {
  name: "few keys",
  keys: 12,
  keyBytes: 6,
  batch: 6,
  valueBytes: 60,
  largeBytes: 7000,
  segmentBytes: [4096],
};

/**
 * Few keys, so that overwriting and resurrecting are common; and what it takes to write images of the index, also in
 * several slices.
 */
export const PROFILES: readonly Profile[] = [
  SMALL,
  { ...SMALL, name: "some keys", keys: 50, segmentBytes: [4096, 4096, 16_384] },
  { ...SMALL, name: "many segments", keys: 40, valueBytes: 900 },
  { ...SMALL, name: "large values", keys: 25, valueBytes: 600, largeBytes: 20_000 },
  { ...SMALL, name: "many keys", keys: 1500, keyBytes: 12, batch: 500, largeBytes: 2000, segmentBytes: [4096, 65_536] },
  { ...SMALL, name: "long keys", keys: 400, keyBytes: 20_000, batch: 250, segmentBytes: [4096, 1 << 20] },
];

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("latin1");
const TINY: readonly Value[] = [true, false, null, "", new Uint8Array(0), {}, 0];
const BEGINNINGS = ["", "\ufeff", "\ud800", "\u{1f600}", "ä"];

/** Makes keys, values and ranges from what was generated. */
export class Data {
  readonly #keys: Uint8Array[];
  #values = 0;

  /** Data for one run. */
  constructor(profile: Profile) {
    this.#keys = Array.from({ length: profile.keys }, (_, number) => keyBytes(number, profile.keyBytes));
  }

  /** A key. Each has two numbers: by the even one it is text, if its bytes are. */
  key(number: number): Key {
    const bytes = this.#keys[number >> 1]!;
    return (number % 2 === 0 ? textOf(bytes) : undefined) ?? bytes.slice();
  }

  /** A value that no other call has returned, unless it is a tiny one. */
  value({ kind, length }: ValueOf): Value {
    const number = ++this.#values;
    switch (kind) {
      case "json":
        return [number, -number / 3, { number }, [number, null, "x".repeat(length)], {
          a: { "": [number] },
        }][length % 5]!;
      case "text":
        return `${BEGINNINGS[length % 5]}${number}${"·".repeat(length / 2)}`;
      case "tiny":
        return TINY[length % TINY.length]!;
      case "bytes":
        return Uint8Array.from({ length }, (_, i) => number >> (i % 4 * 8) ^ i);
    }
  }

  /** A range; bounds are keys, or close to them. */
  range(of: RangeOf): Range {
    const range: Range = {};
    for (const bound of ["prefix", "gt", "gte", "lt", "lte"] as const) {
      const number = of[bound];
      if (number === undefined) continue;
      const key = this.key(number);
      if (bound !== "prefix") range[bound] = key;
      else range.prefix = typeof key === "string" ? [...key].slice(0, 1).join("") : key.slice(0, number % 3);
    }
    if (of.limit !== undefined) range.limit = of.limit;
    if (of.reverse !== undefined) range.reverse = of.reverse;
    if (of.asBytes) range.keys = "bytes";
    return range;
  }
}

/** Keys of a kind by turns: none, letters, whatever bytes, and text that JavaScript sorts otherwise than its bytes. */
function keyBytes(number: number, longestBytes: number): Uint8Array {
  if (number === 0) return new Uint8Array(0);
  if (number % 5 === 3) return ENCODER.encode("\u{ffff}\u{10000}é".slice(number % 3) + number);
  const length = 1 + number * 7919 % (number % 2 === 0 ? 3 : longestBytes);
  return Uint8Array.from({ length }, (_, i) => {
    const byte = Math.imul(number * 31 + i, 0x9e3779b1) >>> 16 & 255;
    if (number % 5 !== 4) return 97 + byte % 5;
    return byte < 70 ? 255 : byte;
  });
}

/** The bytes of a key as a string of one character a byte: `<` compares those as the store compares keys. */
export function nameOf(key: Key): string {
  let name = "";
  for (const byte of typeof key === "string" ? ENCODER.encode(key) : key) name += String.fromCharCode(byte);
  return name;
}

/** A value, short enough to keep and to compare; `undefined` stays. */
export function digestOf(value: Value): string;
export function digestOf(value: Value | undefined): string | undefined;
export function digestOf(value: Value | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (value instanceof Uint8Array) return `bytes ${value.length} ${crc32(value)}`;
  return typeof value === "string" ? `text ${value}` : `json ${JSON.stringify(value)}`;
}

/** What the model keeps of a key and its value. */
export function entryOf(key: Key, value: Value, expiresAt: number = Infinity): [name: string, entry: Entry] {
  return [nameOf(key), { isString: typeof key === "string", value: digestOf(value), expiresAt }];
}

/** An entry, if it has not expired. */
export function alive(entry: Entry | undefined, nowMs: number): Entry | undefined {
  return entry !== undefined && entry.expiresAt > nowMs ? entry : undefined;
}

/** What of a state has not expired. */
export function aliveAt(nowMs: number, state: State): State {
  return new Map([...state].filter(([, entry]) => entry.expiresAt > nowMs));
}

/** What of a state lies within a range, in its order. */
export function within(state: State, range: Range): [name: string, entry: Entry][] {
  const bound = (key: Key | undefined) => key === undefined ? undefined : nameOf(key);
  const [prefix, gt, gte, lt, lte] = [range.prefix, range.gt, range.gte, range.lt, range.lte].map(bound);
  const names = [...state.keys()].filter((name) =>
    (prefix === undefined || name.startsWith(prefix)) && (gt === undefined || name > gt) &&
    (gte === undefined || name >= gte) && (lt === undefined || name < lt) && (lte === undefined || name <= lte)
  ).sort((a, b) => a < b ? -1 : 1);
  if (range.reverse === true) names.reverse();
  return names.slice(0, range.limit).map((name) => {
    const entry = state.get(name)!;
    return [name, range.keys === "bytes" ? { ...entry, isString: false } : entry];
  });
}

/** The text whose UTF-8 form these bytes are, if there is one. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** A name, for people. */
export function printable(name: string): string {
  const bytes = Uint8Array.from(name.slice(0, 30), (character) => character.charCodeAt(0));
  return JSON.stringify(textOf(bytes) ?? DECODER.decode(bytes)) + (name.length > 30 ? `… (${name.length} bytes)` : "");
}
