/**
 * Writes entries as commands in RESP, the protocol of Redis. `redis-cli --pipe` loads them into a server.
 *
 * A command is an array of words, each preceded by its length in bytes, so words may hold any bytes:
 *
 * ```text
 * *3\r\n  $3\r\nSET\r\n  $3\r\nkey\r\n  $5\r\nvalue\r\n
 * *5\r\n  $3\r\nSET\r\n  $3\r\nkey\r\n  $5\r\nvalue\r\n  $4\r\nPXAT\r\n  $13\r\n1767225600000\r\n
 * ```
 *
 * (The spaces are not part of it.) `PXAT` gives the time of expiry, while `PX` would give the remaining time, which is
 * wrong once the file is older. Redis has `PXAT` since 6.2.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Key, Value } from "../../../mod.ts";
import { InputError } from "../command_line/errors.ts";
import { keyText } from "./notation.ts";

const CHUNK_BYTES = 64 * 1024;

/** Returns the command that sets a key, in parts. `expiresAt` is in milliseconds since 1970. */
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

/** Returns bytes as they are, a string in UTF-8, and any other value as JSON. */
function valueBytes(key: Key, value: Value): Uint8Array {
  if (ArrayBuffer.isView(value)) return value;
  if (typeof value !== "string") return Buffer.from(JSON.stringify(value));
  // Encoding would silently replace a lone surrogate, which changes the value.
  if (/\p{Surrogate}/u.test(value)) {
    throw new InputError(`the value of ${keyText(key)} has a lone surrogate, so it has no UTF-8 form to send to Redis`);
  }
  return Buffer.from(value);
}

/** Buffers commands until there is enough for a chunk. */
export class CommandBuffer {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  /** Adds a command. Returns whether there is enough for a chunk: then call `drain`. */
  add(command: Uint8Array[]): boolean {
    for (const part of command) this.#bytes += part.length;
    this.#parts.push(...command);
    return this.#bytes >= CHUNK_BYTES;
  }

  /** Returns all buffered commands and empties the buffer. */
  drain(): Uint8Array {
    const whole = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    return whole;
  }
}
