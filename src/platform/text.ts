/**
 * Text as UTF-8. The encoder and the decoder are those of the runtime's own module: some test runners put a global object
 * in the place of the runtime's that has neither.
 *
 * @module
 */

import { TextDecoder, TextEncoder } from "node:util";

/** Below this length a loop over the characters is faster than a call of the encoder (measured: 20 against 110 ns). */
const SHORT_TEXT = 48;

/** Encodes text. */
export const ENCODER: TextEncoder = new TextEncoder();
/** Decodes text, a leading U+FEFF included. */
export const DECODER: TextDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Writes well-formed text as UTF-8; `target` must have room for three bytes a character. Returns the number of bytes.
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
