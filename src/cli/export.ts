/** `export`. @module */

import type { Key, KvStore, Value } from "../../mod.ts";
import { fileArgument, optionText } from "./command_line/arguments.ts";
import type { Command, Context } from "./command_line/definition.ts";
import { EXIT, UsageError } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import type { Output } from "./input_output/output.ts";
import { intoFile } from "./input_output/output_file.ts";
import { progressBar } from "./input_output/progress_bar.ts";
import { counted } from "./text/format.ts";
import { entryLine } from "./text/notation.ts";
import { CommandBuffer, setCommand } from "./text/redis_commands.ts";
import process from "node:process";

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
