/**
 * Standard output: texts gathered into chunks of 64 KiB, each awaited until the reader took it, so that a slow reader
 * slows us down instead of filling memory.
 *
 * @module
 */

import process from "node:process";
import { Interrupted, PipeClosed } from "../command_line/errors.ts";

const CHUNK_CHARACTERS = 64 * 1024;

/**
 * After so much output the event loop turns once, or signals would not be heard: Node writes to files and pipes in
 * place, and nothing else in a listing ever waits.
 */
const TURN_LENGTH = 4 * 1024 * 1024;

/** What the commands print to. */
export interface Output {
  /** Gathers a text. When it returns `true` there is enough for a chunk: time to await `flush`. */
  add(text: string): boolean;
  /** Hands over what was gathered, and waits until the reader took it. Throws `PipeClosed` if nobody reads. */
  flush(): Promise<void>;
  /** Flushes, then hands over bytes as they are. */
  bytes(data: Uint8Array): Promise<void>;
}

/** Any stream of node that can be written to; a file for `export FILE`, else standard output. */
export interface Writable {
  write(data: string | Uint8Array, done: (error?: Error | null) => void): boolean;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** An output on a stream. Waiting ends when `signal` is aborted, with its reason; without one, when all is taken. */
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
    // The error comes to the callback of write as well; without a listener here it would end the process.
    stream.on("error", () => {});
    return stream;
  }
}

/**
 * What `work` resolves to, or, if `signal` is aborted first, its reason. Not `Promise.race`: that would keep a reaction
 * on the long-lived promise for every call.
 */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** Ctrl-C, and the polite request to end, as an abort. A second signal ends the process at once. */
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
