/**
 * Stores that several adapters of one process share. An application makes an adapter for each cache or namespace, often
 * on the same directory, and a store has one writer: so the first of them opens it, and the last one closes it.
 *
 * @module
 */
import { resolve } from "node:path";
import { KvStore, type OpenOptions } from "../../mod.ts";

/** An open store, or one that is being opened. */
interface Shared {
  opening: Promise<KvStore>;
  options: OpenOptions;
  holders: number;
}

const OPEN = new Map<string, Shared>();
/** Closings under way: who comes meanwhile waits, or would meet the lock. */
const CLOSING = new Map<string, Promise<void>>();

/** One adapter's share in a store. */
export class StoreShare {
  readonly #source: string | KvStore;
  readonly #options: OpenOptions;
  #shared: Shared | undefined;

  /**
   * A share in the store of a directory, which is opened when it is first asked for; or in a store that the caller has
   * opened and will close.
   */
  constructor(source: string | KvStore, options: OpenOptions) {
    this.#source = typeof source === "string" ? resolve(source) : source;
    this.#options = options;
  }

  /** The open store. After `release` it is opened again. */
  async store(): Promise<KvStore> {
    if (typeof this.#source !== "string") return this.#source;
    if (this.#shared === undefined) {
      const shared = this.#shared = acquire(this.#source, this.#options);
      // What could not be opened is tried again by the next call.
      shared.opening.catch(() => this.#shared === shared && (this.#shared = undefined));
    }
    return await this.#shared.opening;
  }

  /** Gives the share back; the store is closed with the last one. */
  async release(): Promise<void> {
    const shared = this.#shared;
    this.#shared = undefined;
    if (shared !== undefined) await giveBack(this.#source as string, shared);
  }
}

function acquire(directory: string, options: OpenOptions): Shared {
  const known = OPEN.get(directory);
  if (known !== undefined) {
    if (!areSame(known.options, options)) {
      throw new TypeError(`the store in ${directory} is open with other options: give all its adapters the same`);
    }
    known.holders++;
    return known;
  }
  const opening = (CLOSING.get(directory) ?? Promise.resolve()).then(() => KvStore.open(directory, options));
  const shared = { opening, options, holders: 1 };
  OPEN.set(directory, shared);
  opening.catch(() => OPEN.delete(directory));
  return shared;
}

async function giveBack(directory: string, shared: Shared): Promise<void> {
  if (--shared.holders > 0 || OPEN.get(directory) !== shared) return;
  OPEN.delete(directory);
  const closing = shared.opening.then((store) => store.close());
  const closed = closing.then(() => {}, () => {}).then(() => {
    // By now the store may have been opened, and be closing, once more.
    if (CLOSING.get(directory) === closed) CLOSING.delete(directory);
  });
  CLOSING.set(directory, closed);
  await closing;
}

/** Options are plain data but for `onError`, which has to be the very same function. */
function areSame(a: OpenOptions, b: OpenOptions): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof OpenOptions>;
  const inText = (value: unknown) => JSON.stringify(value, Object.keys(value ?? {}).sort());
  return a.onError === b.onError && [...names].every((name) => inText(a[name]) === inText(b[name]));
}
