/**
 * The interface of Deno KV: on this library, and on SQLite, which is in Deno itself and in `@deno/kv` for Node.
 *
 * @module
 */

import { join } from "node:path";
import { type Kv, openKv } from "../../src/kv/mod.ts";
import type { Engine, EngineKind, OpenContext, Payload, Visit } from "../engine.ts";
import { endOf, loadPeer } from "./load.ts";

/** Most bytes and keys that a commit, and keys that a call of `getMany`, may have. */
const MOST_BYTES = 700_000;
const MOST_KEYS = 10;
/** Entries that are read in one go. */
const LIST_ENTRIES = 500;

class DenoKvEngine implements Engine {
  readonly kv: Kv;
  readonly #valueBytes: number;

  constructor(kv: Kv, valueBytes: number) {
    this.kv = kv;
    this.#valueBytes = valueBytes;
  }

  set(key: string, value: Payload): Promise<unknown> {
    return this.kv.set([key], value);
  }

  async setMany(keys: string[], values: Payload[]): Promise<void> {
    const step = Math.min(1000, Math.floor(MOST_BYTES / (this.#valueBytes + 50)));
    for (let from = 0; from < keys.length; from += step) {
      await this.batch(keys.slice(from, from + step), values.slice(from, from + step));
    }
  }

  async batch(keys: string[], values: Payload[]): Promise<void> {
    const atomic = this.kv.atomic();
    for (let i = 0; i < keys.length; i++) atomic.set([keys[i]!], values[i]!);
    if (!(await atomic.commit()).ok) throw new Error("not committed");
  }

  async getMany(keys: string[]): Promise<(Payload | null)[]> {
    const gets: Promise<{ value: Payload | null }[]>[] = [];
    for (let from = 0; from < keys.length; from += MOST_KEYS) {
      gets.push(this.kv.getMany<Payload[]>(keys.slice(from, from + MOST_KEYS).map((key) => [key])));
    }
    return (await Promise.all(gets)).flatMap((entries) => entries.map(({ value }) => value));
  }

  async scan(prefix: string, visit: Visit): Promise<void> {
    const selector = prefix === "" ? { prefix: [] } : { start: [prefix], end: [endOf(prefix)] };
    const entries = this.kv.list<Payload>(selector, { batchSize: LIST_ENTRIES });
    for await (const { key, value } of entries) visit(key[0], value);
  }

  close(): void {
    this.kv.close();
  }
}

/** https://docs.deno.com/api/deno/~/Deno.openKv, with `--unstable-kv`. */
export const denoKv: EngineKind = {
  name: "Deno.openKv",
  role: "native",
  runtimes: ["deno"],
  writes: {
    write: "commits of 1,000, as far as their size allows (800 kB); each is synced, which cannot be changed",
    sync: "the same; single commits in the part with the interface of Deno KV, each synced as well",
  },
  refuses: { large1m: "values have at most 64 KiB" },
  open: async ({ directory, valueBytes }: OpenContext) => {
    const { openKv } = Deno as unknown as { openKv(path: string): Promise<Kv> };
    return new DenoKvEngine(await openKv(join(directory, "kv.sqlite")), valueBytes);
  },
};

/** https://github.com/denoland/denokv/tree/main/npm, a native module. */
export const denoKvOnNode: EngineKind = {
  ...denoKv,
  name: "@deno/kv",
  package: "@deno/kv",
  runtimes: ["node"],
  parts: ["kv"],
  writes: { write: "", sync: "commits, each synced" },
  open: async ({ directory, valueBytes, project }: OpenContext) => {
    const { openKv } = loadPeer<{ openKv(path: string): Promise<Kv> }>(project, "@deno/kv");
    return new DenoKvEngine(await openKv(join(directory, "kv.sqlite")), valueBytes);
  },
};

/** This library's. */
export const openKvHere: EngineKind = {
  name: "openKv",
  role: "ours",
  runtimes: ["deno", "node"],
  parts: ["kv"],
  writes: { write: "", sync: "commits, synced; those in flight share the fdatasync" },
  refuses: {},
  open: async ({ directory, valueBytes }: OpenContext) => new DenoKvEngine(await openKv(directory), valueBytes),
};
