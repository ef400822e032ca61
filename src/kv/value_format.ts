/**
 * The constants of V8's serialisation format that the writer and the reader of values share.
 *
 * @module
 */

/** The version that is written: each V8 since 2022 reads it. */
export const WRITTEN_VERSION = 15;
/** The versions that are read: before 14, views had no flags; 16, which Deno writes, is the same for what is read. */
export const READ_VERSIONS = { from: 13, to: 16 };

/** The first bytes of values and of their parts. */
export const TAG = {
  version: 0xff,
  padding: 0x00,
  hole: 0x2d,
  undefined: 0x5f,
  null: 0x30,
  true: 0x54,
  false: 0x46,
  int32: 0x49,
  uint32: 0x55,
  double: 0x4e,
  bigint: 0x5a,
  utf8: 0x53,
  oneByte: 0x22,
  twoByte: 0x63,
  reference: 0x5e,
  object: 0x6f,
  objectEnd: 0x7b,
  sparse: 0x61,
  sparseEnd: 0x40,
  dense: 0x41,
  denseEnd: 0x24,
  date: 0x44,
  trueObject: 0x79,
  falseObject: 0x78,
  numberObject: 0x6e,
  bigintObject: 0x7a,
  stringObject: 0x73,
  regExp: 0x52,
  map: 0x3b,
  mapEnd: 0x3a,
  set: 0x27,
  setEnd: 0x2c,
  buffer: 0x42,
  resizable: 0x7e,
  view: 0x56,
  error: 0x72,
  host: 0x5c,
} as const;

/** What stands in an error. */
export const ERROR_TAG = { message: 0x6d, cause: 0x63, stack: 0x73, end: 0x2e } as const;

/** The classes of errors that are kept, by their bytes; all others are read as `Error`. */
export const ERROR_CLASSES: ReadonlyMap<number, ErrorConstructor> = new Map([
  [0x45, EvalError],
  [0x52, RangeError],
  [0x46, ReferenceError],
  [0x53, SyntaxError],
  [0x54, TypeError],
  [0x55, URIError],
]);

/** A class of views. */
export interface ViewClass {
  /** Its name. */
  readonly name: string;
  /** Bytes of an element, in classes of typed arrays. */
  readonly BYTES_PER_ELEMENT?: number;
  /** Makes a view. */
  new (buffer: ArrayBuffer, byteOffset?: number, length?: number): ArrayBufferView;
}

/** The classes of views, by their bytes. Node 20 has no Float16Array. */
export const VIEW_CLASSES: ReadonlyMap<number, ViewClass> = new Map<number, ViewClass>([
  [0x62, Int8Array],
  [0x42, Uint8Array],
  [0x43, Uint8ClampedArray],
  [0x77, Int16Array],
  [0x57, Uint16Array],
  [0x64, Int32Array],
  [0x44, Uint32Array],
  [0x66, Float32Array],
  [0x46, Float64Array],
  [0x71, BigInt64Array],
  [0x51, BigUint64Array],
  [0x3f, DataView],
  ...float16(),
]);

function float16(): [number, ViewClass][] {
  const { Float16Array } = globalThis as unknown as { Float16Array?: ViewClass };
  return Float16Array === undefined ? [] : [[0x68, Float16Array]];
}

/** The flags of a regular expression, by their bits from the lowest on. V8's `l` is of no use outside of it. */
export const REGEXP_FLAGS = "gimyus.dv";

/** A view's length follows that of its buffer. */
export const TRACKS_LENGTH = 1;
/** A view's buffer can be resized. */
export const IS_RESIZABLE = 2;

/**
 * How deep containers may be nested: each runtime has stack for more, on reading as on writing, also for a caller that
 * is some thousand calls deep itself. Deno writes about 4,000 levels and reads 2,000 back.
 */
export const MAX_DEPTH = 1000;

/** An array is thought to take memory for at most so many places that are not filled: beyond, engines keep a map. */
const MAX_PLACES = 100_000;
/** What a value may reserve beyond its size: 256 MiB. */
const MAX_RESERVED = 2 ** 28;

/** Memory for the length of a sparse array. */
export function placesBytes(length: number): number {
  return 8 * Math.min(length, MAX_PLACES);
}

/** Whether a value of so many bytes may reserve so much for holes and for buffers that can grow. */
export function mayReserve(reservedBytes: number, valueBytes: number): boolean {
  return reservedBytes <= MAX_RESERVED + 4 * valueBytes;
}
