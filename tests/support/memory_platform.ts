/**
 * A platform that keeps everything in memory, for tests: it knows what was synced from what was merely written, loses
 * the rest on demand, and fails where it is told to. Paths are those of POSIX; only `/` is there at first.
 *
 * It is stricter than a real disk: without a directory sync no creation, rename or removal lasts, and what a failed
 * sync was to save never lasts, whatever later syncs report.
 *
 * @module
 */

import { posix } from "node:path";
import {
  type KeepFile,
  type KeepWrite,
  type Machine,
  MemoryFile,
  MemoryHandle,
  MemoryPlatformError,
  type Operation,
  type OperationKind,
} from "./memory_file.ts";
import { corrupt } from "../../src/errors.ts";
import { FilePool, MAX_OPEN_FILES } from "../../src/platform/pool.ts";
import { nextTurn, startTimer } from "../../src/platform/turn.ts";
import type { Extent, FileHandle, FileKind, Lock, OpenMode, Platform } from "../../src/platform/types.ts";

export { MemoryPlatformError };
export type { KeepFile, KeepWrite, Machine, Operation, OperationKind };
export type { PendingFile, PendingWrite } from "./memory_file.ts";

/** A change of a directory that no directory sync has covered. */
export interface PendingEntry {
  /** What happened. */
  kind: "create" | "makeDirectory" | "rename" | "remove";
  /** The entry; of a rename, its new name. */
  path: string;
  /** Of a rename, the old name. */
  from?: string;
}

/** What of the unsynced a power cut leaves; nothing where absent. */
export interface PowerCut {
  /** What becomes of a write. */
  write?: KeepWrite;
  /** What becomes of a whole file with unsynced writes; `write` is not asked then. */
  file?: KeepFile;
  /** Whether a change of a directory lasts. */
  entry?: (pending: PendingEntry) => boolean;
}

type Entry = MemoryFile | "directory";
type EntryChange = PendingEntry & { entry: Entry };

function applyChange(entries: Map<string, Entry>, change: EntryChange): void {
  if (change.from !== undefined) entries.delete(change.from);
  if (change.kind === "remove") entries.delete(change.path);
  else entries.set(change.path, change.entry);
}

/** Locks taken on all platforms, also on those that come from one another. */
let locksTaken = 0;

/** Files, directories and locks in memory, with faults and power cuts to order. */
export class MemoryPlatform implements Platform, Machine {
  /**
   * Called before each operation. What it throws is thrown to the caller, and the operation does not happen; a number
   * it returns is the most bytes that a read or write takes.
   */
  onOperation: ((operation: Operation) => number | void) | undefined;
  /** How much all files together may hold; beyond it, writes are short and then throw `ENOSPC`. */
  capacityBytes: number = Infinity;
  /** Whether a write of more than a block fails as a whole if not all of it fits, as ext4 does it on Linux 6.18. */
  refusesLongWrites = false;
  /** Whether the lock is given to everybody who asks. Who had it before finds at the next look that it is lost. */
  lockLies = false;
  /** Over its own files. */
  readonly pool: FilePool;
  /** What `syncData` waits for before it counts as done. */
  syncTurn: () => Promise<void> = nextTurn;
  /** Replaced by tests that let time pass themselves. */
  startTimer: Platform["startTimer"] = startTimer;
  /** Likewise. */
  now: () => number = Date.now;
  /** How many operations there were, by kind. Failed ones count. */
  readonly operations: Record<OperationKind, number> = {
    open: 0,
    read: 0,
    write: 0,
    sync: 0,
    syncDirectory: 0,
    rename: 0,
    remove: 0,
    list: 0,
    makeDirectory: 0,
    removeDirectory: 0,
    lock: 0,
  };

  #count = 0;
  #running = true;
  /** What programs see. */
  #entries = new Map<string, Entry>([["/", "directory"]]);
  /** What a power cut leaves. */
  #durable = new Map<string, Entry>([["/", "directory"]]);
  #changes: EntryChange[] = [];
  /** Removed files, which take up space as long as they are open. */
  #removed = new Set<MemoryFile>();

  /** A platform whose pool has at most so many files open. */
  constructor(openFiles: number = MAX_OPEN_FILES) {
    this.pool = new FilePool(this, openFiles);
  }

  absolute(path: string): string {
    return posix.resolve("/", path);
  }

  kindOf(path: string): FileKind | undefined {
    const entry = this.#entries.get(path);
    return entry === undefined || entry === "directory" ? entry && "a directory" : "a regular file";
  }

