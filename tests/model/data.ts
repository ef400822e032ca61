/**
 * What the model test writes: keys that collide and come back often, values of all kinds and sizes, and how both are
 * compared.
 *
 * @module
 */
import { crc32 } from "../../src/platform/checksum.ts";
import type { Key, Range, Value } from "../../src/types.ts";
import type { Random } from "../support/random.ts";

/** What the model knows of a key: in which form it was set last, and its value, short enough to keep and to compare. */
export interface Entry {
  isString: boolean;
  value: string;
}

/** Keys, by their bytes as a string of one character a byte, with what they have. Entries are never changed in place. */
export type State = Map<string, Entry>;

/** How much of what a round deals with. */
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

const SMALL: Profile = {
  name: "few keys",
  keys: 12,
  keyBytes: 6,
  batch: 6,
  valueBytes: 60,
  largeBytes: 7000,
  segmentBytes: [4096],
};

/** Few keys, so that overwriting and resurrecting are common; and what it takes to write images of the index, also in several slices. */
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

/** An entry as the store gave it back. */
export function entryOf(key: Key, value: Value): [name: string, entry: Entry] {
  return [nameOf(key), { isString: typeof key === "string", value: digestOf(value) }];
}

/** Makes keys, values and ranges. */
export class Data {
  readonly #random: Random;
  readonly #profile: Profile;
  readonly #keys: Uint8Array[] = [new Uint8Array(0)];
  #values = 0;

  /** Data for one round. */
  constructor(random: Random, profile: Profile) {
    this.#random = random;
    this.#profile = profile;
    while (this.#keys.length < profile.keys) this.#keys.push(this.#newKey());
  }

  /** One of the keys: mostly in either of its forms, if it has two. */
  key(): Key {
    // Some keys are hot, the others cold: what was written long ago and what was written just now must meet.
    const limit = this.#random.chance(0.6) ? Math.ceil(this.#keys.length / 6) : this.#keys.length;
    const bytes = this.#keys[this.#random.below(limit)]!;
    const text = this.#random.chance(0.7) ? textOf(bytes) : undefined;
    return text ?? bytes.slice();
  }

  /** A value that no other call has returned, unless it is a very short one. */
  value(): Value {
    const random = this.#random;
    const number = ++this.#values;
    const { valueBytes, largeBytes } = this.#profile;
    const length = random.below(random.chance(0.03) ? largeBytes : random.chance(0.1) ? 3000 : valueBytes);
    switch (random.below(6)) {
      case 0:
        return random.pick<Value>([number, -number / 3, { number }, [number, null, "x".repeat(length)], {
          a: { "": [] },
        }]);
      case 1:
        return `${random.pick(["", "\ufeff", "\ud800", "\u{1f600}", "ä"])}${number}${"·".repeat(length / 2)}`;
      case 2:
        return random.chance(0.3)
          ? random.pick<Value>([true, false, null, "", new Uint8Array(0), {}, 0])
          : String(number);
      default:
        return random.bytes(length);
    }
  }

  /** A range; bounds are keys, or close to them. */
  range(): Range {
    const random = this.#random;
    const range: Range = {};
    if (random.chance(0.25)) range.prefix = this.#prefix();
    for (const bound of ["gt", "gte", "lt", "lte"] as const) if (random.chance(0.2)) range[bound] = this.key();
    if (random.chance(0.4)) range.reverse = random.chance(0.8);
    if (random.chance(0.3)) range.limit = random.below(8);
    if (random.chance(0.2)) range.keys = "bytes";
    return range;
  }

  #prefix(): Key {
    const key = this.key();
    return typeof key === "string" ? [...key].slice(0, 1).join("") : key.slice(0, this.#random.below(3));
  }

  #newKey(): Uint8Array {
    const random = this.#random;
    const length = 1 + random.below(random.chance(0.5) ? 3 : this.#profile.keyBytes);
    if (random.chance(0.4)) return random.bytes(length).map((byte) => random.chance(0.3) ? 0xff : byte);
    if (random.chance(0.2)) return ENCODER.encode("\u{ffff}\u{10000}é".slice(random.below(3)) + random.below(99));
    return random.bytes(length).map((byte) => 97 + byte % 5);
  }
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
