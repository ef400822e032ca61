/**
 * A file of the in-memory platform, and an open handle on one.
 *
 * @module
 */

import type { FileHandle, Lock, OpenMode } from "../../src/platform/types.ts";

const BLOCK_BYTES = 4096;

/** The kinds of operations that can be counted and made to fail. */
export type OperationKind =
  | "open"
  | "read"
  | "write"
  | "sync"
  | "syncDirectory"
  | "rename"
  | "remove"
  | "list"
  | "makeDirectory"
  | "removeDirectory"
  | "lock";

/** An operation that is about to happen. */
export interface Operation {
  /** What it is. */
  kind: OperationKind;
  /** The file or directory; of a rename, the new name. */
  path: string;
  /** Its number among all operations of this platform, from 1 on. */
  count: number;
  /** Of reads and writes: how many bytes were asked for. */
  bytes?: number;
  /** Of opens: what for. */
  mode?: OpenMode;
}

/** What files need of the platform they are on. */
export interface Machine {
  /** What `syncData` waits for before it counts as done. */
  syncTurn: () => Promise<void>;
  /** How many bytes fit on the disk. */
  readonly freeBytes: number;
  /** Whether a write of more than a block fails as a whole if not all of it fits. */
  readonly refusesLongWrites: boolean;
  /** Counts an operation and lets the test have its say: how many bytes go at most, or an exception. */
  begin(kind: OperationKind, path: string, details?: Pick<Operation, "bytes" | "mode">): number | void;
  /** Throws if the power was cut or the process killed. */
  assertRunning(): void;
}

/** An error of the in-memory platform, with the code that the operating system would give. */
export class MemoryPlatformError extends Error {
  /** Such as `ENOENT`. */
  readonly code: string;

  /**
   * An error with a code and a message.
   *
   * @param code such as `ENOENT`
   * @param message what could not be done
   */
  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

/** A write that no sync has covered. */
export interface PendingWrite {
  /** The file, by the name it has or last had. */
  path: string;
  /** Where it was written. */
  offset: number;
  /** What was written. */
  bytes: Uint8Array;
}

/** What a write leaves at its offset after a power cut: its bytes, some of them, others, or nothing at all. */
export type KeepWrite = (pending: PendingWrite) => Uint8Array | undefined;

/** A file with writes that no sync has covered. */
export interface PendingFile {
  /** The name that it has after the power cut. */
  path: string;
  /** What is synced. */
  synced: Uint8Array;
  /** The writes since, oldest first. What a failed sync was to save is marked: some of it may have come that far. */
  writes: { offset: number; bytes: Uint8Array; isLost?: boolean }[];
}

/** The content that a power cut leaves of such a file. */
export type KeepFile = (pending: PendingFile) => Uint8Array;

/** Bytes that grow; the buffer doubles, so that many small appends stay cheap. Copies share it until one is written. */
class Bytes {
  #buffer = new Uint8Array(64);
  #isShared = false;
  length = 0;

  copy(): Bytes {
    const copy = new Bytes();
    copy.#buffer = this.#buffer;
    copy.length = this.length;
    copy.#isShared = this.#isShared = true;
    return copy;
  }

