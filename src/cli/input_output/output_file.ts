/**
 * Writes a file that appears, or replaces an older one, only once it is complete.
 *
 * @module
 */

import { createWriteStream, lstatSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import type { Context } from "../command_line/definition.ts";
import { InputError } from "../command_line/errors.ts";
import { type Output, StreamOutput } from "./output.ts";
import process from "node:process";

/** Runs `write` on a temporary file beside the target, and renames it once everything is written. */
export async function intoFile<T>(context: Context, name: string, write: (out: Output) => Promise<T>): Promise<T> {
  const target = resolved(name);
  // Devices and named pipes are written to, not replaced.
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
 * Resolves a file name. A rename may replace a file, found through links so that the links stay, or a name that does
 * not exist. Devices, pipes and broken links are written to.
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
