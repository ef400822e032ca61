/**
 * Deno KV on a local file: SQLite behind an asynchronous interface.
 *
 * @module
 */

import { join } from "node:path";
import type { Engine, EngineKind, OpenContext, Payload, Visit } from "../engine.ts";
import { endOf } from "./load.ts";

/** The part of `Deno.Kv` that is used: its types are unstable. */
interface Kv {
  set(key: string[], value: Payload): Promise<unknown>;
  getMany(keys: string[][]): Promise<{ value: Payload | null }[]>;
  list(
    selector: { prefix: string[] } | { start: string[]; end: string[] },
    options: { batchSize: number },
  ): AsyncIterable<{ key: unknown[]; value: Payload }>;
  atomic(): Atomic;
  close(): void;
}

interface Atomic {
  set(key: string[], value: Payload): Atomic;
  commit(): Promise<{ ok: boolean }>;
}

/** Most bytes and keys that a commit, and keys that a call of `getMany`, may have. */
const MOST_BYTES = 700_000;
const MOST_KEYS = 10;
/** Entries that are read in one go. */
const LIST_ENTRIES = 500;

class DenoKvEngine implements Engine {
  readonly #kv: Kv;
  readonly #valueBytes: number;

  constructor(kv: Kv, valueBytes: number) {
    this.#kv = kv;
    this.#valueBytes = valueBytes;
  }

  set(key: string, value: Payload): Promise<unknown> {
    return this.#kv.set([key], value);
  }

  async setMany(keys: string[], values: Payload[]): Promise<void> {
    const step = Math.min(1000, Math.floor(MOST_BYTES / (this.#valueBytes + 50)));
    for (let from = 0; from < keys.length; from += step) {
      await this.batch(keys.slice(from, from + step), values.slice(from, from + step));
    }
  }

  async batch(keys: string[], values: Payload[]): Promise<void> {
    const atomic = this.#kv.atomic();
    for (let i = 0; i < keys.length; i++) atomic.set([keys[i]!], values[i]!);
    if (!(await atomic.commit()).ok) throw new Error("not committed");
  }

  async getMany(keys: string[]): Promise<(Payload | null)[]> {
    const gets: Promise<{ value: Payload | null }[]>[] = [];
    for (let from = 0; from < keys.length; from += MOST_KEYS) {
      gets.push(this.#kv.getMany(keys.slice(from, from + MOST_KEYS).map((key) => [key])));
    }
    return (await Promise.all(gets)).flatMap((entries) => entries.map(({ value }) => value));
  }

  async scan(prefix: string, visit: Visit): Promise<void> {
    const selector = prefix === "" ? { prefix: [] } : { start: [prefix], end: [endOf(prefix)] };
    for await (const { key, value } of this.#kv.list(selector, { batchSize: LIST_ENTRIES })) visit(key[0], value);
  }

  close(): void {
    this.#kv.close();
  }
}

/** https://docs.deno.com/api/deno/~/Deno.openKv, with `--unstable-kv`. */
export const denoKv: EngineKind = {
  name: "Deno.openKv",
  role: "native",
  runtimes: ["deno"],
  writes: {
    write: "commits of 1,000, as far as their size allows (800 kB); each is synced, which cannot be changed",
    sync: "the same",
  },
  refuses: { large1m: "values have at most 64 KiB" },
  open: async ({ directory, valueBytes }: OpenContext) => {
    const { openKv } = Deno as unknown as { openKv(path: string): Promise<Kv> };
    return new DenoKvEngine(await openKv(join(directory, "kv.sqlite")), valueBytes);
  },
};
