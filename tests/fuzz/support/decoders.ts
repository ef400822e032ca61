/**
 * The decoders on their own, fed with mutated bytes: each gives what its encoder would write again, or refuses with the
 * error that is its own.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { KvStoreError } from "../../../mod.ts";
import { InputError } from "../../../src/cli/command_line/errors.ts";
import { entryLine, parseEntry } from "../../../src/cli/text/notation.ts";
import { RecordCursor } from "../../../src/engine/cursor.ts";
import { decodeManifest, encodeManifest } from "../../../src/engine/manifest.ts";
import { encodeSegmentHeader, readSegmentHeader } from "../../../src/engine/segment.ts";
import { type ImageFooter, readFooter } from "../../../src/image/image.ts";
import type { FileHandle } from "../../../src/platform/types.ts";
import { indexOf, readPartitions } from "../../support/image.ts";
import { MemoryPlatform } from "../../support/memory_platform.ts";
import type { Random } from "../../support/random.ts";
import { awareMutation, blindMutation } from "./generate.ts";
import { isIntact, recordAt } from "./layout.ts";
import { apply } from "./mutations.ts";
import { BASE_NAMES, baseOf } from "./stores.ts";

/** Feeds one mutated file to its decoder. Returns which, and whether it took it. */
export function decodeMutated(random: Random): string {
  if (random.chance(0.25)) return checkNotation(mutatedLine(random));
  const files = baseOf(random.pick(BASE_NAMES));
  for (let left = random.between(1, 4); left > 0 && files.size > 0; left--) {
    apply(files, random.chance(0.5) ? blindMutation(random, files) : awareMutation(random, files));
  }
  const [name, bytes] = random.pick([...files, ["MANIFEST", new Uint8Array(0)]] as [string, Uint8Array][]);
  const handle = fileOf(bytes);
  if (name === "MANIFEST") return `manifest ${checkManifest(bytes)}`;
  if (name === "INDEX") return `image ${checkImage(handle)}`;
  checkRecords(handle, bytes, random.below(bytes.length + 1));
  return `segment header ${checkSegmentHeader(handle, bytes)}`;
}

function fileOf(bytes: Uint8Array): FileHandle {
  const platform = new MemoryPlatform();
  platform.writeFile("/file", bytes);
  return platform.open("/file", "read");
}

/** Runs a decoder: `undefined`, and the code, if it refuses as it may. */
function refusal(action: () => void): string {
  try {
    action();
    return "taken";
  } catch (error) {
    if (KvStoreError.is(error) && (error.code === "CORRUPT" || error.code === "FORMAT")) return error.code;
    throw error;
  }
}

function checkManifest(bytes: Uint8Array): string {
  return refusal(() => {
    const manifest = decodeManifest(bytes);
    assertEquals(decodeManifest(encodeManifest(manifest)), manifest, "a manifest comes back as it was");
  });
}

function checkSegmentHeader(handle: FileHandle, bytes: Uint8Array): string {
  return refusal(() => {
    const header = encodeSegmentHeader(readSegmentHeader(handle, "file"));
    assertEquals(header, bytes.subarray(0, header.length), "a segment header comes back as it was");
  });
}

/** Every record that a cursor calls intact is one, and it moves on from each. */
function checkRecords(handle: FileHandle, bytes: Uint8Array, start: number): void {
  if (bytes.length < 44) return;
  const salt = new DataView(bytes.buffer, bytes.byteOffset).getUint32(32, true);
  const cursor = new RecordCursor({ handle, name: "file", salt }, start, bytes.length);
  let end = start;
  let isThere = cursor.next();
  while (isThere || cursor.search(cursor.offset + 1, { marksOnly: false })) {
    assert(cursor.offset >= end, "records overlap");
    const record = recordAt(bytes, cursor.offset);
    assert(record !== undefined && record.end === cursor.offset + cursor.length, "a record that does not fit the file");
    if (cursor.checkValue()) assert(isIntact(bytes, record), `the record at ${cursor.offset} is not intact`);
    end = record.end;
    isThere = cursor.next();
  }
}

/** An image that is taken can be searched: for each key that is in it, and for others. */
function checkImage(handle: FileHandle): string {
  let partitions;
  let footer: ImageFooter<unknown> | undefined;
  try {
    footer = readFooter<unknown>(handle);
    partitions = footer === undefined ? undefined : readPartitions(handle, footer);
  } catch {
    // Whoever loads images takes any exception for a refusal.
    return "refused";
  }
  if (partitions === undefined) return "refused";
  const index = indexOf(footer!, partitions);
  let live = 0;
  index.each((key) => {
    if (index.segment !== 0) live++;
    assert(key.start + key.length <= key.bytes.length, "a key outside of its arena");
    index.knows(key.bytes.slice(), key.start, key.length);
  });
  assertEquals(index.size, live, "as many keys as it says");
  for (let i = 0; i < 300; i++) index.knows(Uint8Array.of(i, i >> 8), 0, 2);
  return "taken";
}

const LINES = [
  '{"key":"k","value":"text"}',
  '{"key":{"base64":"AP8="},"value":{"json":{"base64":"AP8="}}}',
  '{"value":[1,null,{"a":-1.5e3}],"key":"\\ud83d\\ude00"}',
  '{"key":"","value":{"base64":""}}',
];
const PIECES = [
  ...['"', "{", "}", "[", "]", ":", ",", "\\", "\\ud800", "\ud800", "\u0000", "\u2028", "null", "true", "1e999", "-0"],
  ...["__proto__", "key", "value", "base64", "json", "toString", "=", "A", '"key":"other",', "0".repeat(400)],
];

/** A line of an export with pieces put in, taken out and said twice. */
function mutatedLine(random: Random): string {
  let line = random.pick(LINES);
  for (let left = random.between(0, 2); left > 0; left--) {
    const at = random.below(line.length + 1);
    const insert = random.chance(0.7) ? random.pick(PIECES) : line.slice(at, at + random.below(20));
    line = line.slice(0, at) + insert.repeat(random.chance(0.05) ? 20_000 : 1) + line.slice(at + random.below(4));
  }
  return line;
}

/** A line is refused with a message, or read: then what is written for it reads the same. */
export function checkNotation(line: string): string {
  let entry;
  try {
    entry = parseEntry(line);
  } catch (error) {
    if (error instanceof InputError) return "notation refused";
    throw new Error(`a line of an import: ${JSON.stringify(line.slice(0, 500))}`, { cause: error });
  }
  const again = parseEntry(entryLine(entry.key, entry.value));
  assertEquals(entryLine(again.key, again.value), entryLine(entry.key, entry.value), line.slice(0, 500));
  return "notation taken";
}
