/**
 * What a workload may ask of an engine. There is one small adapter a file in engines/; each uses its engine the way
 * that the engine's own documentation calls fast.
 *
 * @module
 */

import type { Kv } from "../src/kv/mod.ts";

/** What is stored. */
export type Payload = Uint8Array | string;

/** When writes count as done: see the library's own type of this name. */
export type Durability = "sync" | "write";

/** Which program runs the engine. */
export type RuntimeKind = "deno" | "node";

/**
 * What there is to measure; each part runs in a process of its own. What varies most is first, as it needs its rounds
 * most, should time run out.
 */
export const PARTS = [
  "open",
  "first",
  "crash",
  "reopen",
  "ranges",
  "kv",
  "shell",
  "import",
  "compaction",
  "durable",
  "basic",
  "strings",
  "batch",
  "large4k",
  "large1m",
  "memory",
  "growth",
] as const;

/** One of the parts. */
export type Part = typeof PARTS[number];

/** An open store of an engine. Calls may return a promise or be done when they return. */
export interface Engine {
  /** Sets one key, acknowledged with the durability that the store was opened for. */
  set(key: string, value: Payload): unknown;
  /** Sets many keys, all in flight at the same time; done when all are acknowledged. */
  setMany(keys: string[], values: Payload[]): unknown;
  /** Sets many keys, all or none. */
  batch?(keys: string[], values: Payload[]): unknown;
  /** Reads one key synchronously. An engine has this call or `getMany`. */
  get?(key: string): Payload | undefined | null;
  /** Reads many keys, all in flight at the same time. */
  getMany?(keys: string[]): Promise<(Payload | undefined | null)[]>;
  /** Deletes one key, acknowledged as a set is. */
  delete?(key: string): unknown;
  /** Visits keys and values in the order of the keys: all, or the first or last ones of the prefix. */
  scan?(prefix: string, visit: Visit, part?: ScanPart): unknown;
  /** The store with the calls of Deno KV. */
  kv?: Kv;
  /** Closes the store. */
  close(): unknown;
}

/** A part of what a scan would meet. */
export interface ScanPart {
  /** At most so many entries. */
  limit: number;
  /** From the last key to the first. */
  reverse?: boolean;
}

/** Hears of an entry that a scan met. */
export type Visit = (key: unknown, value: Payload) => void;

/** How a store is opened. */
export interface OpenContext {
  /** A folder of its own, which exists. */
  directory: string;
  /** What writes are to survive. */
  durability: Durability;
  /** What values are. */
  payload: "bytes" | "string";
  /** Bytes of each value. */
  valueBytes: number;
  /** Most keys that there will be. */
  keys: number;
  /** Folder of the project that the peers are installed in. */
  project: string;
}

/** An engine that can be measured. */
export interface EngineKind {
  /** What tables and options call it. */
  name: string;
  /** `"floor"` is no store, but what the machine can do at best. */
  role: "ours" | "native" | "script" | "floor";
  /** The npm package, if it is one. */
  package?: string;
  /** Where it can run. */
  runtimes: RuntimeKind[];
  /** How it acknowledges writes at both durabilities, for the table. */
  writes: { write: string; sync: string };
  /** The only parts that it is measured in, if not all. */
  parts?: Part[];
  /** Parts that it has nothing to show for, with the reason. */
  refuses: Partial<Record<Part, string>>;
  /** Single figures of the other parts that it has nothing to show for. */
  lacks?: string[];
  /** Values can only be this. */
  payload?: "string";
  /** Values must be of class `Buffer`. */
  buffers?: boolean;
  /** Writes are only known to be done when `close` is. */
  acknowledgesAtClose?: boolean;
  /** Opens or creates a store. */
  open(context: OpenContext): Engine | Promise<Engine>;
}
