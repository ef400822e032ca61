/**
 * Stores that several adapters of one process share. An application makes an adapter for each cache or namespace, often
 * on the same directory, and a store has one writer: so the first of them opens it, and the last one closes it.
 *
 * The package may be in a process more than once, as ES modules and as CommonJS or in two versions. So the list of
 * stores is not this module's but the process's, and says of each store which interface the adapters on it know.
 *
 * @module
 */
import { resolve } from "node:path";
import { KvStore, KvStoreError, type OpenOptions } from "../../mod.ts";
import { ownValue } from "./defensive_copy.ts";

/**
 * Of what adapters ask of a store that another copy of the package has opened, and of an entry in the registry. It
 * changes when either does in a way that an adapter of the older kind would trip over.
 */
const INTERFACE = 1;

/** An open store, or one that is being opened. */
interface Shared {
  interface: number;
  opening: Promise<KvStore>;
  options: OpenOptions;
  holders: number;
}

/** What all copies of the package in a process have in common. Its form stays, whatever the interface. */
interface Registry {
  /** By directory. */
  open: Map<string, Shared>;
  /** Closings under way: who comes meanwhile waits, or would meet the lock. */
  closing: Map<string, Promise<void>>;
}

const REGISTRY = Symbol.for("@kvstore/kvstore/shared-stores");

function registry(): Registry {
  const all = globalThis as { [REGISTRY]?: Registry };
  return all[REGISTRY] ??= { open: new Map(), closing: new Map() };
}

/** One adapter's share in a store. */
export class StoreShare {
  readonly #source: string | KvStore;
  readonly #options: OpenOptions;
  #shared: Shared | undefined;
  #opened: KvStore | undefined;

  /**
   * A share in the store of a directory, which is opened when it is first asked for; or in a store that the caller has
   * opened and will close.
   */
  constructor(source: string | KvStore, options: OpenOptions) {
    this.#source = typeof source === "string" ? resolve(source) : source;
    this.#opened = typeof source === "string" ? undefined : source;
    this.#options = options;
  }

  /** What a call is to hand to the store: a copy, unless the store is open and takes the value before the call returns. */
  keep<T>(value: T): T {
    return this.#opened === undefined ? ownValue(value) : value;
  }

  /** The open store. After `release` it is opened again. */
  store(): Promise<KvStore> {
    return this.run((store) => store);
  }

  /**
   * Does something with the open store: at once if it is open, so that what the caller handed over is taken before the
   * call returns, and otherwise when it has been opened, in the order of the calls.
   */
  // deno-lint-ignore require-await -- what is thrown must come out as a rejection
  async run<T>(action: (store: KvStore) => T | Promise<T>): Promise<T> {
    if (this.#opened !== undefined) return action(this.#opened);
    const source = this.#source as string;
    const shared = this.#shared ??= this.#acquire(source);
    return shared.opening.then(action);
  }

  /** Gives the share back; the store is closed with the last one. */
  async release(): Promise<void> {
    const shared = this.#shared;
    if (shared === undefined) return;
    this.#shared = undefined;
    this.#opened = undefined;
    await giveBack(this.#source as string, shared);
  }

  #acquire(directory: string): Shared {
    const shared = acquire(directory, this.#options);
    shared.opening.then(
      (store) => this.#shared === shared && (this.#opened = store),
      // What could not be opened is tried again by the next call.
      () => this.#shared === shared && (this.#shared = undefined),
    );
    return shared;
  }
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
  return new KvStoreError(
    "LOCKED",
    `${reason}: install one version for all of them, or give them directories of their own`,
  );
}

async function giveBack(directory: string, shared: Shared): Promise<void> {
  const { open, closing } = registry();
  if (--shared.holders > 0 || open.get(directory) !== shared) return;
  open.delete(directory);
  const closed = shared.opening.then((store) => store.close());
  const settled = closed.then(() => {}, () => {}).then(() => {
    // By now the store may have been opened, and be closing, once more.
    if (closing.get(directory) === settled) closing.delete(directory);
  });
  closing.set(directory, settled);
  await closed;
}

/** Options are plain data but for `onError`, which has to be the very same function. */
function areSame(a: OpenOptions, b: OpenOptions): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof OpenOptions>;
  const inText = (value: unknown) => JSON.stringify(value, Object.keys(value ?? {}).sort());
  return a.onError === b.onError && [...names].every((name) => inText(a[name]) === inText(b[name]));
}
