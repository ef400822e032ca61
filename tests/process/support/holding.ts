/**
 * A process that holds a store, and does what it is told.
 *
 * @module
 */

/** A process that holds the store and sets keys when told. */
export class Holder {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;
  #said = "";

  constructor(command: string[], env: Record<string, string> = {}) {
    const [program, ...args] = command;
    this.#child = new Deno.Command(program!, { args, env, stdin: "piped", stdout: "piped", stderr: "inherit" }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next line that it says: "ok", or the code of an error. */
  async hear(): Promise<string> {
    while (!this.#said.includes("\n")) {
      const { value, done } = await this.#output.read();
      if (done) return "(gone)";
      this.#said += value;
    }
    const end = this.#said.indexOf("\n");
    const line = this.#said.slice(0, end);
    this.#said = this.#said.slice(end + 1);
    return line;
  }

  /** Tells it to set a key, or to `close`. */
  async tell(line: string): Promise<string> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
    return await this.hear();
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#gone();
  }

  async end(): Promise<void> {
    await this.#input.close().catch(() => {});
    await this.#gone();
  }

  async #gone(): Promise<void> {
    await this.#child.status;
    await this.#output.cancel();
  }
}

/** What it runs, without the extension. */
export const SCRIPT = "tests/process/support/holder";
