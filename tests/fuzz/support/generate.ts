/**
 * Mutations that follow from a seed.
 *
 * @module
 */
import type { Random } from "../../support/random.ts";
import { type Files, hex, LISTED_FIELDS, MANIFEST_FIELDS, RECORD_FIELDS, SEGMENT_FIELDS } from "./layout.ts";
import type { Json } from "./image_file.ts";
import type { Mutation } from "./mutations.ts";

/** Numbers at which something may go over, as numbers or, beyond 2^53, as text. */
const EXTREMES: (number | string)[] = [
  ...[0, 1, 2, 3, 4, 7, 10, 23, 24, 43, 44, 45, 48, 64, 255, 4096, 65_535, 65_536],
  ...[2 ** 20, 2 ** 20 + 1, 2 ** 24 - 1, 2 ** 26, 2 ** 26 + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 3e9],
  ...[2 ** 52, 2 ** 53 - 2 ** 32 - 1, 2 ** 53 - 2 ** 32, 2 ** 53 - 2, 2 ** 53 - 1],
  ...["0x20000000000000", "0x7fffffffffffffff", "0x8000000000000000", "-1", "-2"],
];
/** What else a footer may say. */
const ODD_VALUES: Json[] = [null, true, "", "1", [], {}, -1, -5, 0.5, 1e308, 2 ** 53, [[]], { length: 2 ** 32 }];

/** A number: an extreme, a small one or any. */
export function hostileNumber(random: Random): number | string {
  if (random.chance(0.5)) return random.pick(EXTREMES);
  return random.chance(0.7) ? random.below(600) : random.below(2 ** 32);
}

/** A number of 32 bits. */
function number32(random: Random): number {
  return Number(BigInt.asUintN(32, BigInt(hostileNumber(random))));
}

/** A mutation that looks at no structure. */
export function blindMutation(random: Random, files: Files): Mutation {
  const names = [...files.keys()];
  const file = random.pick(names);
  const size = files.get(file)!.length;
  const [at, from] = [random.below(size + 1), random.below(size + 1)];
  const length = random.chance(0.5) ? random.below(64) : random.below(size + 1);
  switch (random.below(9)) {
    case 0:
    case 1:
      return { do: "flip", file, at, bit: random.below(8) };
    case 2:
    case 3:
      return { do: "splice", file, at, remove: random.below(40), hex: hex(random.bytes(random.below(40))) };
    case 4:
    case 5:
      return { do: "repeat", file, from, length, at, over: random.chance(0.5) };
    case 6:
      return { do: "resize", file, length: random.chance(0.7) ? at : size + random.below(9000) };
    case 7:
      return random.chance(0.3) ? { do: "remove", file } : { do: "swap", file, with: random.pick(names) };
    default:
      return { do: "copy", file, to: random.chance(0.5) ? random.pick(names) : "00000009.seg" };
  }
}

/** A mutation that puts a number where it hurts, and corrects the checksums. */
export function awareMutation(random: Random, files: Files): Mutation {
  const segments = [...files.keys()].filter((name) => name.endsWith(".seg"));
  const value = hostileNumber(random);
  const of = random.below(40);
  if (segments.length === 0 || random.chance(0.3)) {
    const field = random.pick([...Object.keys(MANIFEST_FIELDS), ...Object.keys(LISTED_FIELDS)]);
    return { do: "field", file: "MANIFEST", field, of, value };
  }
  if (files.has("INDEX") && random.chance(0.5)) return imageMutation(random);
  const file = random.pick(segments);
  switch (random.below(8)) {
    case 0:
      return { do: "field", file, field: random.pick(Object.keys(SEGMENT_FIELDS)), value };
    case 1:
      return { do: "inputs", file, inputs: Array.from({ length: random.below(5) }, () => random.below(6)) };
    case 2:
    case 3:
      return recordMutation(random, file);
    default: {
      const field = random.pick(Object.keys(RECORD_FIELDS));
      return { do: "field", file, field, of, value, forge: random.chance(0.4) };
    }
  }
}

function recordMutation(random: Random, file: string): Mutation {
  const kind = random.pick([1, 1, 2, 3, 4, 4] as const);
  const sequence = Number(hostileNumber(random));
  const isMark = kind === 4 && random.chance(0.9);
  // A mark of any place: eight bytes.
  const value = isMark ? hex(markValue(random)) : hex(random.bytes(random.below(9)));
  const key = kind === 1 || kind === 2 ? random.pick(["k1", "k5", "greeting", "other", "", "\0"]) : "";
  const of = random.chance(0.5) ? {} : { of: random.below(40) };
  const flags = random.chance(0.6) ? random.below(8) : random.below(256);
  return { do: "record", file, ...of, kind, flags, key, value, sequence: sequence > 0 ? sequence : 1 };
}

function markValue(random: Random): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, random.chance(0.8) ? random.below(6) : number32(random), true);
  view.setUint32(4, random.chance(0.6) ? random.below(9000) : number32(random), true);
  return bytes;
}

const ABOUT = ["storeId", "sequence", "generation", "segments"];
const TABLE = ["slots", "entries", "arena", "live", "sequence", "checksum"];
const ORDER = ["refs", "keys", "checksum", "now"];
const ACCOUNT = [
  ...[
    "number",
    "salt",
    "from",
    "probe",
    "liveBytes",
    "tombstoneBytes",
    "highestTombstone",
    "markBytes",
    "lowestSequence",
  ],
  "highestSequence",
];

function imageMutation(random: Random): Mutation {
  const odd = () => random.chance(0.5) ? random.pick(ODD_VALUES) : Number(hostileNumber(random));
  switch (random.below(9)) {
    case 0:
      return { do: "footer", path: random.pick([["seed"], ["partitions"], ["about"], ["order"]]), value: odd() };
    case 1:
      return { do: "footer", path: ["about", random.pick(ABOUT)], value: odd() };
    case 2:
      return { do: "footer", path: ["about", "segments", `${random.below(3)}`, random.pick(ACCOUNT)], value: odd() };
    case 3:
      return { do: "footer", path: ["partitions", `${random.below(256)}`, random.pick(TABLE)], value: odd() };
    case 4: {
      const text = random.pick(["[", "{}", '{"partitions":', "0", "null", '"', "9", "[],"]);
      return { do: "footerText", text, times: random.pick([0, 1, 100, 100_000]) };
    }
    case 5:
      return { do: "footer", path: ["order", random.pick(ORDER)], value: odd() };
    default: {
      const part = random.pick(["slots", "entries", "entries", "arena"] as const);
      const at = random.below(200);
      return { do: "table", partition: random.below(256), part, at, value: number32(random) };
    }
  }
}
