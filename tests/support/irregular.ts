/** Directory entries that are no regular files, for tests of what the store does with them. */

import { closeSync, constants, openSync } from "node:fs";
import { crc32 } from "../../src/platform/checksum.ts";

/** A kind of entry. */
export interface Irregular {
  /** What it is, as messages have it. */
  kind: string;
  /** Makes one at `path`; what leads somewhere leads to `target`. Returns what ends it. */
  make(path: string, target: string): () => void;
}

/** One of each kind. */
export const IRREGULAR: Irregular[] = [
  { kind: "a symbolic link", make: link },
  { kind: "a FIFO", make: fifo },
  { kind: "a directory", make: directory },
];

function link(path: string, target: string): () => void {
  Deno.symlinkSync(target, path);
  return () => {};
}

/** Makes a FIFO. As both its ends are open, opening it does not wait: what opens it fails a test and hangs none. */
function fifo(path: string): () => void {
  const { success } = new Deno.Command("mkfifo", { args: [path] }).outputSync();
  if (!success) throw new Error("mkfifo failed");
  const descriptor = openSync(path, constants.O_RDWR);
  return () => closeSync(descriptor);
}

function directory(path: string): () => void {
  Deno.mkdirSync(path);
  Deno.writeTextFileSync(`${path}/file`, "of somebody else");
  return () => {};
}

/** Every entry below a directory, in order: path, time of the last change, and a checksum of its bytes. */
export function everything(directory: string): string[] {
  const entries = [...Deno.readDirSync(directory)].sort((a, b) => a.name < b.name ? -1 : 1);
  return entries.flatMap(({ name }) => {
    const path = `${directory}/${name}`;
    const { isFile, isDirectory, mtime } = Deno.lstatSync(path);
    const own = `${path} ${mtime?.toISOString()} ${isFile ? crc32(Deno.readFileSync(path)) : ""}`;
    return [own, ...(isDirectory ? everything(path) : [])];
  });
}
