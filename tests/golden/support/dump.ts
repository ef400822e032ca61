/**
 * Prints a store's files field by field, after the tables of the format's description and without the library's own
 * decoder: two readings of the same bytes, so that a change of either shows.
 *
 * @module
 */

const KINDS = ["", "set", "delete", "clear", "mark"];
const VALUE_TYPES = ["bytes", "string", "JSON", "UTF-16"];
const BYTES_A_LINE = 16;

/** CRC-32 as in zlib, bit by bit: `seed` is the checksum so far. */
function crc32(bytes: Uint8Array, seed: number): number {
  let crc = ~seed;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : 0xedb88320);
  }
  return ~crc >>> 0;
}

/** Walks over the bytes of a file and writes down each field: offset, bytes, meaning. */
class Fields {
  readonly lines: string[] = [];
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  title(text: string): void {
    if (this.lines.length > 0) this.lines.push("");
    this.lines.push(text);
  }

  /** A field of so many bytes; more than a line has are continued on the next. */
  raw(length: number, meaning: (bytes: Uint8Array) => string): Uint8Array {
    const bytes = this.#bytes.subarray(this.at, this.at + length);
    for (let from = 0; from < length; from += BYTES_A_LINE) {
      const hex = Array.from(bytes.subarray(from, from + BYTES_A_LINE), (byte) => byte.toString(16).padStart(2, "0"));
      const text = from === 0 ? meaning(bytes) : "";
      this.lines.push(`${String(this.at + from).padStart(6)}  ${hex.join(" ").padEnd(47)}  ${text}`.trimEnd());
    }
    this.at += length;
    return bytes;
  }

  /** A whole number of 1, 2, 4 or 8 bytes, little-endian. */
  number(length: 1 | 2 | 4 | 8, meaning: (value: number) => string): number {
    const value = this.peek(length, this.at);
    this.raw(length, () => meaning(value));
    return value;
  }

