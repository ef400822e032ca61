/**
 * What a case of the contract suite gets, and what every case ends with: all is closed, nothing is held any more, and
 * verify finds no problem.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { KvStore, KvStoreError, type OpenOptions, type RepairReport, type VerifyReport } from "../../../mod.ts";
import type { Platform } from "../../../src/platform/types.ts";
import { repairOn } from "../../../src/check/repair.ts";
import { verifyOn } from "../../../src/check/verify.ts";
import type { PowerCut } from "../../support/memory_platform.ts";
import { WatchedPlatform } from "./watched_platform.ts";

/** One behaviour that the contract promises. */
export interface Case {
  /** What is promised. */
  name: string;
  /** Shows it. */
  run(context: Context): void | Promise<void>;
  /** Needs a disk whose power can be cut: runs in memory alone. */
  needsPowerCut?: boolean;
  /** A reader goes on reading files that the writer has removed: it must have been able to keep them all open. */
  needsOpenFiles?: boolean;
  /** Takes a second or more for the sake of large input: once, in memory, is enough. */
  isCostly?: boolean;
}

/** Where a case runs. */
export interface Disk {
  /** The platform. */
  platform: Platform;
  /** A directory that is there and empty. */
  root: string;
  /** Cuts the power; returns what the next start finds. */
  powerCut?(cut: PowerCut): Platform;
}

/** More keys than this are not compared one by one at the end of a case. */
const MAX_COMPARED = 5000;

/** What a case works with. */
export class Context {
  /** The disk, watched. */
  platform: WatchedPlatform;
  /** The directory that everything is in. */
  readonly root: string;
  /** The time of day, once a case sets it: it passes only when the case says so. */
  readonly clock: { nowMs?: number } = {};
  /** The store's directory. It is not there at first. */
  readonly directory: string;
  readonly #disk: Disk;
  readonly #directories = new Set<string>();
  #stores: { store: KvStore; directory: string; isReader: boolean }[] = [];

  /** A case's beginning: nothing is there but the root. */
  constructor(disk: Disk) {
    this.#disk = disk;
    this.platform = new WatchedPlatform(disk.platform, this.clock);
    this.root = disk.root;
    this.directory = `${disk.root}/store`;
  }

  /** Opens a store, which the end of the case closes at the latest. */
  async open(options: OpenOptions = {}, directory: string = this.directory): Promise<KvStore> {
    this.#directories.add(directory);
    const store = await KvStore.openOn(this.platform, directory, options);
    this.#stores.push({ store, directory, isReader: options.readOnly === true });
    return store;
  }

  /** Opens what need not be a sound store in the end. */
  async openUnchecked(options: OpenOptions, directory: string): Promise<KvStore> {
    return await KvStore.openOn(this.platform, directory, options);
  }

  /** Closes a store and opens it again. */
  async reopen(store: KvStore, options: OpenOptions = {}): Promise<KvStore> {
    await store.close();
    return await this.open(options);
  }

  /** The process dies; returns the store as the next one opens it. */
  async reopenAfterKill(options: OpenOptions = {}): Promise<KvStore> {
    this.kill();
    return await this.open(options);
  }

