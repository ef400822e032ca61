/** `export`. @module */

import { createWriteStream, lstatSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import process from "node:process";
import type { Key, KvStore, Value } from "../../../mod.ts";
import { fileArgument } from "../arguments.ts";
import { type Command, type Context, optionText } from "../command.ts";
import { EXIT, InputError, UsageError } from "../errors.ts";
import { counted } from "../format.ts";
import { entryLine } from "../notation.ts";
import { withStore } from "../open.ts";
import { type Output, StreamOutput } from "../output.ts";
import { progressBar } from "../progress.ts";
import { CommandBuffer, setCommand } from "../resp.ts";

const FORMATS = ["ndjson", "resp"];

/** Writes everything, as NDJSON or for Redis. */
export const exportCommand: Command = {
  name: "export",
  args: [{ name: "FILE", optional: true, completion: "file" }],
  options: [{
    name: "format",
    value: "FORMAT",
    about: "ndjson, which import reads (the default), or resp, for redis-cli --pipe",
    completion: FORMATS,
  }],
  summary: "write everything as NDJSON, or for Redis, sorted by key",
  description: `To FILE, or standard output: a line {"key":…,"value":…} each. Strings and JSON as they are, bytes as
{"base64":"…"}, a JSON object whose only key is base64 or json as {"json":…}; for keys that expire also
"expiresAt", in milliseconds since 1970. import makes the same store of it, byte for byte. What is written is the
state at the start, whatever an application writes meanwhile. FILE is replaced when the export is complete, and
only then; it is readable by its owner alone.

With --format resp it is commands for Redis from 6.2 on, SET KEY VALUE each, with PXAT where a key expires: bytes
as they are, strings in UTF-8, JSON as its text. A string with a lone surrogate has no UTF-8: the export ends
there with status 3.`,
  example: ["kvstore export backup.ndjson", "kvstore: exported 3 keys"],
  // There is a file to be removed; standard output may block for ever, and Deno does not exit while it does.
  endsGently: (args) => (args[0] ?? "-") !== "-",
  run: (context) => {
    const name = fileArgument(context, 0);
    const format = formatOption(context);
    return withStore(context, "read", (store) => exportTo(context, store, { name, format }));
  },
};

function formatOption(context: Context): string {
  const format = optionText(context, "format") ?? "ndjson";
  if (FORMATS.includes(format)) return format;
  throw new UsageError(`--format is "${format}"; wanted ${FORMATS.join(" or ")}`);
}

async function exportTo(context: Context, store: KvStore, to: { name: string; format: string }): Promise<number> {
  const sinkOn = to.format === "resp" ? commandSink : lineSink;
  if (to.name === "-") {
    await writeEntries(context, store, sinkOn(context.out), !process.stdout.isTTY);
    return EXIT.done;
  }
  const keys = await intoFile(context, to.name, (out) => writeEntries(context, store, sinkOn(out), true));
  context.note(`exported ${counted(keys, "key")}`);
  return EXIT.done;
}

async function writeEntries(context: Context, store: KvStore, sink: Sink, visible: boolean): Promise<number> {
  const bar = progressBar(context, "exporting", "keys");
  // Not the store itself: a key might expire between the look at its value and the one at its time. Closed with it.
  const snapshot = store.snapshot();
  let keys = 0;
  try {
    for (const [key, value] of snapshot.entries()) {
      keys++;
      if (!sink.add(key, value, snapshot.expiresAt(key))) continue;
      await sink.flush();
      if (visible) bar.update({ doneBytes: keys, totalBytes: snapshot.size });
    }
    await sink.flush();
  } finally {
    await bar.stop();
  }
  return keys;
}

/** Where entries go, in one of the formats: gathered until `add` returns `true`, then handed over by `flush`. */
interface Sink {
  add(key: Key, value: Value, expiresAt: number | undefined): boolean;
  flush(): Promise<void>;
}

function lineSink(out: Output): Sink {
  return {
    add: (key, value, expiresAt) => out.add(entryLine(key, value, expiresAt) + "\n"),
    flush: () => out.flush(),
  };
}

function commandSink(out: Output): Sink {
  const commands = new CommandBuffer();
  return {
    add: (key, value, expiresAt) => commands.add(setCommand(key, value, expiresAt)),
    flush: () => out.bytes(commands.take()),
  };
}

/** Lets `write` write to a temporary file beside the one wanted, and renames it once everything is in it. */
export async function intoFile<T>(context: Context, name: string, write: (out: Output) => Promise<T>): Promise<T> {
  const target = resolved(name);
  // A device or a named pipe is written to, not replaced.
  const temporary = target.replaceable ? `${target.path}.${process.pid}.tmp` : target.path;
  const stream = createWriteStream(temporary, { mode: 0o600, flags: target.replaceable ? "wx" : "w" });
  try {
    await settled(stream, "open", name);
    const result = await write(new StreamOutput(context.signal, () => stream));
    const closed = settled(stream, "close", name);
    stream.end();
    await closed;
    if (target.replaceable) renameSync(temporary, target.path);
    return result;
  } catch (error) {
    stream.destroy();
    if (target.replaceable) rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * Where a name leads, and whether it may be replaced by a rename: only a file, found through links so that those stay,
 * or nothing at all. Devices, pipes and links to nowhere are written to.
 */
function resolved(name: string): { path: string; replaceable: boolean } {
  try {
    if (lstatSync(name, { throwIfNoEntry: false }) === undefined) return { path: name, replaceable: true };
    const isFile = statSync(name, { throwIfNoEntry: false })?.isFile() ?? false;
    return { path: isFile ? realpathSync(name) : name, replaceable: isFile };
  } catch (error) {
    throw new InputError(`cannot write ${name}: ${(error as Error).message}`);
  }
}

function settled(stream: ReturnType<typeof createWriteStream>, event: "open" | "close", name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once(event, () => resolve());
    stream.once("error", (error: Error) => reject(new InputError(`cannot write ${name}: ${error.message}`)));
  });
}