  peek(length: 1 | 2 | 4 | 8, at: number): number {
    if (length === 1) return this.#view.getUint8(at);
    if (length === 2) return this.#view.getUint16(at, true);
    if (length === 4) return this.#view.getUint32(at, true);
    return Number(this.#view.getBigUint64(at, true));
  }

  /** A checksum over the bytes from `start` to `end`, which must be right. */
  checksum(of: string, start: number, end: number, seed = 0): void {
    const at = this.at;
    const found = this.number(4, () => `CRC-32 of ${of}`);
    const right = crc32(this.#bytes.subarray(start, end), seed);
    if (found !== right) throw new Error(`the checksum at byte ${at} is not that of ${of}`);
  }
}

/** The segment's header and all its records. */
export function dumpSegment(name: string, bytes: Uint8Array): string {
  const fields = new Fields(bytes);
  fields.title(`${name}, ${bytes.length} bytes: header`);
  fields.raw(8, (magic) => `magic ${quoted(magic)}`);
  fields.number(4, (version) => `format version ${version}`);
  fields.number(4, (number) => `segment number ${number}`);
  fields.raw(16, () => "store id");
  const salt = fields.number(4, () => "salt");
  const inputs = fields.number(4, (count) => `${count} inputs of a compaction`);
  for (let i = 0; i < inputs; i++) fields.number(4, (number) => `input: segment ${number}`);
  fields.checksum(`bytes 0 to ${fields.at - 1}`, 0, fields.at);
  while (!fields.isAtEnd) dumpRecord(fields, salt);
  return fields.lines.join("\n") + "\n";
}

function dumpRecord(fields: Fields, salt: number): void {
  const start = fields.at;
  const kind = fields.peek(1, start + 8);
  const flags = fields.peek(1, start + 9);
  const keyLength = fields.peek(2, start + 10);
  const valueLength = fields.peek(4, start + 12);
  const valueStart = start + 24 + ((flags & 16) === 0 ? 0 : 8) + keyLength;
  const length = valueStart + valueLength - start;
  const seed = (salt ^ start) >>> 0;
  fields.title(`${KINDS[kind]}, ${length} bytes`);
  fields.checksum(
    "the rest of header and key, seeded with the salt XOR the record's offset",
    start + 4,
    valueStart,
    seed,
  );
  fields.checksum("the value, seeded likewise", valueStart, valueStart + valueLength, seed);
  fields.number(1, (code) => `kind ${code}: ${KINDS[code]}`);
  fields.number(1, (code) => describeFlags(code, kind));
  fields.number(2, (value) => `key length ${value}`);
  fields.number(4, (value) => `value length ${value}`);
  fields.number(8, (value) => `sequence number ${value}`);
  if ((flags & 16) !== 0) fields.number(8, (value) => `expires ${value} ms after 1970`);
  const key = fields.raw(keyLength, (bytes) => `key ${(flags & 1) === 0 ? "" : quoted(bytes)}`);
  if (key.length !== keyLength) throw new Error(`the file ends within the key of the record at ${start}`);
  if (kind === 4) {
    fields.number(4, (number) => `durable mark: segment ${number} …`);
    fields.number(4, (offset) => `… up to byte ${offset}`);
  } else fields.raw(valueLength, (bytes) => `value ${describeValue(bytes, (flags >> 1) & 3)}`);
}

function describeFlags(flags: number, kind: number): string {
  const said: string[] = [];
  if (kind <= 2) said.push((flags & 1) === 0 ? "key of bytes" : "key given as a string");
  if (kind === 1) said.push(`value type ${(flags >> 1) & 3}: ${VALUE_TYPES[(flags >> 1) & 3]}`);
  if ((flags & 8) !== 0) said.push("the batch goes on");
  if ((flags & 16) !== 0) said.push("expires");
  return `flags: ${said.length === 0 ? "none" : said.join("; ")}`;
}

function describeValue(bytes: Uint8Array, type: number): string {
  if (type === 0) return "";
  if (type !== 3) return type === 1 ? quoted(bytes) : new TextDecoder().decode(bytes);
  const units = Array.from({ length: bytes.length / 2 }, (_, i) => bytes[2 * i]! | (bytes[2 * i + 1]! << 8));
  return JSON.stringify(String.fromCharCode(...units));
}

function quoted(bytes: Uint8Array): string {
  return JSON.stringify(new TextDecoder().decode(bytes));
}

/** All fields of a manifest. */
export function dumpManifest(title: string, bytes: Uint8Array): string {
  const fields = new Fields(bytes);
  fields.title(`${title}, ${bytes.length} bytes`);
  fields.raw(8, (magic) => `magic ${quoted(magic)}`);
  fields.number(4, (version) => `format version ${version}`);
  fields.number(4, (bits) => `feature bits ${bits}`);
  fields.raw(16, () => "store id");
  fields.number(8, (value) => `generation ${value}`);
  fields.number(4, (value) => `state ${value}: ${value === 1 ? "closed cleanly" : "open or crashed"}`);
  fields.number(4, (value) => `next segment number ${value}`);
  fields.number(8, (value) => `next sequence number ${value}`);
  fields.number(4, (number) => `durable mark: segment ${number} …`);
  fields.number(4, (offset) => `… up to byte ${offset}`);
  fields.number(8, (value) => `history floor ${value}`);
  fields.number(8, (value) => `clock floor ${value}`);
  const count = fields.number(4, (value) => `${value} segments`);
  for (let i = 0; i < count; i++) {
    fields.title(`segment ${i + 1} of ${count}`);
    fields.number(4, (value) => `number ${value}`);
    fields.number(4, () => "salt");
    fields.number(4, (value) => value === 0 ? "still being written" : `sealed at byte ${value}`);
    fields.number(8, (value) => `lowest sequence number ${value}`);
    fields.number(8, (value) => `highest sequence number ${value}`);
    fields.number(8, (value) => `current as of sequence number ${value}`);
  }
  fields.title("end");
  fields.checksum(`bytes 0 to ${fields.at - 1}`, 0, fields.at);
  if (!fields.isAtEnd) throw new Error(`bytes behind the end of ${title}`);
  return fields.lines.join("\n") + "\n";
}
