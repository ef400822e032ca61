/**
 * The store under test beside its model: keeps the two in step through failed writes, closing, crashes and recovery.
 *
 * @module
 */
import { KvStore, KvStoreError } from "../../../mod.ts";
import { nextTurn } from "../../../src/platform/turn.ts";
import { verifyOn } from "../../../src/check/verify.ts";
import type { Durability, Value } from "../../../src/types.ts";
import { assertEnded, assertSame, contentsOf, type HeldIterator, type HeldSnapshot, isFailure } from "./checks.ts";
import type { Call, Outcome } from "./call.ts";
import type { Opening, Scene } from "./commands.ts";
import { Data, PROFILES, type State } from "./data.ts";
import { Machine } from "./machine.ts";
import { History } from "./model.ts";
import { Watcher } from "./watch.ts";

/** Where the store is. */
export const DIRECTORY = "/data/store";
const IMAGE = `${DIRECTORY}/INDEX`;
/** Waiting longer than this means that nothing more will come. */
const MAX_TURNS = 50_000;
/** Openings in a row that may meet accidents; then one must succeed. */
const MAX_ACCIDENTS = 4;

/** The machine was stopped: whatever was being done is over. */
export class Stopped extends Error {}

/** A store, its model, and the machine. */
export class Session {
  store!: KvStore;
  readonly data: Data;
  readonly machine: Machine;
  readonly history: History = new History(() => this.machine.clock.now());
  /** Somebody who watches all the time. */
  readonly watcher: Watcher;
  /** Snapshots and iterators of the store. */
  held: (HeldSnapshot | HeldIterator)[] = [];
  /** Whether the store has said that an fsync failed. */
  hasFailed = false;
  /** Durability where a call names none. */
  durability: Durability = "sync";
  /** Copies of the store that may have been cut off. */
  readonly unfinishedBackups: Set<string> = new Set();
  /** The last call before a write may have left bytes that do not count. */
  tornId = -1;
  /** What happened. */
  readonly trace: string[] = [];
  /** How often everything was compared. */
  states = 0;
  readonly #openings: Opening[];
  readonly #outcomes: Outcome[] = [];
  #number = 0;
  #inFlight = 0;
  /** Whether records may be taken back, as something has failed. */
  #isSuspect = false;
  #seenFaults = 0;
  /** The highest sequence number that anybody may have seen. */
  #lastSequence = 0;
  #firstSequence = 0;
  #isClosed = false;

  /** A session that is not open yet. */
  constructor(scene: Scene) {
    this.#openings = scene.openings;
    this.data = new Data(PROFILES[scene.profile]!);
    this.machine = new Machine(scene);
    this.watcher = new Watcher(this, scene.seed % 2 === 1);
  }

  /** Notes what happens, for whoever looks for the cause of a failure. */
  note(text: string): void {
    this.trace.push(text);
    if (this.trace.length > 80) this.trace.shift();
  }

