/** `export`. @module */

import { createWriteStream, lstatSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import process from "node:process";
import type { KvStore } from "../../../mod.ts";
import { fileArgument } from "../arguments.ts";
import type { Command, Context } from "../command.ts";
import { EXIT, InputError } from "../errors.ts";
import { counted } from "../format.ts";
import { entryLine } from "../notation.ts";
import { withStore } from "../open.ts";
import { type Output, StreamOutput } from "../output.ts";
import { progressBar } from "../progress.ts";

/** Writes everything as NDJSON. */
export const exportCommand: Command = {
  name: "export",
  args: [{ name: "FILE", optional: true, completion: "file" }],
  options: [],
  summary: "write everything as NDJSON, sorted by key",
  description: `To FILE, or standard output: a line {"key":…,"value":…} each. Strings and JSON as they are, bytes as
{"base64":"…"}, a JSON object whose only key is base64 or json as {"json":…}. import makes the same store of it,
byte for byte. What is written is the state at the start, whatever an application writes meanwhile. FILE is
replaced when the export is complete, and only then; it is readable by its owner alone.`,
  example: ["kvstore export backup.ndjson", "kvstore: exported 3 keys"],
  // There is a file to be removed; standard output may block for ever, and Deno does not exit while it does.
  endsGently: (args) => (args[0] ?? "-") !== "-",
  run: (context) => {
    const name = fileArgument(context, 0);
    return withStore(context, "read", (store) => exportTo(context, store, name));
  },
};

async function exportTo(context: Context, store: KvStore, name: string): Promise<number> {
  if (name === "-") {
    await writeEntries(context, store, context.out, !process.stdout.isTTY);
    return EXIT.done;
  }
  const keys = await intoFile(context, name, (out) => writeEntries(context, store, out, true));
  context.note(`exported ${counted(keys, "key")}`);
  return EXIT.done;
}

async function writeEntries(context: Context, store: KvStore, out: Output, visible: boolean): Promise<number> {
  const bar = progressBar(context, "exporting", "keys");
  let keys = 0;
  try {
    for (const [key, value] of store.entries()) {
      keys++;
      if (!out.add(entryLine(key, value) + "\n")) continue;
      await out.flush();
      if (visible) bar.update({ doneBytes: keys, totalBytes: store.size });
    }
    await out.flush();
  } finally {
    await bar.stop();
  }
  return keys;
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
