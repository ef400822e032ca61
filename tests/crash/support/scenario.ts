/**
 * The scenarios that the crash tests share: they rotate, overwrite, delete, clear, batch, compact, hold a snapshot,
 * make backups, carry records that expire, write an image of the index, close and open again. Their steps go on after
 * errors, so that a fault can be put at any operation.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type Durability, KvStore, type OpenOptions, type Snapshot, type Value } from "../../../mod.ts";
import type { Platform } from "../../../src/platform/types.ts";
import { verifyOn } from "../../../src/check/verify.ts";
import type { MemoryPlatform } from "../../support/memory_platform.ts";
import { codeOf, contentsOf, History } from "./history.ts";

/** Where the store of these tests is. */
export const DIRECTORY = "/data/store";
/** The smallest segments there are. */
export const OPTIONS = { segmentBytes: 4096, compaction: { auto: false }, cacheBytes: 0 };

/** A backup that was begun. */
export interface Backup {
  directory: string;
  /** What it is to hold. */
  contents: string;
  /** Whether the caller was told that it is done. */
  isDone: boolean;
}

/** How a store is opened in a run. */
export interface RunOptions {
  /** Whether errors are expected: then steps go on after them. */
  isFaulty?: boolean;
  /** What stands between the store and its machine. */
  wrap?: (platform: MemoryPlatform) => Platform;
  /** Options of `open`. */
  open?: OpenOptions;
}

/** A run of a scenario on one machine. */
export class Run {
  readonly history: History;
  readonly backups: Backup[] = [];
  /** The store, while it is open. */
  store: KvStore | undefined;
  /** Errors of background work. */
  reported = 0;
  /** Whether errors are expected: then steps go on after them. */
  readonly isFaulty: boolean;
  readonly platform: MemoryPlatform;
  /** Ends a fault that would keep the store from ever opening. */
  heal: (() => void) | undefined;
  readonly #disk: Platform;
  readonly #options: OpenOptions;
  #pending: Promise<unknown>[] = [];

  /** A run on a machine, whose store may have a history already. */
  constructor(platform: MemoryPlatform, options: RunOptions = {}, history: History = new History()) {
    this.platform = platform;
    this.history = history;
    this.isFaulty = options.isFaulty === true;
    this.#disk = options.wrap?.(platform) ?? platform;
    this.#options = { ...OPTIONS, ...options.open, onError: () => void this.reported++ };
  }

  /** Opens the store, a second time if the first time fails. */
  async open(): Promise<void> {
    try {
      this.store = await KvStore.openOn(this.#disk, DIRECTORY, this.#options);
    } catch (error) {
      codeOf(error);
      this.history.rejections++;
      if (!this.isFaulty) throw error;
      this.heal?.();
      this.store = await KvStore.openOn(this.#disk, DIRECTORY, this.#options);
    }
  }

  /** Closes the store; one that could not write anything more is opened again to see what it holds. */
  async close(): Promise<void> {
    await this.settled();
    const store = this.store!;
    this.store = undefined;
    if (await this.history.barrier(store.close())) return;
    assert(this.isFaulty, "close rejected");
    this.heal?.();
    await this.open();
    this.history.settle(contentsOf(this.store!, this.history.keys), "sync", "opened again after a failed close");
    await this.close();
  }

  set(key: string, value: Value, durability: Durability = "sync"): void {
    this.#note(
      this.store!.set(key, value, { durability }),
      durability,
      [key],
      (contents) => void contents.set(key, value),
    );
  }

  delete(key: string, durability: Durability = "sync"): void {
    this.#note(this.store!.delete(key, { durability }), durability, [key], (contents) => contents.delete(key));
  }

  /** Sets the keys to the value, or deletes those that end with an exclamation mark, all at once. */
  batch(keys: string[], value: Value, durability: Durability = "sync"): void {
    const operations = keys.map((key) =>
      key.endsWith("!") ? { type: "delete" as const, key: key.slice(0, -1) } : { type: "set" as const, key, value }
    );
    this.#note(
      this.store!.batch(operations, { durability }),
      durability,
      operations.map(({ key }) => key),
      (contents) => {
        for (const { type, key } of operations) type === "set" ? contents.set(key, value) : contents.delete(key);
      },
    );
  }