  /** Makes a call and takes note of what becomes of it. */
  track(call: Call, action: () => Promise<unknown>): void {
    const number = this.#number;
    const take = (outcome: Partial<Outcome>) => {
      if (number !== this.#number) return;
      this.#inFlight--;
      if (this.machine.next === undefined) this.#outcomes.push({ ...call, ...outcome });
    };
    this.#inFlight++;
    action().then((value) => take({ value }), (error) => take({ error }));
  }

  /** Brings the model up to what has happened: writes taken back, calls that have ended. */
  catchUp(): void {
    if (this.machine.next !== undefined) throw new Stopped();
    const { machine } = this;
    // A rotation refuses records some turns after what it met.
    this.#isSuspect ||= machine.faults > this.#seenFaults || machine.hasFailedSync;
    if (this.#isSuspect || machine.platform.capacityBytes < Infinity) this.#findTakenBack();
    this.#seenFaults = machine.faults;
    for (const outcome of this.#outcomes.splice(0)) this.#judge(outcome);
  }

  /** Waits until `isOver` says so; rejects with `Stopped` if the machine stops meanwhile. */
  async until(isOver: () => boolean, what: string): Promise<void> {
    for (let turns = 0; !isOver(); turns++) {
      if (this.machine.next !== undefined) throw new Stopped();
      if (turns > MAX_TURNS) throw new Error(`${what} never ends`);
      await nextTurn();
    }
    if (this.machine.next !== undefined) throw new Stopped();
  }

  /** Waits for everything under way. */
  async settle(): Promise<void> {
    await this.until(() => this.#inFlight === 0, "a call");
    this.catchUp();
  }

  /** Waits for one call. */
  async outcomeOf(call: Promise<unknown>): Promise<{ value?: unknown; error?: unknown }> {
    let outcome: { value?: unknown; error?: unknown } | undefined;
    call.then((value) => outcome = { value }, (error) => outcome = { error });
    await this.until(() => outcome !== undefined, "a call");
    return outcome!;
  }

  /** Ends all faults. */
  heal(): void {
    this.machine.heal();
    this.#seenFaults = -1;
    this.catchUp();
  }

  /** Compares everything. */
  assertContents(): void {
    this.catchUp();
    this.states++;
    this.machine.calmly(() => assertSame(contentsOf(this.store), this.history.present, "contents"));
    const { keys, staleBytes, liveBytes, tombstoneBytes, pendingBytes, unsyncedBytes } = this.store.stats();
    if (keys !== this.history.present.size) throw new Error(`${keys} keys in stats, not ${this.history.present.size}`);
    const least = Math.min(staleBytes, liveBytes, tombstoneBytes, pendingBytes, unsyncedBytes);
    if (least < 0) throw new Error(`negative figures: ${JSON.stringify(this.store.stats())}`);
  }

  /** Two seconds without a call: whatever was written before is synced by then, asked for or not. */
  async idle(): Promise<void> {
    this.catchUp();
    const { lastId } = this.history;
    for (let seconds = 0; seconds < 2; seconds++) {
      this.machine.clock.pass(1000);
      // A rotation takes five syncs, each up to three turns, and the records that waited for it one more.
      for (let turns = 0; turns < 24; turns++) await nextTurn();
      this.catchUp();
    }
    if (this.machine.faults > 0) return;
    const { unsyncedBytes, pendingBytes } = this.store.stats();
    if (unsyncedBytes + pendingBytes > 0) {
      throw new Error(`after two idle seconds ${unsyncedBytes} bytes are not synced`);
    }
    this.history.acknowledge("sync", lastId);
    await this.watcher.check();
  }

  /** Closes the store, with calls under way. */
  async close(): Promise<void> {
    this.catchUp();
    const { machine, store, history } = this;
    this.#noteSequence();
    const writes = machine.platform.operations.write;
    const closing = store.close();
    this.#isClosed = true;
    if (store.close() !== closing) throw new Error("close: not the same promise");
    const { error } = await this.outcomeOf(closing);
    if (error !== undefined) this.note(`  ${error}`);
    if (machine.clock.leftMs < Infinity) throw new Error("a closed store has a timer");
    if (machine.faults === 0) {
      if (error !== undefined) throw error;
      history.acknowledge("sync", history.lastId);
      history.look();
      history.record();
    } else if (error === undefined) history.forgetFailed();
    else if (!isFailure(error)) throw error;
    if (this.hasFailed && (error as KvStoreError)?.code !== "FAILED") throw new Error(`close: ${error}, not FAILED`);
    if (this.hasFailed && machine.platform.operations.write !== writes) {
      throw new Error("a failed store wrote something");
    }
    // What was taken back cannot be told any more: opening shows the contents.
    for (const outcome of this.#outcomes.splice(0)) this.#judge(outcome);
    for (const held of this.held.splice(0)) assertEnded(held);
    if (machine.faults > 0) this.tornId = history.lastId;
  }

  /** After a stop: starts the machine again, and the store. */
  async recover(): Promise<void> {
    try {
      this.#noteSequence();
    } catch {
      // It was being closed, or opened.
    }
    this.held = [];
    await this.open();
  }

  /** Opens the store, through accidents too, and compares with the states that there may be. */
  async open(): Promise<void> {
    const { machine, history } = this;
    for (let tries = 0;; tries++) {
      if (machine.next !== undefined) {
        this.note(`  ${machine.how}`);
        machine.start();
      }
      machine.heal();
      const opening = this.#openings[this.#number++ % this.#openings.length]!;
      this.#inFlight = 0;
      this.#outcomes.length = 0;
      await this.assertIntact(DIRECTORY);
      if (opening.image !== "leave" && machine.tamper(IMAGE, opening)) this.note(`  image: ${opening.image}`);
      machine.armStop(tries < MAX_ACCIDENTS ? opening.stop : undefined);
      machine.armFault(tries < MAX_ACCIDENTS ? opening.fault : undefined);
      machine.faults = this.#seenFaults = 0;
      this.#isSuspect = false;
      machine.hasFailedSync = false;
      if (await this.#tryOpen(opening)) break;
    }
    this.hasFailed = this.#isClosed = false;
    const contents = machine.calmly(() => contentsOf(this.store));
    this.states++;
    const durability = machine.wasCut ? "sync" : "write";
    if (!history.isPossible(contents, durability)) this.#explain(contents, durability);
    await this.#checkBackups();
    history.restart(contents);
    machine.wasCut = false;
    const { lastSequence } = this.store.stats();
    if (lastSequence < this.#lastSequence) {
      throw new Error(`sequence numbers go back from ${this.#lastSequence} to ${lastSequence}`);
    }
    this.#firstSequence = lastSequence;
    await this.watcher.follow(this.store);
  }

  /** Expects that `verify` finds nothing in a directory. */
  async assertIntact(directory: string): Promise<void> {
    const { machine } = this;
    machine.isCalm = true;
    try {
      const isThere = machine.platform.files().includes(`${directory}/MANIFEST`);
      const { problems } = isThere ? await verifyOn(machine.platform, directory, {}) : { problems: [] };
      if (problems.length > 0) throw new Error(`verify: ${JSON.stringify(problems.slice(0, 5))}`);
    } finally {
      machine.isCalm = false;
    }
  }

  /** Expects a copy of the store that is intact and has a state of position `from` or later. */
  async assertBackup(directory: string, from: number): Promise<void> {
    const { machine, history } = this;
    machine.isCalm = true;
    try {
      const copy = await KvStore.openOn<Value>(machine.platform, directory, { create: false });
      const contents = contentsOf(copy);
      this.states++;
      const { problems } = await copy.verify();
      await copy.close();
      if (problems.length > 0) throw new Error(`verify of ${directory}: ${JSON.stringify(problems.slice(0, 5))}`);
      if (history.positions(contents, from).length > 0) return;
      assertSame(contents, history.present, `${directory} (compared with the last state)`);
      throw new Error(`${directory} has an earlier state than ${from}`);
    } finally {
      machine.isCalm = false;
    }
  }

  #explain(contents: State, durability: Durability): never {
    const { history } = this;
    this.note(`  recovery: ${JSON.stringify(this.store.recovery)}`);
    const earlier = history.positions(contents, 0).at(-1);
    if (earlier === undefined) assertSame(contents, history.present, "after opening (compared with the last state)");
    const floor = history.floor(durability);
    throw new Error(`after opening, position is ${earlier}; acknowledged is ${floor} of ${history.length}`);
  }

  async #tryOpen({ durability, isTold, isSalvage, segmentBytes, ...compaction }: Opening): Promise<boolean> {
    const { machine } = this;
    const { auto, staleRatio, minStaleBytes } = compaction;
    const number = this.#number;
    this.durability = isTold ? durability : "sync";
    const options = {
      segmentBytes,
      compaction: { auto, staleRatio, minStaleBytes },
      ...(isTold ? { durability } : {}),
      ...(isSalvage ? { recovery: "salvage" as const } : {}),
    };
    const onError = (error: Error) => {
      if (number !== this.#number || machine.next !== undefined || machine.faults > 0) return;
      this.#outcomes.push({ what: "background", id: 0, durability: undefined, changes: false, error });
    };
    this.note(`open ${JSON.stringify(options)}`);
    try {
      this.store = await KvStore.openOn<Value>(machine.platform, DIRECTORY, { ...options, onError });
      return machine.next === undefined;
    } catch (error) {
      if (machine.next !== undefined) return false;
      this.note(`  ${error}`);
      if (machine.faults > 0 && isFailure(error)) return false;
      throw error;
    }
  }

  #noteSequence(): void {
    const { lastSequence } = this.store.stats();
    if (lastSequence > this.#firstSequence) this.#lastSequence = lastSequence;
  }

  /** After a failure: how much the store took back can be seen in what it has. */
  #findTakenBack(): void {
    const { history } = this;
    const contents = this.machine.calmly(() => contentsOf(this.store));
    this.states++;
    const positions = history.positions(contents, 0);
    const [certain] = positions;
    const position = positions.at(-1);
    if (certain === undefined || position === undefined) {
      assertSame(contents, history.present, "after a failure, contents are those of no time (compared with the last)");
      throw new Error("after a failure, contents are those of no time");
    }
    const floor = history.floor("write");
    if (position < floor) throw new Error(`taken back to ${position}, acknowledged is ${floor}`);
    const affected = this.held.filter(({ id }) => history.positionOf(id) > certain);
    const gone = affected.filter(({ id }) => history.positionOf(id) > position);
    if (position < history.length) this.note(`  taken back to ${position} of ${history.length}`);
    this.tornId = history.lastId;
    history.cut(position, certain);
    for (const held of gone) held.takeBack(history.head);
    // Of these nobody can say whether what they show was taken back.
    this.held = this.held.filter((held) => gone.includes(held) || !affected.includes(held));
  }

  #judge({ what, id, durability, changes, check, value, mayReject, error }: Outcome): void {
    const { history, machine } = this;
    if (error === undefined) {
      if (changes && history.lost.has(id)) throw new Error(`${what} resolves, though it was taken back`);
      if (changes) history.ambiguous.delete(id);
      check?.(value);
      if (durability !== undefined) history.acknowledge(durability, id);
      return;
    }
    if (mayReject?.(error)) return;
    if (machine.faults === 0 || !isFailure(error)) throw new Error(`${what}: ${error}`, { cause: error });
    if (error.code === "FAILED") this.hasFailed = true;
    else if (changes && !this.#isClosed && !history.lost.has(id) && !history.ambiguous.has(id)) {
      throw new Error(`${what} rejects, though it was not taken back: ${error}`, { cause: error });
    }
  }

  /** A copy that was cut off opens with some state that there was, or not at all. */
  async #checkBackups(): Promise<void> {
    for (const directory of this.unfinishedBackups) {
      this.unfinishedBackups.delete(directory);
      try {
        await this.assertBackup(directory, 0);
      } catch (error) {
        if (!KvStoreError.is(error) || isFailure(error)) throw error;
      }
    }
  }
}
