/**
 * Open stores that several adapters of one process share. An application makes an adapter for each cache or namespace,
 * often on one directory, but a store has one writer. So the first adapter opens the store and the last one closes it.
 *
 * A process may load the package more than once: as ES modules and as CommonJS, or in two versions. The registry of
 * open stores therefore belongs to the process, not to this module, and each entry has the number of its interface.
 *
 * @module
 */
import { resolve } from "node:path";
import { KvStore, KvStoreError, type OpenOptions, pathOf } from "../../mod.ts";
import { copyValue } from "./copies.ts";
import { paced } from "./event_loop.ts";

/**
 * Number of the interface between copies of the package: the calls that adapters make on a store opened by another
 * copy, and the fields of `Shared`. Raise it when a change to either would break an older copy.
 */
const INTERFACE = 1;

/** A store that is open or being opened, with the number of adapters that use it. */
interface Shared {
  interface: number;
  opening: Promise<KvStore>;
  options: OpenOptions;
  holders: number;
}

/** What all copies of the package in a process share. Its form never changes, not even with `INTERFACE`. */
interface Registry {
  /** Open stores by directory. */
  open: Map<string, Shared>;
  /** Stores being closed, by directory. Opening one waits, as its lock is still held. */
  closing: Map<string, Promise<void>>;
}

const REGISTRY = Symbol.for("@kvstore/kvstore/shared-stores");

function registry(): Registry {
  const all = globalThis as { [REGISTRY]?: Registry };
  return all[REGISTRY] ??= { open: new Map(), closing: new Map() };
}

/** One adapter's share in a store. */
export class StoreShare {
  /** The directory of a shared store; empty if the caller has opened the store. */
  readonly #directory: string;
  readonly #options: OpenOptions;
  #shared: Shared | undefined;
  #opened: KvStore | undefined;

  /** Shares the store of a directory, which the first call opens; or uses a store that the caller opens and closes. */
  constructor(source: string | URL | KvStore, options: OpenOptions) {
    this.#opened = isStore(source) ? source : undefined;
    this.#directory = isStore(source) ? "" : resolve(pathOf(source));
    this.#options = options;
  }

  /** Copies a value that is to be written, unless the store is open: then it is encoded before the call returns. */
  copyUnlessOpen<T>(value: T): T {
    return this.#opened === undefined ? copyValue(value) : value;
  }

  /** Returns the open store. Opens it again after `release`. */
  store(): Promise<KvStore> {
    return this.run((store) => store);
  }

  /**
   * Runs `action` with the open store: at once if it is open, so that the action takes its arguments before the call
   * returns. Otherwise once it has been opened, in the order of the calls. Leaves the event loop its turns.
   */
  // deno-lint-ignore require-await -- what is thrown must come out as a rejection
  async run<T>(action: (store: KvStore) => T | Promise<T>): Promise<T> {
    return paced(() => {
      if (this.#opened !== undefined) return action(this.#opened);
      const shared = this.#shared ??= this.#acquire();
      return shared.opening.then(action);
    });
  }

  /** Gives the share back. The last share closes the store. */
  async release(): Promise<void> {
    await paced(() => {
      const shared = this.#shared;
      if (shared === undefined) return;
      this.#shared = undefined;
      this.#opened = undefined;
      return giveBack(this.#directory, shared);
    });
  }

  #acquire(): Shared {
    const shared = acquire(this.#directory, this.#options);
    shared.opening.then(
      (store) => this.#shared === shared && (this.#opened = store),
      // After a failure the next call tries again.
      () => this.#shared === shared && (this.#shared = undefined),
    );
    return shared;
  }
}

/** Whether what an adapter was given is an open store, of any copy of the package, and not where one is. */
function isStore(source: string | URL | KvStore): source is KvStore {
  return typeof (source as Partial<KvStore> | null | undefined)?.snapshot === "function";
}

function acquire(directory: string, options: OpenOptions): Shared {
  const { open, closing } = registry();
  const known = open.get(directory);
  if (known !== undefined) {
    if (known.interface !== INTERFACE) throw lockedByOtherVersion(directory);
    if (!areSame(known.options, options)) {
      throw new TypeError(`the store in ${directory} is open with other options: give all its adapters the same`);
    }
    known.holders++;
    return known;
  }
  const opening = (closing.get(directory) ?? Promise.resolve()).then(() => KvStore.open(directory, options));
  const shared = { interface: INTERFACE, opening, options, holders: 1 };
  open.set(directory, shared);
  opening.catch(() => open.get(directory) === shared && open.delete(directory));
  return shared;
}

function lockedByOtherVersion(directory: string): KvStoreError {
  const reason = `adapters of another version of @kvstore/kvstore in this process have the store in ${directory} open`;
  return new KvStoreError("LOCKED", `${reason}: install one version for all, or give each its own directory`);
}

async function giveBack(directory: string, shared: Shared): Promise<void> {
  const { open, closing } = registry();
  if (--shared.holders > 0 || open.get(directory) !== shared) return;
  open.delete(directory);
  const closed = shared.opening.then((store) => store.close());
  const settled = closed.then(() => {}, () => {}).then(() => {
    // By now the store may have been opened and be closing once more.
    if (closing.get(directory) === settled) closing.delete(directory);
  });
  closing.set(directory, settled);
  await closed;
}

/** Compares options by value; `onError` must be the same function. */
function areSame(a: OpenOptions, b: OpenOptions): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof OpenOptions>;
  const inText = (value: unknown) => JSON.stringify(value, Object.keys(value ?? {}).sort());
  return a.onError === b.onError && [...names].every((name) => inText(a[name]) === inText(b[name]));
}
