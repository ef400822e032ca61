/** Directory entries that are no regular files, for tests of what the store does with them. */

import { closeSync, constants, openSync } from "node:fs";

/** What a test can put in the place of a file. */
export interface Irregular {
  /** What it is, as messages have it. */
  kind: string;
  /** Its path. */
  path: string;
}

/** A temporary directory in which a file's place is taken by something else; outside of it is a file that links lead to. */
export interface IrregularFiles extends Disposable {
  /** The directory. */
  directory: string;
  /** Puts each kind in turn in the place of a file of this name. */
  all(name: string): Generator<Irregular>;
  /** The names outside the directory that were changed or created. */
  changed(): string[];
}

const TEXT = "what links lead to";

/** Makes a temporary directory for such entries. */
export function irregularFiles(): IrregularFiles {
  const outside = Deno.makeTempDirSync();
  const directory = `${outside}/store`;
  Deno.mkdirSync(directory);
  Deno.writeTextFileSync(`${outside}/target`, TEXT);
  const makers: [string, (path: string) => () => void][] = [
    ["a symbolic link", (path) => link(`${outside}/target`, path)],
    ["a symbolic link", (path) => link(`${outside}/missing`, path)],
    ["a FIFO", fifo],
    ["a directory", directoryAt],
  ];
  return {
    directory,
    *all(name) {
      const path = `${directory}/${name}`;
      for (const [kind, make] of makers) {
        const remove = make(path);
        yield { kind, path };
        remove();
      }
    },
    changed() {
      const names = [...Deno.readDirSync(outside)].map((entry) => entry.name);
      const others = names.filter((name) => name !== "target" && name !== "store");
      return Deno.readTextFileSync(`${outside}/target`) === TEXT ? others : [...others, "target"];
    },
    [Symbol.dispose]: () => Deno.removeSync(outside, { recursive: true }),
  };
}

function link(target: string, path: string): () => void {
  Deno.symlinkSync(target, path);
  return () => Deno.removeSync(path);
}

/** Makes a FIFO. As both its ends are open, opening it does not wait: what opens it fails a test and hangs none. */
function fifo(path: string): () => void {
  const { success } = new Deno.Command("mkfifo", { args: [path] }).outputSync();
  if (!success) throw new Error("mkfifo failed");
  const descriptor = openSync(path, constants.O_RDWR);
  return () => {
    closeSync(descriptor);
    Deno.removeSync(path);
  };
}

function directoryAt(path: string): () => void {
  Deno.mkdirSync(path);
  return () => Deno.removeSync(path);
}
