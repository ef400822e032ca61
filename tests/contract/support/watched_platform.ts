/**
 * A platform around another one: counts what is asked of it, fails where it is told to, holds syncs back, and dies like
 * a process that is killed. So faults can be tried over every platform, the real disk included.
 *
 * @module
 */

import { FilePool } from "../../../src/platform/pool.ts";
import type { Extent, FileHandle, FileKind, Lock, OpenMode, Platform, Timer } from "../../../src/platform/types.ts";
import type { Operation, OperationKind } from "../../support/memory_platform.ts";

/** Files, directories and locks of another platform, watched. */
export class WatchedPlatform implements Platform {
  /** The platform beneath. */
  readonly inner: Platform;
  /** Over the watched files. */
  readonly pool: FilePool;
  /**
   * Called before each operation. What it throws is thrown to the caller, and the operation does not happen; a number
   * it returns is the most bytes that a write takes.
   */
  onOperation: ((operation: Operation) => number | void) | undefined;
  /** What asynchronous syncs wait for before they begin. */
  syncGate: Promise<void> | undefined;
  /** How many operations there were, by kind. Failed ones count. */
  readonly counts: Map<OperationKind, number> = new Map();
  /** How often somebody asked what time it is. */
  clockLooks = 0;
  #count = 0;
  #isOff = false;
  readonly #handles = new Set<FileHandle>();
  readonly #locks = new Set<Lock>();

  /** Watches `inner`. With a `nowMs`, `clock` says what time it is. */
  constructor(inner: Platform, readonly clock: { nowMs?: number } = {}) {
    this.inner = inner;
    this.pool = new FilePool(this, inner.pool.limit);
  }

  /** Paths are those of the platform beneath. */
  absolute(path: string): string {
    return this.inner.absolute(path);
  }

  /** Looks at a path of the platform beneath. */
  kindOf(path: string): FileKind | undefined {
    return this.inner.kindOf(path);
  }

  /** Opens a file that is watched, too. */
  open(path: string, mode: OpenMode): FileHandle {
    this.#begin("open", path);
    const handle = this.inner.open(path, mode);
    this.#handles.add(handle);
    return {
      read: (target, offset) => {
        this.#begin("read", path, target.length);
        return handle.read(target, offset);
      },
      write: (source, offset) => {
        const limit = this.#begin("write", path, source.length) ?? source.length;
        return limit === 0 ? 0 : handle.write(source.subarray(0, limit), offset);
      },
      syncData: async () => {
        this.#begin("sync", path);
        await this.syncGate;
        this.#assertOn();
        await handle.syncData();
      },
      syncDataNow: () => {
        this.#begin("sync", path);
        handle.syncDataNow();
      },
      size: () => handle.size(),
      close: () => {
        this.#handles.delete(handle);
        handle.close();
      },
    };
  }

  /** As the platform beneath. */
  makeDirectory(path: string): void {
    this.#begin("makeDirectory", path);
    this.inner.makeDirectory(path);
  }

  /** As the platform beneath. */
  removeDirectory(path: string): void {
    this.#begin("removeDirectory", path);
    this.inner.removeDirectory(path);
  }

  /** As the platform beneath. */
  list(path: string): string[] {
    this.#begin("list", path);
    return this.inner.list(path);
  }

  /** As the platform beneath. */
  syncDirectory(path: string): void {
    this.#begin("syncDirectory", path);
    this.inner.syncDirectory(path);
  }

  /** As the platform beneath. */
  async syncDirectoryLater(path: string): Promise<void> {
    this.#begin("syncDirectory", path);
    await this.inner.syncDirectoryLater(path);
  }

  /** As the platform beneath. */
  rename(from: string, to: string): void {
    this.#begin("rename", to);
    this.inner.rename(from, to);
  }

  /** As the platform beneath. */
  remove(path: string): void {
    this.#begin("remove", path);
    this.inner.remove(path);
  }

  /** As the platform beneath. */
  async readAhead(extent: Extent): Promise<void> {
    this.#begin("read", extent.path, extent.length);
    await this.inner.readAhead(extent);
  }

  /** As the platform beneath. */
  async removeLater(path: string): Promise<void> {
    this.#begin("remove", path);
    await this.inner.removeLater(path);
  }

  /** As the platform beneath. */
  lock(path: string, text: string, isAsked?: boolean): Lock | { holder: string } {
    this.#begin("lock", path);
    const lock = this.inner.lock(path, text, isAsked);
    if (!("release" in lock)) return lock;
    this.#locks.add(lock);
    return {
      token: lock.token,
      isCurrent: () => lock.isCurrent(),
      release: () => {
        this.#locks.delete(lock);
        lock.release();
      },
    };
  }

  /** As the platform beneath. */
  availableBytes(directory: string): number | undefined {
    return this.inner.availableBytes(directory);
  }

  /** As the platform beneath. */
  isNotFound(error: unknown): boolean {
    return this.inner.isNotFound(error);
  }

  /** As the platform beneath. */
  isAlreadyThere(error: unknown): boolean {
    return this.inner.isAlreadyThere(error);
  }

  /** As the clock says, or the platform beneath. */
  now(): number {
    this.clockLooks++;
    return this.clock.nowMs ?? this.inner.now();
  }

  /** As the platform beneath. */
  startTimer(delayMs: number, action: () => void): Timer {
    return this.inner.startTimer(delayMs, action);
  }

  /** How many operations of these kinds there were. */
  countOf(...kinds: OperationKind[]): number {
    return kinds.reduce((sum, kind) => sum + (this.counts.get(kind) ?? 0), 0);
  }

  /** Files and locks that were not given back. */
  get held(): number {
    return this.#handles.size + this.#locks.size;
  }

  /** The process dies: nothing is written any more, descriptors and locks are given back. */
  kill(): void {
    this.#isOff = true;
    for (const handle of this.#handles) handle.close();
    for (const lock of this.#locks) lock.release();
    this.#handles.clear();
    this.#locks.clear();
  }

  #begin(kind: OperationKind, path: string, bytes?: number): number | void {
    this.#assertOn();
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.#count++;
    const limit = this.onOperation?.({ kind, path, count: this.#count, ...(bytes === undefined ? {} : { bytes }) });
    // The hook itself may have been the end.
    this.#assertOn();
    return limit;
  }

  #assertOn(): void {
    if (this.#isOff) throw new Error("the process is dead");
  }
}
