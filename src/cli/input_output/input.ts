/**
 * Reads standard input and files in chunks, and splits the chunks into lines.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import type { Context } from "../command_line/definition.ts";
import { InputError, UsageError } from "../command_line/errors.ts";
import { decodeText } from "../text/notation.ts";
import { unlessAborted } from "./output.ts";
import process from "node:process";

const FILE_CHUNK_BYTES = 256 * 1024;

/**
 * The longest line. A value of 64 MiB takes 384 MiB if JSON writes every byte as `\u00XX`. The runtimes cannot hold
 * much more in one string.
 */
const LINE_LIMIT_BYTES = 448 * 1024 * 1024;

/** What a command reads in. */
type Reading = Pick<Context, "signal" | "isInShell">;

/**
 * Yields the chunks of a file, or of standard input for `-`. Ends without an error when the command is interrupted. It
 * leaves standard input open then: in Deno, closing it during a read never settles. The process is about to end anyway.
 */
export async function* chunks(source: string, { signal, isInShell }: Reading): AsyncGenerator<Uint8Array> {
  if (source === "-" && isInShell) throw new UsageError("in a shell, standard input has the lines; wanted a FILE");
  const stream = source === "-" ? process.stdin : createReadStream(source, { highWaterMark: FILE_CHUNK_BYTES });
  const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  for (;;) {
    let step: IteratorResult<Uint8Array>;
    try {
      step = await unlessAborted(iterator.next(), signal);
    } catch (error) {
      if (signal.aborted) return;
      throw new InputError(`cannot read ${source === "-" ? "standard input" : source}: ${(error as Error).message}`);
    }
    if (step.done) return;
    yield step.value;
  }
}

/** Reads all of a file or of standard input. Throws if that is more than `limitBytes`. */
export async function readAll(source: string, reading: Reading, limitBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks(source, reading)) {
    bytes += chunk.length;
    if (bytes > limitBytes) throw new InputError(`the value is longer than ${limitBytes} bytes`);
    parts.push(chunk);
  }
  if (reading.signal.aborted) throw reading.signal.reason;
  return new Uint8Array(Buffer.concat(parts));
}

/**
 * V8 maps memory for every string of more than 128 KiB, and unmaps it later. Pieces of this size stay below that even
 * as text with two bytes a character. From chunks of 256 KiB, lines come at 0.6 (Deno) or 0.25 (Node) of the rate.
 */
const PIECE_BYTES = 32 * 1024;

/** Cuts a chunk into pieces that decode fast. */
export function* pieces(chunk: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < chunk.length; at += PIECE_BYTES) yield chunk.subarray(at, at + PIECE_BYTES);
}

/** Complete lines, and what is wrong with the line after them. */
export interface Lines {
  text: string;
  fault?: string;
}

/**
 * Assembles chunks of bytes to text that consists of whole lines. It decodes many lines at once, which costs a fraction
 * of decoding each; only if that fails it decodes them one by one.
 */
export class LineAssembler {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  /** Takes a chunk. Returns the lines that are complete now, each with its line feed. */
  push(chunk: Uint8Array): Lines {
    const end = chunk.lastIndexOf(10) + 1;
    // A chunk may hold many lines. What earlier chunks left over is part of one line.
    if (this.#bytes + (end || chunk.length) > LINE_LIMIT_BYTES) {
      return { text: "", fault: `longer than ${LINE_LIMIT_BYTES} bytes` };
    }
    if (end === 0) {
      this.#keep(chunk);
      return { text: "" };
    }
    this.#keep(chunk.subarray(0, end));
    const lines = this.end();
    this.#keep(chunk.subarray(end));
    return lines;
  }

  /** Returns the rest, at the end of the input. */
  end(): Lines {
    const whole = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    const text = decodeText(whole);
    return text === undefined ? intactLines(whole) : { text };
  }

  #keep(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#bytes += part.length;
    this.#parts.push(part);
  }
}

function intactLines(bytes: Uint8Array): Lines {
  let text = "";
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(10, start) + 1 || bytes.length;
    const line = decodeText(bytes.subarray(start, end));
    if (line === undefined) break;
    text += line;
    start = end;
  }
  return { text, fault: "not UTF-8" };
}