  clear(): void {
    this.#note(this.store!.clear(), "sync", [], (contents) => contents.clear());
  }

  /** Contents; `undefined` if a fault kept them from being read. */
  read(from: KvStore | Snapshot): string | undefined {
    try {
      return contentsOf(from, this.history.keys);
    } catch (error) {
      if (!this.isFaulty || codeOf(error) !== "IO") throw error;
      this.history.rejections++;
      return undefined;
    }
  }

  flush(): void {
    this.#pending.push(this.history.barrier(this.store!.flush()));
  }

  /** Compacts. Compaction and the writes called before it go on together. */
  compact(): void {
    this.#pending.push(this.history.barrier(this.store!.compact()));
  }

  /** Makes a backup; writes called before it are in it, others go on meanwhile. */
  backup(): void {
    const contents = this.read(this.store!);
    if (contents === undefined) return;
    const there = [...this.platform.files(), ...this.backups.map(({ directory }) => directory)];
    const numbers = there.map((path) => Number(/^\/data\/backup (\d+)/.exec(path)?.[1] ?? -1));
    const backup: Backup = { directory: `/data/backup ${Math.max(-1, ...numbers) + 1}`, contents, isDone: false };
    this.backups.push(backup);
    const call = this.history.barrier(this.store!.backup(backup.directory));
    this.#pending.push(call.then((isDone) => void (backup.isDone = isDone && !this.history.isFrozen)));
  }

