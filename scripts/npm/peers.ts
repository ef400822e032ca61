/**
 * Processes of all runtimes that are told what to do with a store, a line at a time: see scripts/npm/programs/peer.ts.
 *
 * @module
 */

import { join } from "node:path";
import { ROOT } from "../repository.ts";
import type { Runtime } from "./runtimes.ts";

/** What a peer answers. */
export interface Answer {
  /** What the call returned. */
  is?: unknown;
  /** Code of the store's error, `ERROR` for any other. */
  code?: string;
  /** The error's message. */
  message?: string;
}

/** A call may take so long. */
const LIMIT_MILLISECONDS = 30_000;

/** A process that does as it is told. */
export class Peer {
  /** What it runs in. */
  readonly runtime: Runtime;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncGenerator<string>;

  /**
   * Starts it; under Deno it may read and write `directory` and nothing else. `compiled` is the program for the others.
   */
  constructor(runtime: Runtime, directory: string, compiled: string) {
    this.runtime = runtime;
    const permissions = [`--allow-read=${directory}`, `--allow-write=${directory}`, "--no-prompt"];
    const args = runtime.kind === "deno"
      ? ["run", "--quiet", "--no-check", ...permissions, join(ROOT, "scripts/npm/programs/peer.ts")]
      : [compiled];
    this.#child = new Deno.Command(runtime.program, { args, stdin: "piped", stdout: "piped" }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#lines = linesOf(this.#child.stdout);
  }

  /** Resolves once it runs. */
  async ready(): Promise<void> {
    await this.#next("start");
  }

  /** Tells it to do something; resolves to what it answers, be it an error. */
  async ask(call: string, request: Record<string, unknown> = {}): Promise<Answer> {
    await this.#input.write(new TextEncoder().encode(`${JSON.stringify({ call, ...request })}\n`));
    return await this.#next(call);
  }

  /** Tells it to do something that must succeed; resolves to what it returns. */
  async tell(call: string, request: Record<string, unknown> = {}): Promise<unknown> {
    const { is, code, message } = await this.ask(call, request);
    if (code !== undefined) throw new Error(`${this.runtime.name} cannot ${call}: ${code}: ${message}`);
    return is;
  }

  /** The process dies without a chance to clean up. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#lines.return(undefined);
    await this.#input.abort().catch(() => {});
  }

  /** Ends its input, and waits until it is gone. */
  async end(): Promise<void> {
    await this.#input.close().catch(() => {});
    await within(this.#child.status, `${this.runtime.name} does not end`);
    await this.#lines.return(undefined);
  }

  async #next(call: string): Promise<Answer> {
    const { value } = await within(this.#lines.next(), `${this.runtime.name} does not answer to ${call}`);
    if (value === undefined) throw new Error(`${this.runtime.name} died of ${call}`);
    return JSON.parse(value);
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

async function within<T>(promise: Promise<T>, message: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message)), LIMIT_MILLISECONDS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** One peer for each runtime, started again after it was killed. */
export class Peers {
  /** What there are peers of. */
  readonly runtimes: Runtime[];
  /** All that the peers may use. */
  readonly directory: string;
  readonly #compiled: string;
  readonly #running = new Map<Runtime, Peer[]>();

  /** None is started yet. */
  constructor(runtimes: Runtime[], directory: string, compiled: string) {
    this.runtimes = runtimes;
    this.directory = directory;
    this.#compiled = compiled;
  }

  /** The runtime's peer; with `second`, another process of the same. */
  async of(runtime: Runtime, second: boolean = false): Promise<Peer> {
    const running = this.#running.get(runtime) ?? [];
    this.#running.set(runtime, running);
    const place = second ? 1 : 0;
    if (running[place] === undefined) {
      running[place] = new Peer(runtime, this.directory, this.#compiled);
      await running[place].ready();
    }
    return running[place];
  }

  /** Kills a peer; the next one asked for is a new process. */
  async kill(peer: Peer): Promise<void> {
    const running = this.#running.get(peer.runtime)!;
    delete running[running.indexOf(peer)];
    await peer.kill();
  }

  /** Ends all. */
  async end(): Promise<void> {
    for (const peers of this.#running.values()) {
      for (const peer of peers) await peer?.end();
    }
  }
}
