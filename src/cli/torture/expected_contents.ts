/**
 * The contents that a store may have after a kill: those that were found last, changed by a prefix of the writes since.
 * The prefix includes every acknowledged write. A batch is one write, so half a batch is no prefix.
 *
 * @module
 */

import { applyToContents, type Contents, type Plan, type Write } from "./plan.ts";

/** The most characters of a value in a message. */
const SHOWN_CHARACTERS = 60;

/** The writes of one process, as far as they are known. */
export interface Attempt {
  /** The steps of the process, from the first on. */
  plan: Plan;
  /** The number of acknowledged steps. */
  acknowledged: number;
  /** The most steps that can have begun. */
  limit: number;
}

/** The expected contents of one store. */
export class ExpectedContents {
  #contents: Contents = new Map();
  /** Bytes of keys and values of all writes found so far. */
  bytes = 0;

  /**
   * Finds the prefix of the writes that explains the found contents, and expects these contents from then on. Returns
   * what is wrong if no prefix does.
   */
  settle(found: Contents, { plan, acknowledged, limit }: Attempt): string | undefined {
    const contents = new Map(this.#contents);
    const names = new Set([...contents.keys(), ...found.keys()]);
    const wrong = new Set([...names].filter((name) => contents.get(name) !== found.get(name)));
    let complaint = "";
    for (let count = 0; count <= limit; count++) {
      if (count > 0) {
        const { write } = plan.next();
        this.bytes += bytesOf(write);
        for (const name of applyToContents(contents, write)) {
          if (contents.get(name) === found.get(name)) wrong.delete(name);
          else wrong.add(name);
        }
      }
      if (count < acknowledged) continue;
      if (wrong.size === 0) {
        this.#contents = contents;
        return undefined;
      }
      const [name] = wrong;
      if (count === acknowledged) complaint = difference(name!, contents, found);
    }
    const what =
      "what the store holds is not what was written so far: an acknowledged write is missing, or a part of one";
    return `${what} is there (after ${acknowledged} acknowledged writes, ${complaint})`;
  }

  /** Compares contents with the expected ones. Returns what is wrong. */
  compare(found: Contents): string | undefined {
    for (const name of new Set([...found.keys(), ...this.#contents.keys()])) {
      if (found.get(name) !== this.#contents.get(name)) return difference(name, this.#contents, found);
    }
    return undefined;
  }
}

function difference(name: string, wanted: Contents, found: Contents): string {
  return `key ${name}: wanted ${shown(wanted.get(name))}, found ${shown(found.get(name))}`;
}

function shown(value: string | undefined): string {
  if (value === undefined) return "nothing";
  return value.length <= SHOWN_CHARACTERS ? value : `${value.slice(0, SHOWN_CHARACTERS)}… (${value.length} characters)`;
}

/** Returns the bytes of the keys and values of a write. Its text is ASCII. */
function bytesOf(write: Write): number {
  if (write.type === "clear") return 0;
  if (write.type === "batch") return write.operations.reduce((sum, operation) => sum + bytesOf(operation), 0);
  if (write.type === "delete") return write.key.length;
  const { key, value } = write;
  const isPlain = typeof value === "string" || ArrayBuffer.isView(value);
  return key.length + (isPlain ? value.length : JSON.stringify(value).length);
}