  /** Resolves once everybody knows what became of their calls. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending.splice(0));
  }

  #note(call: Promise<boolean | void>, ...rest: DropFirst<Parameters<History["write"]>>): void {
    this.#pending.push(this.history.write(call, ...rest));
  }
}

type DropFirst<T extends unknown[]> = T extends [unknown, ...infer Rest] ? Rest : never;

/** One step; the next begins when all its calls are settled. */
export type Step = (run: Run) => void | Promise<void>;

const keys = (prefix: string, count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => `${prefix}${from + i}`);
const text = (length: number, salt: number) => `${salt} ${"abcdefgh".repeat(Math.ceil(length / 8))}`.slice(0, length);

/** Closes the store and opens it. */
export async function reopen(run: Run): Promise<void> {
  await run.close();
  await run.open();
}

/** A snapshot must show the same before and after everything that happens meanwhile. */
export async function withSnapshot(run: Run, action: () => void): Promise<void> {
  const snapshot = run.store!.snapshot();
  const before = run.read(snapshot);
  action();
  await run.settled();
  const after = run.read(snapshot);
  if (before !== undefined && after !== undefined) assertEquals(after, before, "a snapshot stays as it is");
  snapshot.close();
}

/** Everything but images of the index: some hundred operations on files. Begins with the store of `makeExpiring`. */
export const SMALL: Step[] = [
  (run) => keys("a", 6).forEach((key, i) => run.set(key, i % 2 === 0 ? { n: i } : Uint8Array.of(i, 255))),
  (run) => run.batch(["a0", "b1", "a3!", "b2", "never!"], "batched"),
  (run) => {
    run.set("a1", "written", "write");
    run.delete("a2", "write");
    run.delete("a2", "write");
    run.set("c", text(700, 1));
    run.delete("nothing");
  },
  (run) => keys("big", 9).forEach((key, i) => run.set(key, text(1000, i), i % 3 === 0 ? "sync" : "write")),
  (run) => {
    run.batch([...keys("wide", 12), "big0!"], text(600, 2), "write");
    run.set("behind", "the wide batch");
  },
  (run) => run.set("a1", "overwritten", "write"),
  (run) => run.backup(),
  (run) => {
    run.set("e1", "does not expire any more");
    run.delete("e3", "write");
    run.compact();
  },
  reopen,
  (run) => {
    run.set("e0", "neither");
    run.backup();
    run.set("behind", "the backup", "write");
    run.compact();
  },
  (run) => run.clear(),
  (run) => keys("big", 8).forEach((key, i) => run.set(key, text(900, 10 + i))),
  (run) => run.flush(),
  (run) =>
    withSnapshot(run, () => {
      for (const key of ["big1", "big3", "big7"]) run.delete(key, "write");
      run.set("big2", "overwritten");
      run.compact();
      run.set("big4", "while compacting", "write");
      run.delete("big5");
    }),
  reopen,
  (run) => run.batch(["big0!", "new", "big6"], [1, 2]),
  (run) => {
    run.delete("new");
    run.compact();
  },
  reopen,
  (run) => run.compact(),
  (run) => run.set("last", "unsynced", "write"),
];

/** With images of the index, which are written from 1,000 changes on. */
export const LARGE: Step[] = [
  (run) => keys("k", 5).forEach((key) => run.set(key, "first")),
  (run) => [5, 230, 455, 680, 905].forEach((from) => run.batch(keys("k", 225, from), `batch ${from}`)),
  reopen,
  (run) => keys("k", 5).forEach((key) => run.delete(key, "write")),
  (run) => run.batch(keys("k", 250, 10).map((key) => `${key}!`), "", "write"),
  (run) => run.batch(keys("k", 300, 300), { third: true }),
  (run) => run.compact(),
  (run) => run.batch([...keys("k", 500, 400), ...keys("k", 30, 900).map((key) => `${key}!`)], "fourth", "write"),
  (run) => run.set("k1", "again"),
  reopen,
  (run) => run.delete("k1000"),
];

/** One image of the index, and a second one after changes: the fewest operations that there are with any. */
export const IMAGES: Step[] = [
  (run) => run.batch(keys("k", 1000), ""),
  reopen,
  (run) => run.batch(keys("k", 998, 2).map((key) => `${key}!`), "", "write"),
  reopen,
  (run) => run.set("k1", "behind the image"),
];

/** A store of a hundred segments, a batch in each, most larger than a segment is to be: made once, in advance. */
export const FILL: Step[] = [
  (run) => {
    for (let i = 0; i < 100; i++) run.batch([`m${i}`, `n${i}`], text(i % 4 === 0 ? 1500 : 2100, i), "write");
  },
];

/**
 * What is done with that store: writes, more batches than a segment takes, deletes, compaction, a backup, reopening.
 */
export const MANY: Step[] = [
  (run) => {
    for (let i = 0; i < 12; i++) {
      run.batch([`m${i}`, `n${40 + i}!`, `x${i}`], text(200, i), i % 2 === 0 ? "sync" : "write");
    }
  },
  (run) => keys("m", 12, 50).forEach((key) => run.delete(key, "write")),
  (run) => {
    run.compact();
    run.set("m70", "while compacting");
  },
  (run) => run.backup(),
  reopen,
  (run) => run.batch(["m1", "m2!", "wide", "wider"], text(1800, 3)),
  (run) => run.set("last", "unsynced", "write"),
];

/** Runs steps on a new store, or on the one that is there. Leaves it open. */
export async function runSteps(run: Run, steps: Step[], afterStep?: () => Promise<void> | void): Promise<void> {
  await run.open();
  for (const step of steps) {
    await step(run);
    await run.settled();
    await afterStep?.();
  }
}

/** What every test ends with: nothing is wrong with the files, closed or open. */
export async function assertIntact(
  platform: MemoryPlatform,
  message: string,
  directory: string = DIRECTORY,
): Promise<void> {
  assertEquals((await verifyOn(platform, directory, {})).problems, [], `${message}: verify`);
}
