/**
 * Entries as commands in RESP, the protocol of Redis, which `redis-cli --pipe` loads into a server.
 *
 * A command is an array of words, each behind its length in bytes, so that bytes of any kind go through:
 *
 * ```text
 * *3\r\n  $3\r\nSET\r\n  $3\r\nkey\r\n  $5\r\nvalue\r\n
 * *5\r\n  $3\r\nSET\r\n  $3\r\nkey\r\n  $5\r\nvalue\r\n  $4\r\nPXAT\r\n  $13\r\n1767225600000\r\n
 * ```
 *
 * (The spaces are for the eye.) `PXAT` names the moment of expiry, where `PX` would name what is left, so that it does
 * not matter how long a file lies about. Redis knows it from 6.2 on.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Key, Value } from "../../../mod.ts";
import { InputError } from "../command_line/errors.ts";
import { keyText } from "./notation.ts";

const CHUNK_BYTES = 64 * 1024;

/** The command that sets a key, in parts; `expiresAt` in milliseconds since 1970. */
export function setCommand(key: Key, value: Value, expiresAt?: number): Uint8Array[] {
  const name = typeof key === "string" ? Buffer.from(key) : key;
  const data = valueBytes(key, value);
  const words = expiresAt === undefined ? 3 : 5;
  const expiry = expiresAt === undefined ? "" : `$4\r\nPXAT\r\n$${String(expiresAt).length}\r\n${expiresAt}\r\n`;
  return [
    Buffer.from(`*${words}\r\n$3\r\nSET\r\n$${name.length}\r\n`),
    name,
    Buffer.from(`\r\n$${data.length}\r\n`),
    data,
    Buffer.from(`\r\n${expiry}`),
  ];
}

/** Bytes as they are, a string in UTF-8, anything else as JSON. */
function valueBytes(key: Key, value: Value): Uint8Array {
  if (ArrayBuffer.isView(value)) return value;
  if (typeof value !== "string") return Buffer.from(JSON.stringify(value));
  // UTF-8 would have a replacement character in the place of a lone surrogate: another value, without a word.
  if (/\p{Surrogate}/u.test(value)) {
    throw new InputError(`the value of ${keyText(key)} has a lone surrogate, so it has no UTF-8 form to send to Redis`);
  }
  return Buffer.from(value);
}

/** Gathers commands until there is enough for a chunk. */
export class CommandBuffer {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  /** Takes a command. Returns whether it is time to `take` what there is. */
  add(command: Uint8Array[]): boolean {
    for (const part of command) this.#bytes += part.length;
    this.#parts.push(...command);
    return this.#bytes >= CHUNK_BYTES;
  }

  /** Everything gathered, as one; gathering begins anew. */
  take(): Uint8Array {
    const whole = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    return whole;
  }
}
