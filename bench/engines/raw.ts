/**
 * A floor: records of the size that ours have, appended to one file with one write for each call, read back by
 * position. There is no checksum and no search: the record of each key is known by its number.
 *
 * @module
 */

import { join } from "node:path";
import { RECORD_HEADER_BYTES } from "../../src/engine/record.ts";
import type { Engine, EngineKind, OpenContext, Payload, Visit } from "../engine.ts";
import { numberOf } from "../workloads/data.ts";
import { type AppendFile, openAppendFile } from "./append_file.ts";

const KEY_BYTES = 16;
const SLICE_BYTES = 1024 * 1024;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

class RawEngine implements Engine {
  readonly #file: AppendFile;
  readonly #recordBytes: number;
  readonly #context: OpenContext;
  /** The place of each key's record, counted in records. */
  readonly #places: Int32Array;
  readonly #record: Uint8Array;
  #pending: Uint8Array;

  constructor(context: OpenContext, file: AppendFile, places: Int32Array) {
    this.#context = context;
    this.#file = file;
    this.#places = places;
    this.#recordBytes = RECORD_HEADER_BYTES + KEY_BYTES + context.valueBytes;
    this.#record = new Uint8Array(this.#recordBytes);
    this.#pending = new Uint8Array(this.#recordBytes);
  }

  set(key: string, value: Payload): Promise<void> | void {
    return this.setMany([key], [value]);
  }

  setMany(keys: string[], values: Payload[]): Promise<void> | void {
    const length = keys.length * this.#recordBytes;
    if (this.#pending.length < length) this.#pending = new Uint8Array(length);
    const first = this.#file.size / this.#recordBytes;
    for (let i = 0, at = 0; i < keys.length; i++, at += this.#recordBytes) {
      encoder.encodeInto(keys[i]!, this.#pending.subarray(at + RECORD_HEADER_BYTES));
      const value = values[i]!;
      const valueAt = at + RECORD_HEADER_BYTES + KEY_BYTES;
      if (typeof value === "string") encoder.encodeInto(value, this.#pending.subarray(valueAt));
      else this.#pending.set(value, valueAt);
      this.#places[numberOf(keys[i]!)] = first + i;
    }
    this.#file.append(this.#pending.subarray(0, length));
    if (this.#context.durability === "sync") return this.#file.sync();
  }

  batch(keys: string[], values: Payload[]): Promise<void> | void {
    return this.setMany(keys, values);
  }

  /** The value shares its memory with the next one's. */
  get(key: string): Payload {
    this.#file.read(this.#record, this.#places[numberOf(key)]! * this.#recordBytes);
    const value = this.#record.subarray(RECORD_HEADER_BYTES + KEY_BYTES);
    return this.#context.payload === "string" ? decoder.decode(value) : value;
  }

  close(): void {
    this.#file.close();
  }

  /** Reads all bytes in their order. */
  readAll(): void {
    const slice = new Uint8Array(SLICE_BYTES);
    for (let at = 0; at < this.#file.size; at += SLICE_BYTES) {
      this.#file.read(slice.subarray(0, Math.min(SLICE_BYTES, this.#file.size - at)), at);
    }
  }

  /** Reads all bytes in their order; the keys have none. */
  scan(prefix: string, visit: Visit): void {
    if (prefix !== "") throw new Error("raw records have no order");
    const slice = new Uint8Array(this.#recordBytes * 8192);
    for (let at = 0; at < this.#file.size; at += slice.length) {
      const length = Math.min(slice.length, this.#file.size - at);
      this.#file.read(slice.subarray(0, length), at);
      for (let end = this.#recordBytes; end <= length; end += this.#recordBytes) {
        visit(undefined, slice.subarray(end - this.#context.valueBytes, end));
      }
    }
  }
}

/** The places of a file's records, as long as the process lives. */
const known = new Map<string, Int32Array>();

/** The floor of calls that need a file. */
export const raw: EngineKind = {
  name: "raw file",
  role: "floor",
  runtimes: ["deno", "node"],
  writes: {
    write: "one write for the 1,000 records in flight",
    sync: "the same, then one asynchronous fdatasync",
  },
  refuses: {
    memory: "it has no index",
  },
  lacks: ["get-missing", "prefix-first", "prefix"],
  open: (context: OpenContext) => {
    const path = join(context.directory, "raw.log");
    const isKnown = known.has(path);
    const places = known.get(path) ?? new Int32Array(context.keys);
    known.set(path, places);
    const engine = new RawEngine(context, openAppendFile(path), places);
    // in a new process: what opening costs at least is reading the bytes, and the first record is all that is read then
    if (!isKnown) engine.readAll();
    return engine;
  },
};
