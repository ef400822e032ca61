/**
 * Standard output, in chunks of 64 KiB. Each chunk is awaited until the reader has taken it, so a slow reader slows the
 * command down instead of filling memory. Text is made printable here, whoever has written it.
 *
 * @module
 */

import process from "node:process";
import { EXIT, Interrupted, PipeClosed } from "../command_line/errors.ts";
import { printable } from "../text/printable.ts";

const CHUNK_CHARACTERS = 64 * 1024;
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The output between two turns of the event loop. Node writes to files and pipes synchronously, and a listing waits for
 * nothing else. So without these turns signals would not be handled.
 */
const TURN_LENGTH = 4 * 1024 * 1024;

/** What the commands print to. */
export interface Output {
  /**
   * Buffers a text. Characters that do not print will be escaped. Returns `true` once there is enough for a chunk: then
   * await `flush`.
   */
  add(text: string): boolean;
  /** Writes the buffer and waits until the reader has taken it. Throws `PipeClosed` if the reader is gone. */
  flush(): Promise<void>;
  /** Flushes, then writes bytes as they are; on a terminal as text, unless they are `raw`. */
  bytes(data: Uint8Array, options?: { raw: boolean }): Promise<void>;
}

/** A writable stream of Node: standard output, or the file of `export FILE`. */
export interface Writable {
  write(data: string | Uint8Array, done: (error?: Error | null) => void): boolean;
  on(event: "error", listener: (error: Error) => void): unknown;
  /** Whether it is a terminal. */
  readonly isTTY?: boolean;
}

/** The streams with a listener for errors. One is enough: in a shell, each line has an output of its own. */
const HEARD = new WeakSet<Writable>();

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
    const stream = this.#opened();
    // Colours are for terminals only.
    await this.#write(stream, printable(text, stream.isTTY));
  }

  async bytes(data: Uint8Array, { raw }: { raw: boolean } = { raw: false }): Promise<void> {
    await this.flush();
    if (data.length === 0) return;
    const stream = this.#opened();
    await this.#write(stream, stream.isTTY && !raw ? printable(DECODER.decode(data)) : data);
  }

  async #write(stream: Writable, data: string | Uint8Array): Promise<void> {
    if (this.#closed) throw new PipeClosed();
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
    if (this.#stream !== undefined) return this.#stream;
    const stream = this.#stream = this.#open();
    // The callback of `write` gets the error too. Without a listener it would end the process.
    if (!HEARD.has(stream)) stream.on("error", () => {});
    HEARD.add(stream);
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
  readonly #onInterrupt = () => this.#controller.abort(new Interrupted("SIGINT", EXIT.interrupted));
  readonly #onTerminate = () => this.#controller.abort(new Interrupted("SIGTERM", EXIT.terminated));

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  listen(): void {
    this.ignore();
    process.once("SIGINT", this.#onInterrupt);
    process.once("SIGTERM", this.#onTerminate);
  }

  /** Runs synchronous work that may take seconds. A signal just kills the process meanwhile: no handler would run. */
  without(work: () => void): void {
    this.ignore();
    try {
      work();
    } finally {
      this.listen();
    }
  }

  ignore(): void {
    process.removeListener("SIGINT", this.#onInterrupt);
    process.removeListener("SIGTERM", this.#onTerminate);
  }
}