  write(source: Uint8Array, offset: number): void {
    const end = offset + source.length;
    if (end > this.#buffer.length || this.#isShared) {
      const isFull = end > this.#buffer.length;
      const grown = new Uint8Array(isFull ? Math.max(end, this.#buffer.length * 2) : this.#buffer.length);
      grown.set(this.view());
      this.#buffer = grown;
      this.#isShared = false;
    }
    // What lies between is a hole, zero as in files, also where the file was cut before.
    this.#buffer.fill(0, this.length, Math.max(this.length, offset));
    this.#buffer.set(source, offset);
    this.length = Math.max(this.length, end);
  }

  view(): Uint8Array {
    return this.#buffer.subarray(0, this.length);
  }
}

/** A file of the in-memory platform: what programs see of it, what is synced, and the writes in between. */
export class MemoryFile {
  path: string;
  current: Bytes = new Bytes();
  synced: Bytes = new Bytes();
  /** Writes since the last sync, oldest first. The first has the number `firstPending`. */
  pending: { offset: number; bytes: Uint8Array; isLost?: boolean }[] = [];
  firstPending = 0;
  /** Writes before this number are for syncs under way to bring to the disk. */
  syncingEnd = 0;
  /** How many syncs failed. Each open handle hears of it once, as on Linux, when it syncs next. */
  failures = 0;
  handles = 0;
  lock: Lock | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Makes `bytes` all there is, and synced. */
  replace(bytes: Uint8Array): void {
    this.settle(this.nextPending);
    for (const content of [this.current, this.synced]) {
      content.length = 0;
      content.write(bytes, 0);
    }
  }

  write(bytes: Uint8Array, offset: number): void {
    const copy = bytes.slice();
    this.current.write(copy, offset);
    this.pending.push({ offset, bytes: copy });
  }

  /** The number of the next write. */
  get nextPending(): number {
    return this.firstPending + this.pending.length;
  }

  /** Brings the writes before the one numbered `end` to the disk. */
  settle(end: number): void {
    const settled = this.pending.splice(0, Math.max(0, end - this.firstPending));
    this.firstPending += settled.length;
    for (const { bytes, offset, isLost } of settled) if (!isLost) this.synced.write(bytes, offset);
  }

  /**
   * A sync of these writes failed. As on Linux, their pages count as clean from now on, and no later sync writes them.
   */
  lose(start: number, end: number): void {
    for (const [i, write] of this.pending.entries()) {
      const number = this.firstPending + i;
      if (number >= start && number < end) write.isLost = true;
    }
  }

  /** The same file on a machine on which nobody has it open. */
  copy(): MemoryFile {
    const copy = new MemoryFile(this.path);
    copy.current = this.current.copy();
    copy.synced = this.synced.copy();
    copy.pending = this.pending.map((write) => ({ ...write }));
    copy.firstPending = this.firstPending;
    return copy;
  }

  /** The file as a power cut leaves it: what was synced, and what is kept of the writes that were not. */
  afterPowerCut(path: string, keep: KeepWrite | undefined, keepFile: KeepFile | undefined): MemoryFile {
    const copy = new MemoryFile(path);
    if (keepFile !== undefined && this.pending.length > 0) {
      const synced = this.synced.view().slice();
      const writes = this.pending.map((write) => ({ ...write, bytes: write.bytes.slice() }));
      copy.replace(keepFile({ path, synced, writes }));
      return copy;
    }
    copy.current = this.synced.copy();
    copy.synced = this.synced.copy();
    for (const { offset, bytes, isLost } of this.pending) {
      const left = isLost ? undefined : keep?.({ path, offset, bytes: bytes.slice() });
      if (left !== undefined) copy.write(left, offset);
    }
    copy.settle(copy.nextPending);
    return copy;
  }
}

/** An open file of the in-memory platform. */
export class MemoryHandle implements FileHandle {
  readonly #machine: Machine;
  readonly #file: MemoryFile;
  readonly #writable: boolean;
  /** So many failures of the file's syncs this handle has heard of, or came after. */
  #failures: number;
  #closed = false;

  constructor(machine: Machine, file: MemoryFile, writable: boolean) {
    this.#machine = machine;
    this.#file = file;
    this.#writable = writable;
    this.#failures = file.failures;
    file.handles++;
  }

  read(target: Uint8Array, offset: number): number {
    const limit = this.#begin("read", target.length) ?? target.length;
    const found = this.#file.current.view().subarray(offset, offset + Math.min(target.length, limit));
    target.set(found);
    return found.length;
  }

  write(source: Uint8Array, offset: number): number {
    const limit = this.#begin("write", source.length) ?? source.length;
    if (!this.#writable) throw new MemoryPlatformError("EBADF", `${this.#file.path} is not open for writing`);
    const room = this.#file.current.length + this.#machine.freeBytes - offset;
    const count = Math.max(0, Math.min(source.length, limit, room));
    const isRefused = this.#machine.refusesLongWrites && source.length > Math.max(room, BLOCK_BYTES);
    if (isRefused || (room <= 0 && source.length > 0)) {
      throw new MemoryPlatformError("ENOSPC", `no space left for ${this.#file.path}`);
    }
    if (count > 0) this.#file.write(source.subarray(0, count), offset);
    return count;
  }

  async syncData(): Promise<void> {
    const { start, end } = this.#beginSync();
    try {
      await this.#machine.syncTurn();
    } catch (error) {
      this.#fail(start, end);
      throw error;
    }
    // After a power cut the writes are gone as unsynced, and there is nobody left to tell.
    this.#machine.assertRunning();
    this.#file.settle(end);
  }

  syncDataNow(): void {
    this.#file.settle(this.#beginSync().end);
  }

  size(): number {
    this.#assertOpen();
    return this.#file.current.length;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.handles--;
  }

  #begin(kind: OperationKind, bytes?: number): number | void {
    this.#assertOpen();
    return this.#machine.begin(kind, this.#file.path, bytes === undefined ? {} : { bytes });
  }

  /**
   * Returns the numbers of the first write that is this sync's alone to save, and of the first that it does not cover.
   */
  #beginSync(): { start: number; end: number } {
    const start = this.#file.syncingEnd;
    const end = this.#file.nextPending;
    try {
      this.#begin("sync");
    } catch (error) {
      this.#fail(start, end);
      throw error;
    }
    if (this.#failures < this.#file.failures) {
      this.#failures = this.#file.failures;
      this.#file.lose(start, end);
      throw new MemoryPlatformError("EIO", `an earlier sync of ${this.#file.path} failed`);
    }
    this.#file.syncingEnd = end;
    return { start, end };
  }

  #fail(start: number, end: number): void {
    this.#file.lose(start, end);
    this.#failures = ++this.#file.failures;
  }

  #assertOpen(): void {
    this.#machine.assertRunning();
    if (this.#closed) throw new MemoryPlatformError("EBADF", `${this.#file.path} is closed`);
  }
}
