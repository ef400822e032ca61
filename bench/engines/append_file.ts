/**
 * The least that a log needs of a file, by way of `node:fs` on Node and `Deno.FsFile` on Deno.
 *
 * @module
 */

import * as fs from "node:fs";

/** A file that is appended to and read by position. */
export interface AppendFile {
  /** Bytes in the file. */
  readonly size: number;
  /** Writes behind what is there. */
  append(bytes: Uint8Array): void;
  /** Fills the target from a position on. */
  read(target: Uint8Array, position: number): void;
  /** `fdatasync` in the runtime's thread pool. */
  sync(): Promise<void>;
  /** Closes the file. */
  close(): void;
}

class NodeFile implements AppendFile {
  readonly #descriptor: number;
  size: number;

  constructor(path: string) {
    this.#descriptor = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT);
    this.size = fs.fstatSync(this.#descriptor).size;
  }

  append(bytes: Uint8Array): void {
    if (fs.writeSync(this.#descriptor, bytes, 0, bytes.length, this.size) !== bytes.length) {
      throw new Error("short write");
    }
    this.size += bytes.length;
  }

  read(target: Uint8Array, position: number): void {
    if (fs.readSync(this.#descriptor, target, 0, target.length, position) !== target.length) {
      throw new Error("short read");
    }
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) =>
      fs.fdatasync(this.#descriptor, (error) => error === null ? resolve() : reject(error))
    );
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }
}

class DenoFile implements AppendFile {
  readonly #file: Deno.FsFile;
  size: number;
  #position = 0;

  constructor(path: string) {
    this.#file = Deno.openSync(path, { read: true, write: true, create: true });
    this.size = this.#file.statSync().size;
  }

  append(bytes: Uint8Array): void {
    this.#seek(this.size);
    if (this.#file.writeSync(bytes) !== bytes.length) throw new Error("short write");
    this.size += bytes.length;
    this.#position = this.size;
  }

  read(target: Uint8Array, position: number): void {
    this.#seek(position);
    if (this.#file.readSync(target) !== target.length) throw new Error("short read");
    this.#position = position + target.length;
  }

  sync(): Promise<void> {
    return this.#file.syncData();
  }

  close(): void {
    this.#file.close();
  }

  #seek(position: number): void {
    if (this.#position !== position) this.#file.seekSync(position, 0);
  }
}

/** Opens or creates a file. */
export function openAppendFile(path: string): AppendFile {
  return "Deno" in globalThis ? new DenoFile(path) : new NodeFile(path);
}
