/** `export`. @module */

import type { Key, Snapshot, Value } from "../../mod.ts";
import { fileArgument, optionText } from "./command_line/arguments.ts";
import type { Command, Context } from "./command_line/definition.ts";
import { EXIT, UsageError } from "./command_line/errors.ts";
import { withSnapshot } from "./command_line/open_store.ts";
import { MATCH_OPTION, Selection } from "./command_line/selection.ts";
import type { Output } from "./input_output/output.ts";
import { intoFile } from "./input_output/output_file.ts";
import { progressBar } from "./input_output/progress_bar.ts";
import { counted } from "./text/format.ts";
import { entryLine } from "./text/notation.ts";
import { CommandBuffer, setCommand } from "./text/redis_commands.ts";
import process from "node:process";

const FORMATS = ["ndjson", "resp"];

/** Writes all entries, as NDJSON or for Redis. */
export const exportCommand: Command = {
  name: "export",
  elsewhere: ["dump"],
  args: [{ name: "FILE", optional: true, completion: "file" }],
  options: [
    MATCH_OPTION,
    {
      name: "format",
      value: "FORMAT",
      about: "ndjson (the default), which import reads, or resp, for redis-cli --pipe",
      completion: FORMATS,
    },
  ],
  summary: "write all entries, sorted by key, as NDJSON or for Redis",
  description:
    `Writes a line {"key":…,"value":…} for each entry, to FILE or to standard output. Strings and JSON are written as
they are, bytes as {"base64":"…"}, and a JSON object whose only key is base64 or json as {"json":…}. A key that
expires has "expiresAt" too, in milliseconds since 1970. An import of the lines makes an equal store, byte for
byte. The export shows the store as it was at the start, whatever an application writes meanwhile. FILE is
replaced only once the export is complete, and only its owner can read it. With --match it has the entries
whose keys match PATTERN (kvstore help list).

Characters that do not print are escaped, which leaves the JSON equal.

With --format resp the output is a command SET KEY VALUE for each entry, for Redis 6.2 or later, with PXAT if
the key expires. Bytes are written as they are, strings in UTF-8, JSON as its text. A string with a lone
surrogate has no UTF-8 form, and ends the export with status 3.`,
  example: ["kvstore export backup.ndjson", "kvstore: exported 3 keys"],
  // A temporary file must be removed. Standard output may block for ever, and Deno does not exit meanwhile.
  endsGently: (args) => (args[0] ?? "-") !== "-",
  run: (context) => {
    const name = fileArgument(context, 0);
    const format = formatOption(context);
    const selection = new Selection(context, { hasPrefix: false });
    return withSnapshot(context, (snapshot) => {
      return exportTo(context, { entries: selection.entries(snapshot), snapshot }, { name, format });
    });
  },
};

function formatOption(context: Context): string {
  const format = optionText(context, "format") ?? "ndjson";
  if (FORMATS.includes(format)) return format;
  throw new UsageError(`--format is "${format}"; wanted ${FORMATS.join(" or ")}`);
}

/** What is exported: entries of a snapshot. */
interface Source {
  entries: Iterable<[Key, Value]>;
  snapshot: Snapshot;
}

async function exportTo(context: Context, source: Source, to: { name: string; format: string }): Promise<number> {
  const sinkOn = to.format === "resp" ? commandSink : lineSink;
  if (to.name === "-") {
    await writeEntries(context, source, sinkOn(context.out), !process.stdout.isTTY);
    return EXIT.done;
  }
  const keys = await intoFile(context, to.name, (out) => writeEntries(context, source, sinkOn(out), true));
  context.note(`exported ${counted(keys, "key")}`);
  return EXIT.done;
}

async function writeEntries(context: Context, source: Source, sink: Sink, visible: boolean): Promise<number> {
  const { entries, snapshot } = source;
  // How many match a pattern is unknown before the end.
  const total = optionText(context, "match") !== undefined ? 0 : snapshot.size;
  const bar = progressBar(context, "exporting", "keys");
  let keys = 0;
  let flushed = Promise.resolve();
  try {
    for (const [key, value] of entries) {
      keys++;
      if (!sink.add(key, value, snapshot.expiresAt(key))) continue;
      // One chunk is written while the next one is made.
      await flushed;
      flushed = sink.flush();
      // It is awaited later. Until then a rejection must not end the process.
      flushed.catch(() => {});
      if (visible) bar.update({ doneBytes: keys, totalBytes: total });
    }
    await flushed;
    await sink.flush();
  } finally {
    await bar.stop();
  }
  return keys;
}

/** Writes entries in a format. Buffers them until `add` returns `true`; then `flush` writes the buffer. */
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
    flush: () => out.bytes(commands.drain()),
  };
}
