/** `import`. @module */

import { statSync } from "node:fs";
import { type BatchOperation, type KvStore, KvStoreError } from "../../mod.ts";
import { fileArgument } from "./command_line/arguments.ts";
import type { Command, Context } from "./command_line/definition.ts";
import { EXIT, InputError, PipeClosed } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { chunks, LineAssembler, type Lines } from "./input_output/input.ts";
import { StreamOutput } from "./input_output/output.ts";
import { progressBar } from "./input_output/progress_bar.ts";
import { counted } from "./text/format.ts";
import { parseEntry } from "./text/notation.ts";

/** A group is full at either of these; a value larger than that makes a group of its own. */
const GROUP_LINES = 1024;
const GROUP_CHARACTERS = 1024 * 1024;

/** Groups that wait for the disk at the same time: they share syncs, and reading goes on meanwhile. */
const GROUPS_IN_FLIGHT = 8;
const CHARACTERS_IN_FLIGHT = 8 * 1024 * 1024;

/** Reads an export. */
export const importCommand: Command = {
  name: "import",
  args: [{ name: "FILE", optional: true, completion: "file" }],
  options: [],
  summary: "store the lines of an export, or of any NDJSON of that form",
  description: `Reads FILE, or standard input: a line {"key":…,"value":…} each, empty ones skipped. A key is a string or
{"base64":"…"}; a value is JSON, or {"base64":"…"} for bytes; {"json":…} holds a JSON object whose only key is
base64 or json. Numbers are those of JavaScript. "expiresAt" is when the key is gone, in milliseconds since
1970; a time that is past leaves the key absent. The store is created if there is none.

Lines are written in groups, each there whole or not at all, and safe from a power cut once acknowledged. A
line that is none of the above ends the import with status 3; what stood before it is stored. Ctrl-C ends it
with status 130; what was read until then is stored.`,
  json: '{"acknowledged":LINES} after each group: so many lines of the input are stored and safe',
  example: ["kvstore import backup.ndjson", "kvstore: imported 3 lines"],
  endsGently: () => true,
  run: async (context) => {
    const source = fileArgument(context, 0);
    // Looked at before a store is created for nothing.
    const totalBytes = source === "-" ? 0 : sizeOf(source);
    return await withStore(context, "create", (store) => importLines(context, store, source, totalBytes));
  },
};

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch (error) {
    throw new InputError(`cannot read ${file}: ${(error as Error).message}`);
  }
}

async function importLines(context: Context, store: KvStore, source: string, totalBytes: number): Promise<number> {
  const bar = progressBar(context, "importing");
  const importer = new Importer(context, store);
  const assembler = new LineAssembler();
  let doneBytes = 0;
  try {
    for await (const chunk of chunks(source, context.signal)) {
      await importer.take(assembler.push(chunk));
      bar.update({ doneBytes: doneBytes += chunk.length, totalBytes });
    }
    // After Ctrl-C what is left may be half a line.
    if (!context.signal.aborted) await importer.take(assembler.end());
  } catch (error) {
    // What stood before a bad line is stored; after a failure of the store there is nothing to finish.
    if (error instanceof InputError) await importer.finish();
    throw error;
  } finally {
    await bar.stop();
  }
  await importer.finish();
  if (context.signal.aborted) throw context.signal.reason;
  if (!context.json) context.note(`imported ${counted(importer.entries, "line")}`);
  return EXIT.done;
}

/** Gathers lines to groups and has several of them on their way to the disk. */
class Importer {
  /** Lines that held an entry. */
  entries = 0;
  readonly #context: Context;
  readonly #store: KvStore;
  #line = 0;
  #operations: BatchOperation[] = [];
  #characters = 0;
  /** Groups on their way, in order: each resolves once it and all before it are acknowledged. */
  #flying: Promise<void>[] = [];
  #flyingCharacters = 0;
  /** Without the signal: after Ctrl-C the last groups are acknowledged, too. */
  readonly #out = new StreamOutput(undefined);
  #listened = true;
  #failure: unknown;

  constructor(context: Context, store: KvStore) {
    this.#context = context;
    this.#store = store;
  }

  /** Takes lines and sends them off, all of them: who types or trickles lines in waits for no group to fill. */
  async take({ text, broken }: Lines): Promise<void> {
    const marked = this.#line === 0 && text.startsWith("\ufeff");
    for (let start = marked ? 1 : 0; start < text.length;) {
      const found = text.indexOf("\n", start);
      const end = found < 0 ? text.length : found;
      const full = this.#operations.length === GROUP_LINES || this.#characters + end - start > GROUP_CHARACTERS;
      if (full) await this.#send();
      this.#line++;
      this.#add(text.slice(start, end));
      start = end + 1;
    }
    await this.#send();
    if (broken) throw new InputError(`line ${this.#line + 1}: not UTF-8`);
  }

  /** Sends what is left and waits for everything. */
  async finish(): Promise<void> {
    await this.#send();
    await this.#flying.at(-1);
  }

  #add(line: string): void {
    try {
      this.#operations.push({ type: "set", ...parseEntry(line) });
    } catch (error) {
      // Looked at only now: nearly every line is an entry.
      if (line.trim() === "") return;
      throw new InputError(`line ${this.#line}: ${(error as Error).message}`);
    }
    this.#characters += line.length;
    this.entries++;
  }

  async #send(): Promise<void> {
    const operations = this.#operations;
    if (operations.length === 0) return;
    // Whether the last group was refused is known a microtask later. Nothing follows one that was: what is stored is a
    // beginning of the input, also on a full disk that has room for a smaller group.
    await undefined;
    if (this.#failure !== undefined) throw this.#failure;
    const group = { written: this.#write(operations), lastLine: this.#line, characters: this.#characters };
    const landed = this.#land(group, this.#flying.at(-1));
    // Waited for later; that it has failed by then must not end the process.
    group.written.catch(() => {});
    landed.catch(() => {});
    this.#flying.push(landed);
    this.#flyingCharacters += group.characters;
    this.#operations = [];
    this.#characters = 0;
    while (this.#flying.length > GROUPS_IN_FLIGHT || this.#flyingCharacters > CHARACTERS_IN_FLIGHT) {
      await this.#flying[0];
    }
  }

  async #write(operations: BatchOperation[]): Promise<void> {
    const line = this.#line;
    try {
      if (operations.length > 1) return await this.#store.batch(operations);
      // A value at the limit fits a record of its own, but no batch.
      const { key, value, expiresAt } = operations[0] as BatchOperation & { type: "set" };
      await this.#store.set(key, value, expiresAt === undefined ? {} : { expiresAt });
    } catch (error) {
      this.#failure ??= error;
      if (error instanceof KvStoreError) throw error;
      throw new InputError(`line ${line}: ${(error as Error).message}`);
    }
  }

  /** Acknowledges a group once it is safe, and those before it are. */
  async #land(group: { written: Promise<void>; lastLine: number; characters: number }, before?: Promise<void>) {
    await before;
    await group.written;
    if (this.#context.json) await this.#acknowledge(group.lastLine);
    this.#flying.shift();
    this.#flyingCharacters -= group.characters;
  }

  async #acknowledge(lines: number): Promise<void> {
    if (!this.#listened) return;
    this.#out.add(JSON.stringify({ acknowledged: lines }) + "\n");
    try {
      await this.#out.flush();
    } catch (error) {
      // Nobody listens any more: no reason to store half of the input and call it done.
      if (!(error instanceof PipeClosed)) throw error;
      this.#listened = false;
    }
  }
}
