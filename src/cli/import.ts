/** `import`. @module */

import { statSync } from "node:fs";
import { type Durability, type KvStore, KvStoreError } from "../../mod.ts";
import { fileArgument } from "./command_line/arguments.ts";
import type { Command, Context } from "./command_line/definition.ts";
import { EXIT, InputError, PipeClosed } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { chunks, LineAssembler, type Lines, pieces } from "./input_output/input.ts";
import { StreamOutput } from "./input_output/output.ts";
import { progressBar } from "./input_output/progress_bar.ts";
import { counted } from "./text/format.ts";
import { parseEntry, type SetOperation } from "./text/notation.ts";

/** A group is full at either limit. A larger value makes a group of its own. */
const GROUP_LINES = 1024;
const GROUP_CHARACTERS = 1024 * 1024;

/** Groups that wait for the disk at once. They share syncs, and reading continues meanwhile. */
const GROUPS_IN_FLIGHT = 8;
const CHARACTERS_IN_FLIGHT = 8 * 1024 * 1024;

/** Parsing a longer line may take seconds. It would be written alone in any case. */
const LONG_LINE_CHARACTERS = CHARACTERS_IN_FLIGHT;

/** Stores the lines of an export. */
export const importCommand: Command = {
  name: "import",
  elsewhere: ["load"],
  args: [{ name: "FILE", optional: true, completion: "file" }],
  options: [],
  summary: "store the lines of an export, or of other NDJSON in that form",
  description: `Reads lines {"key":…,"value":…} from FILE or standard input, and skips empty lines. A key is a string or
{"base64":"…"}. A value is JSON, or {"base64":"…"} for bytes, or {"json":…} for a JSON object whose only key is
base64 or json. Numbers are those of JavaScript. "expiresAt" is the time of expiry, in milliseconds since 1970;
if it is past, the key is absent afterwards. Creates the store if there is none.

Stores the lines in groups, each of them all or none. All of them survive a power cut once the import has ended;
with --json, each group does once it has been acknowledged. A line in another form ends the import with status 3,
and so does one that no value can be: of more than 448 MiB, or nested more than 1,000 levels deep. The lines before
it are stored. Ctrl-C ends it with status 130; the lines that had been read are stored.`,
  json: '{"acknowledged":LINES} after each group: that many lines of the input would survive a power cut',
  example: ["kvstore import backup.ndjson", "kvstore: imported 3 lines"],
  endsGently: () => true,
  run: async (context) => {
    const source = fileArgument(context, 0);
    // Fails before a store is created in vain.
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
    for await (const chunk of chunks(source, context)) {
      for (const piece of pieces(chunk)) await importer.add(assembler.push(piece));
      // Without waiting for a group to fill: lines may be typed, or come slowly.
      await importer.send();
      bar.update({ doneBytes: doneBytes += chunk.length, totalBytes });
    }
    // After Ctrl-C the rest may be half a line.
    if (!context.signal.aborted) await importer.add(assembler.end());
  } catch (error) {
    // The lines before a bad one are stored. After a failure of the store there is nothing to finish.
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

/** Collects lines in groups and writes several groups at once. */
class Importer {
  /** Lines that held an entry. */
  entries = 0;
  readonly #context: Context;
  readonly #store: KvStore;
  /** A group has to be durable only when that is said of it. A sync for each takes a quarter of the processor time. */
  readonly #durability: Durability;
  #line = 0;
  #operations: SetOperation[] = [];
  #characters = 0;
  /** Groups being written, in order. Each resolves once it and all groups before it are written or durable. */
  #flying: Promise<void>[] = [];
  #flyingCharacters = 0;
  /** Has no signal, so that the last groups are acknowledged after Ctrl-C. */
  readonly #out = new StreamOutput(undefined);
  #listened = true;
  #failure: unknown;

  constructor(context: Context, store: KvStore) {
    this.#context = context;
    this.#store = store;
    this.#durability = context.json ? "sync" : "write";
  }

  /** Adds lines, and sends groups that are full. */
  async add({ text, fault }: Lines): Promise<void> {
    const marked = this.#line === 0 && text.startsWith("\ufeff");
    for (let start = marked ? 1 : 0; start < text.length;) {
      const found = text.indexOf("\n", start);
      const end = found < 0 ? text.length : found;
      const full = this.#operations.length === GROUP_LINES || this.#characters + end - start > GROUP_CHARACTERS;
      if (full) await this.send();
      this.#line++;
      const line = text.slice(start, end);
      if (line.length > LONG_LINE_CHARACTERS) await this.#addLong(line);
      else this.#add(line);
      start = end + 1;
    }
    if (fault !== undefined) throw new InputError(`line ${this.#line + 1}: ${fault}`);
  }

  /** Sends the last lines, and waits until all groups are acknowledged and durable. */
  async finish(): Promise<void> {
    await this.send();
    await this.#flying.at(-1);
    await this.#store.flush();
  }

  /** Adds a line once all before it are stored, as a signal kills the process while it is parsed. */
  async #addLong(line: string): Promise<void> {
    await this.finish();
    // A signal that has come is handled now.
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    this.#context.signal.throwIfAborted();
    this.#context.signals.without(() => this.#add(line));
  }

  #add(line: string): void {
    try {
      this.#operations.push(parseEntry(line));
    } catch (error) {
      // Checked only now, as nearly every line is an entry.
      if (line.trim() === "") return;
      throw new InputError(`line ${this.#line}: ${(error as Error).message}`);
    }
    this.#characters += line.length;
    this.entries++;
  }

  /** Sends the lines of an unfinished group, if there are any. */
  async send(): Promise<void> {
    const operations = this.#operations;
    if (operations.length === 0) return;
    // A microtask later it is known whether the store has refused the last group. If so, nothing follows it: what is
    // stored is the beginning of the input, even if a full disk has room for a smaller group.
    await undefined;
    if (this.#failure !== undefined) throw this.#failure;
    const group = { written: this.#write(operations), lastLine: this.#line, characters: this.#characters };
    const landed = this.#land(group, this.#flying.at(-1));
    // Both are awaited later. Until then a rejection must not end the process.
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

  async #write(operations: SetOperation[]): Promise<void> {
    const line = this.#line;
    try {
      if (operations.length > 1) return await this.#store.batch(operations, { durability: this.#durability });
      // A value at the size limit fits into a record, but not into a batch.
      const { key, value, expiresAt } = operations[0]!;
      await this.#store.set(key, value, { durability: this.#durability, expiresAt });
    } catch (error) {
      this.#failure ??= error;
      if (error instanceof KvStoreError) throw error;
      throw new InputError(`line ${line}: ${(error as Error).message}`);
    }
  }

  /** Acknowledges a group, if that was asked for, once it and all groups before it are durable. */
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
      // The reader is gone. The import goes on: half of the input would be of no use.
      if (!(error instanceof PipeClosed)) throw error;
      this.#listened = false;
    }
  }
}
