/**
 * Standard output, in chunks of 64 KiB. Each chunk is awaited until the reader has taken it, so a slow reader slows the
 * command down instead of filling memory.
 *
 * @module
 */

import process from "node:process";
import { Interrupted, PipeClosed } from "../command_line/errors.ts";

const CHUNK_CHARACTERS = 64 * 1024;

/**
 * The output between two turns of the event loop. Node writes to files and pipes synchronously, and a listing waits for
 * nothing else. So without these turns signals would not be handled.
 */
const TURN_LENGTH = 4 * 1024 * 1024;

/** What the commands print to. */
export interface Output {
  /** Buffers a text. Returns `true` once there is enough for a chunk: then await `flush`. */
  add(text: string): boolean;
  /** Writes the buffer and waits until the reader has taken it. Throws `PipeClosed` if the reader is gone. */
  flush(): Promise<void>;
  /** Flushes, then writes bytes as they are. */
  bytes(data: Uint8Array): Promise<void>;
}

/** A writable stream of Node: standard output, or the file of `export FILE`. */
export interface Writable {
  write(data: string | Uint8Array, done: (error?: Error | null) => void): boolean;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** Writes to a stream. An abort of `signal`, if there is one, ends the waiting and rejects with its reason. */
export class StreamOutput implements Output {
  readonly #signal: AbortSignal | undefined;
  readonly #open: () => Writable;
  #stream: Writable | undefined;
  #text = "";
  #sinceTurn = 0;
  #closed = false;

  constructor(signal: AbortSignal | undefined, open: () => Writable = () => process.stdout) {
    this.#signal = signal;
    this.#open = open;
  }

  add(text: string): boolean {
    this.#text += text;
    return this.#text.length >= CHUNK_CHARACTERS;
  }

  async flush(): Promise<void> {
    if (this.#text === "") return;
    const text = this.#text;
    this.#text = "";
    await this.#write(text);
  }

  async bytes(data: Uint8Array): Promise<void> {
    await this.flush();
    if (data.length > 0) await this.#write(data);
  }

  async #write(data: string | Uint8Array): Promise<void> {
    if (this.#closed) throw new PipeClosed();
    const stream = this.#stream ??= this.#opened();
    const written = new Promise<void>((resolve, reject) => {
      stream.write(data, (error) => error ? reject(error) : resolve());
    });
    try {
      await (this.#signal === undefined ? written : unlessAborted(written, this.#signal));
    } catch (error) {
      if ((error as { code?: string }).code !== "EPIPE") throw error;
      this.#closed = true;
      throw new PipeClosed();
    }
    this.#sinceTurn += data.length;
    if (this.#sinceTurn < TURN_LENGTH) return;
    this.#sinceTurn = 0;
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    this.#signal?.throwIfAborted();
  }

  #opened(): Writable {
    const stream = this.#open();
    // The callback of `write` gets the error too. Without a listener it would end the process.
    stream.on("error", () => {});
    return stream;
  }
}

/**
 * Settles as `work` does, or rejects with the reason of `signal` if that is aborted first. `Promise.race` would leave a
 * reaction on the signal's promise with every call.
 */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** Turns SIGINT and SIGTERM into an abort. A second signal ends the process at once. */
export class Signals {
  readonly #controller = new AbortController();
  readonly #onInterrupt = () => this.#controller.abort(new Interrupted("SIGINT", 130));
  readonly #onTerminate = () => this.#controller.abort(new Interrupted("SIGTERM", 143));

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  listen(): void {
    process.once("SIGINT", this.#onInterrupt);
    process.once("SIGTERM", this.#onTerminate);
  }

  ignore(): void {
    process.removeListener("SIGINT", this.#onInterrupt);
    process.removeListener("SIGTERM", this.#onTerminate);
  }
}
