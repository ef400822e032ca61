/**
 * Writes bytes into a buffer that grows, for keys as for values.
 *
 * @module
 */

import { Copies } from "../platform/copies.ts";

/** What was encoded. */
export const ENCODED: Copies = new Copies();

const FIRST_BYTES = 1024;
/** A larger buffer is not kept for what is written next. */
const MAX_KEPT_BYTES = 1 << 18;

/** Writes one thing after the other into a buffer that it keeps. */
export class ByteWriter {
  /** How much is written. */
  at = 0;
  /** What is written, up to `at`. */
  protected bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.bytes.buffer);

  /** Returns a copy of what was written, and begins anew. */
  taken(): Uint8Array<ArrayBuffer> {
    const taken = ENCODED.copyOf(this.bytes.subarray(0, this.at));
    this.at = 0;
    if (this.bytes.length > MAX_KEPT_BYTES) this.#resize(FIRST_BYTES);
    return taken;
  }

  /** Makes room for so many more bytes. */
  protected reserve(length: number): void {
    if (this.at + length > this.bytes.length) this.#resize(Math.max(this.at + length, 2 * this.bytes.length));
  }

  #resize(length: number): void {
    const written = this.bytes.subarray(0, this.at);
    this.bytes = new Uint8Array(length);
    this.bytes.set(written);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Writes a byte. */
  byte(byte: number): void {
    this.reserve(1);
    this.bytes[this.at++] = byte;
  }

  /** Writes bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** Writes a double. */
  double(number: number): void {
    this.reserve(8);
    this.#view.setFloat64(this.at, number, true);
    this.at += 8;
  }
}
