/**
 * Text as UTF-8. The encoder and the decoder come from a module of the runtime: some test runners replace the global
 * object with one that has neither.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { TextDecoder, TextEncoder } from "node:util";

/** Up to this length a loop over the characters beats a call to the encoder (measured: 20 ns, against 110 ns). */
const SHORT_TEXT = 48;

/** Up to this many bytes, a method of Buffers decodes faster than the decoder: 16 take 90 ns, against 200 to 300. */
const SHORT_BYTES = 128;
const { utf8Slice } = Buffer.prototype as unknown as {
  utf8Slice(this: Uint8Array, start: number, end: number): string;
};

/** Encodes text as UTF-8. */
export const ENCODER: TextEncoder = new TextEncoder();
/** Decodes UTF-8, and keeps a leading U+FEFF. */
export const DECODER: TextDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Decodes the UTF-8 from `start` up to `end`. Keeps a leading U+FEFF. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  return end - start <= SHORT_BYTES ? utf8Slice.call(bytes, start, end) : DECODER.decode(bytes.subarray(start, end));
}

/**
 * Writes well-formed text into `target` from byte `at` on, as UTF-8. Returns the number of bytes written. `target` must
 * have room for three bytes for each character.
 */
export function encodeUtf8(text: string, target: Uint8Array, at: number): number {
  if (text.length <= SHORT_TEXT) {
    let i = 0;
    for (; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) break;
      target[at + i] = code;
    }
    if (i === text.length) return i;
  }
  return ENCODER.encodeInto(text, target.subarray(at)).written;
}