  /** The power goes; returns the store as the next start opens it. */
  async reopenAfterPowerCut(cut: PowerCut = {}, options: OpenOptions = {}): Promise<KvStore> {
    this.platform.kill();
    this.#stores = [];
    this.platform = new WatchedPlatform(this.#disk.powerCut!(cut), this.clock);
    return await this.open(options);
  }

  /** The process dies. */
  kill(): void {
    this.platform.kill();
    this.#stores = [];
    this.platform = new WatchedPlatform(this.platform.inner, this.clock);
  }

  /** A store that the case has closed, and whose rejection it has seen. */
  forget(store: KvStore): void {
    this.#stores = this.#stores.filter((one) => one.store !== store);
  }

  /** Verifies the files. */
  async verify(directory: string = this.directory): Promise<VerifyReport> {
    return await verifyOn(this.platform, directory, {});
  }

  /** Repairs the files. */
  async repair(options: { dryRun?: boolean } = {}, directory: string = this.directory): Promise<RepairReport> {
    return await repairOn(this.platform, directory, options);
  }

  /** Names in a directory, sorted; none if it is not there. */
  files(directory: string = this.directory): string[] {
    const { inner } = this.platform;
    try {
      return Array.from(inner.list(directory)).sort();
    } catch (error) {
      if (inner.isNotFound(error)) return [];
      throw error;
    }
  }

  /** Names of the segments that are there. */
  segments(): string[] {
    return this.files().filter((name) => name.endsWith(".seg"));
  }

  /** The bytes of a file of the store. */
  readFile(name: string): Uint8Array {
    const handle = this.platform.inner.open(`${this.directory}/${name}`, "read");
    const bytes = new Uint8Array(handle.size());
    handle.read(bytes, 0);
    handle.close();
    return bytes;
  }

  /** Overwrites a part of a file, in place. */
  overwrite(name: string, offset: number, bytes: Uint8Array): void {
    const handle = this.platform.inner.open(`${this.directory}/${name}`, "write");
    handle.write(bytes, offset);
    handle.syncDataNow();
    handle.close();
  }

  /** Makes a file hold these bytes alone: a new file, in a directory that is created if need be. */
  replaceFile(name: string, bytes: Uint8Array): void {
    const { inner } = this.platform;
    if (this.files(this.root).indexOf("store") < 0) inner.makeDirectory(this.directory);
    if (this.files().includes(name)) inner.remove(`${this.directory}/${name}`);
    const handle = inner.open(`${this.directory}/${name}`, "create");
    if (bytes.length > 0) handle.write(bytes, 0);
    handle.syncDataNow();
    handle.close();
  }

  /** Every file of the store with its bytes, without LOCK: its text is advice. */
  image(): Map<string, Uint8Array> {
    const names = this.files().filter((name) => name !== "LOCK" && name !== "damaged");
    return new Map(names.map((name) => [name, this.readFile(name)]));
  }

  /** Ends the case: compares, closes, verifies. */
  async finish(): Promise<void> {
    this.platform.onOperation = undefined;
    this.platform.syncGate = undefined;
    const expected = new Map<string, unknown[]>();
    for (const { store, directory, isReader } of this.#stores) {
      if (!await this.#verifyOpen(store) || store.size > MAX_COMPARED || isReader) continue;
      expected.set(directory, [...store]);
    }
    for (const { store } of this.#stores) await closeQuietly(store);
    assertEquals(this.platform.held, 0, "files or locks are still held");
    for (const directory of this.#directories) await this.#verifyClosed(directory, expected.get(directory));
    assertEquals(this.platform.held, 0, "verify holds files or locks");
  }

  async #verifyOpen(store: KvStore): Promise<boolean> {
    try {
      assertEquals((await store.verify()).problems, [], "the open store has problems");
      return true;
    } catch (error) {
      if (error instanceof KvStoreError && (error.code === "CLOSED" || error.code === "FAILED")) return false;
      throw error;
    }
  }

  async #verifyClosed(directory: string, expected: unknown[] | undefined): Promise<void> {
    const isStore = this.files(directory).some((name) => name === "MANIFEST" || name.endsWith(".seg"));
    if (!isStore) return;
    assertEquals((await this.verify(directory)).problems, [], "the files have problems");
    if (expected === undefined) return;
    const store = await KvStore.openOn(this.platform, directory, { readOnly: true });
    const found = [...store];
    await store.close();
    assertEquals(found, expected, "the store opens with other contents than it was closed with");
  }
}

/** Runs a case, with what every case ends with. */
export async function runCase({ run }: Case, disk: Disk): Promise<void> {
  const context = new Context(disk);
  await run(context);
  await context.finish();
}

/** A store whose fsync failed says so at closing: that is no news here. */
async function closeQuietly(store: KvStore): Promise<void> {
  try {
    await store.close();
  } catch (error) {
    if (!(error instanceof KvStoreError) || error.code !== "FAILED") throw error;
  }
}