  open(path: string, mode: OpenMode): FileHandle {
    this.begin("open", path, { mode });
    if (mode !== "create" && this.#entries.get(path) === "directory") {
      throw corrupt(posix.basename(path), 0, "it is a directory, not a regular file");
    }
    if (mode !== "create") return new MemoryHandle(this, this.#file(path), mode === "write");
    return new MemoryHandle(this, this.#create(path), true);
  }

  makeDirectory(path: string): void {
    this.begin("makeDirectory", path);
    this.#assertFree(path);
    this.#change({ kind: "makeDirectory", path, entry: "directory" });
  }

  removeDirectory(path: string): void {
    this.begin("removeDirectory", path);
    this.#assertDirectory(path);
    if (this.list(path).length > 0) throw new MemoryPlatformError("ENOTEMPTY", `${path} is not empty`);
    this.#change({ kind: "remove", path, entry: "directory" });
  }

  list(path: string): string[] {
    this.begin("list", path);
    this.#assertDirectory(path);
    const children = [...this.#entries.keys()].filter((entry) => entry !== "/" && posix.dirname(entry) === path);
    return children.map((entry) => posix.basename(entry));
  }

  syncDirectory(path: string): void {
    this.begin("syncDirectory", path);
    this.#assertDirectory(path);
    this.#settle(this.#changesIn(path));
  }

  async syncDirectoryLater(path: string): Promise<void> {
    this.begin("syncDirectory", path);
    this.#assertDirectory(path);
    // Only what there is now: a sync need not cover what comes while it runs.
    const changes = this.#changesIn(path);
    await this.syncTurn();
    this.assertRunning();
    this.#settle(changes);
  }

  rename(from: string, to: string): void {
    this.begin("rename", to);
    const file = this.#file(from);
    this.#assertDirectory(posix.dirname(to));
    const replaced = this.#entries.get(to);
    if (replaced === "directory") throw new MemoryPlatformError("EISDIR", `${to} is a directory`);
    if (replaced !== undefined && replaced !== file) this.#retire(replaced);
    this.#change({ kind: "rename", path: to, from, entry: file });
    file.path = to;
  }

  remove(path: string): void {
    this.begin("remove", path);
    const file = this.#file(path);
    this.#retire(file);
    this.#change({ kind: "remove", path, entry: file });
  }

  /** Has nothing to do. */
  readAhead(_extent: Extent): Promise<void> {
    return Promise.resolve();
  }

  // deno-lint-ignore require-await -- what is thrown must come out as a rejection
  async removeLater(path: string): Promise<void> {
    this.remove(path);
  }

  lock(path: string, text: string, isAsked: boolean = true): Lock | { holder: string } {
    this.begin("lock", path);
    const file = this.#entries.has(path) ? this.#file(path) : this.#create(path);
    if (file.lock !== undefined && isAsked && !this.lockLies) {
      return { holder: new TextDecoder().decode(file.current.view()) };
    }
    const lock: Lock = {
      token: (++locksTaken).toString(16),
      isCurrent: () => {
        this.assertRunning();
        return file.lock === lock && this.#entries.get(file.path) === file;
      },
      release() {
        if (file.lock === lock) file.lock = undefined;
      },
    };
    file.lock = lock;
    file.replace(new TextEncoder().encode(text));
    return lock;
  }

  availableBytes(): number {
    return this.freeBytes;
  }

  isNotFound(error: unknown): boolean {
    return error instanceof MemoryPlatformError && error.code === "ENOENT";
  }

  isAlreadyThere(error: unknown): boolean {
    return error instanceof MemoryPlatformError && error.code === "EEXIST";
  }

  /** How many syncs of files there were. */
  get syncs(): number {
    return this.operations.sync;
  }

  /** How many handles of files are open. */
  get openHandles(): number {
    const files = [...this.#entries.values(), ...this.#removed].filter((entry) => entry !== "directory");
    return files.reduce((sum, { handles }) => sum + handles, 0);
  }

  /** How many bytes of `capacityBytes` are left. */
  get freeBytes(): number {
    if (this.capacityBytes === Infinity) return Infinity;
    let used = 0;
    for (const entry of this.#entries.values()) if (entry !== "directory") used += entry.current.length;
    for (const file of this.#removed) if (file.handles > 0) used += file.current.length;
    return Math.max(0, this.capacityBytes - used);
  }

  /**
   * Cuts the power: returns the platform that the next start finds, which holds what was synced and what `cut` keeps of
   * the rest, all of it synced by now. This one and its handles refuse to work from then on.
   */
  crash(cut: PowerCut = {}): MemoryPlatform {
    const image = this.image(cut);
    this.#running = false;
    return image;
  }

  /** What a power cut now would leave, while this platform goes on: for trying out every moment of one run. */
  image(cut: PowerCut = {}): MemoryPlatform {
    this.assertRunning();
    const durable = new Map(this.#durable);
    for (const { entry, ...pending } of this.#changes) {
      if (cut.entry?.(pending)) applyChange(durable, { ...pending, entry });
    }
    const after = this.#successor();
    // Parents come before what is in them, which is lost with them.
    for (const [path, entry] of [...durable].sort(([a], [b]) => a < b ? -1 : 1)) {
      if (after.#entries.get(posix.dirname(path)) !== "directory") continue;
      const copy = entry === "directory" ? entry : entry.afterPowerCut(path, cut.write, cut.file);
      after.#entries.set(path, copy);
      after.#durable.set(path, copy);
    }
    return after;
  }

  /**
   * Kills the process: returns the platform that the next start finds, which holds everything written, synced or not,
   * and no lock. This one and its handles refuse to work from then on.
   */
  kill(): MemoryPlatform {
    const after = this.fork();
    this.#running = false;
    return after;
  }

  /** What the death of the process now would leave, while this platform goes on. */
  fork(): MemoryPlatform {
    this.assertRunning();
    const after = this.#successor();
    const copies = new Map<MemoryFile, MemoryFile>();
    const copyOf = (entry: Entry): Entry => {
      if (entry === "directory") return entry;
      const copy = copies.get(entry) ?? entry.copy();
      copies.set(entry, copy);
      return copy;
    };
    after.#entries = new Map(Array.from(this.#entries, ([path, entry]) => [path, copyOf(entry)]));
    after.#durable = new Map(Array.from(this.#durable, ([path, entry]) => [path, copyOf(entry)]));
    after.#changes = this.#changes.map((change) => ({ ...change, entry: copyOf(change.entry) }));
    return after;
  }

  /** The bytes of a file, as programs see them. Not counted as an operation. */
  readFile(path: string): Uint8Array {
    return this.#file(path).current.view().slice();
  }

  /**
   * Makes a file hold just `bytes`, synced, creating it and the directories above where they are missing: for damaging
   * files, open ones too. Not counted as an operation.
   */
  writeFile(path: string, bytes: Uint8Array): void {
    const parent = posix.dirname(path);
    for (let directory = parent; !this.#entries.has(directory); directory = posix.dirname(directory)) {
      this.#entries.set(directory, "directory");
      this.#durable.set(directory, "directory");
    }
    const file = this.#entries.has(path) ? this.#file(path) : new MemoryFile(path);
    file.replace(bytes);
    this.#change({ kind: "create", path, entry: file });
    this.#durable.set(path, file);
  }

  /** Paths of all files, sorted. */
  files(): string[] {
    return [...this.#entries].filter(([, entry]) => entry !== "directory").map(([path]) => path).sort();
  }

  /** Counts an operation and lets the hook have its say. Handles call this; tests have no need to. */
  begin(kind: OperationKind, path: string, details: Pick<Operation, "bytes" | "mode"> = {}): number | void {
    this.assertRunning();
    this.operations[kind]++;
    this.#count++;
    const limit = this.onOperation?.({ kind, path, count: this.#count, ...details });
    // The hook itself may have cut the power.
    this.assertRunning();
    return limit;
  }

  /** Throws if the power was cut or the process killed. */
  assertRunning(): void {
    if (!this.#running) throw new MemoryPlatformError("EIO", "the machine is off");
  }

  #file(path: string): MemoryFile {
    const entry = this.#entries.get(path);
    if (entry === undefined) throw new MemoryPlatformError("ENOENT", `there is no ${path}`);
    if (entry === "directory") throw new MemoryPlatformError("EISDIR", `${path} is a directory`);
    return entry;
  }

  #create(path: string): MemoryFile {
    this.#assertFree(path);
    const file = new MemoryFile(path);
    this.#change({ kind: "create", path, entry: file });
    return file;
  }

  #change(change: EntryChange): void {
    applyChange(this.#entries, change);
    this.#changes.push(change);
  }

  #changesIn(directory: string): Set<EntryChange> {
    return new Set(this.#changes.filter(({ path }) => posix.dirname(path) === directory));
  }

  /** Makes changes of directories durable, unless they are already. */
  #settle(changes: Set<EntryChange>): void {
    for (const change of this.#changes) if (changes.has(change)) applyChange(this.#durable, change);
    this.#changes = this.#changes.filter((change) => !changes.has(change));
  }

  #retire(file: MemoryFile): void {
    for (const removed of this.#removed) if (removed.handles === 0) this.#removed.delete(removed);
    this.#removed.add(file);
  }

  #successor(): MemoryPlatform {
    const after = new MemoryPlatform(this.pool.limit);
    after.capacityBytes = this.capacityBytes;
    return after;
  }

  #assertFree(path: string): void {
    this.#assertDirectory(posix.dirname(path));
    if (this.#entries.has(path)) throw new MemoryPlatformError("EEXIST", `${path} is there already`);
  }

  #assertDirectory(path: string): void {
    const entry = this.#entries.get(path);
    if (entry === undefined) throw new MemoryPlatformError("ENOENT", `there is no ${path}`);
    if (entry !== "directory") throw new MemoryPlatformError("ENOTDIR", `${path} is no directory`);
  }
}
