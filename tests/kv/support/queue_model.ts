/**
 * Random histories of a queue on the simulated disk: messages are enqueued and delivered, handlers succeed, fail, or take
 * their time, the disk fails, handles are closed and opened, processes die, the power fails, clocks are set. What must
 * hold is checked at each delivery and in the end.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { KvStore, KvStoreError } from "../../../mod.ts";
import { Database } from "../../../src/kv/database.ts";
import { Kv } from "../../../src/kv/kv.ts";
import { mark } from "../../../src/kv/mark.ts";
import { type Content, messageKey } from "../../../src/kv/message.ts";
import { valueOf } from "../../../src/kv/stored.ts";
import { decodeValue } from "../../../src/kv/values.ts";
import { brokenDisk, LOSE_ALL, newMachine, randomCut } from "../../crash/support/disk.ts";
import { assertIntact, DIRECTORY, OPTIONS } from "../../crash/support/scenario.ts";
import type { MemoryPlatform } from "../../support/memory_platform.ts";
import type { Random } from "../../support/random.ts";
import type { FakeTime } from "./queue_time.ts";

const SCHEDULES = [[], [1], [10, 20], [0, 0, 0], [5, 50, 500, 5000, 50_000]];
const HOUR_MS = 60 * 60 * 1000;
const DELAYS = [0, 0, 0, 0, 3, 10, 10, 50, 2000, 20 * HOUR_MS, 30 * HOUR_MS];

/** What is known of a message. */
interface Known {
  id: number;
  schedule: number[];
  hasKeys: boolean;
  /** Whether it counts: `maybe` if the process died, or the disk failed, before that was known. */
  isEnqueued: "yes" | "no" | "maybe";
  /** When it is due at the earliest; unknown after an attempt that was cut off. */
  dueAt: number;
  attempts: number;
  /** Whether a handler is at it. */
  isRunning: boolean;
  /** Whether a handler has succeeded, and whether that lasts. */
  isDone: boolean;
  isDoneForGood: boolean;
  /** Whether an attempt may not have been counted, or one that was never begun, as the disk or the power failed. */
  isMiscounted: boolean;
}

/** A handle that listens, until it is closed or its process dies. */
interface Listening {
  kv: Kv;
  listener: Promise<void>;
  isOver: boolean;
  isDead: boolean;
  /** Handlers that have not ended. */
  held: { known: Known; end: (isDone: boolean) => void }[];
}

/** Where all of it happens. */
export class QueueModel {
  readonly #random: Random;
  readonly #time: FakeTime;
  readonly #messages: Known[] = [];
  /** What a power cut would have left at some of the deliveries. */
  readonly #cuts: { id: number; left: MemoryPlatform }[] = [];
  #platform: MemoryPlatform = newMachine();
  #store!: KvStore<Uint8Array>;
  #handles: Listening[] = [];
  #isFaulty = false;
  /** In the end every handler succeeds at once. */
  #isEnding = false;
  /** What happened, for those who look for the reason of a failure. */
  readonly log: string[] = [];

  constructor(random: Random, time: FakeTime) {
    this.#random = random;
    this.#time = time;
  }

  /** Runs a history. */
  async run(length: number): Promise<void> {
    await this.#open();
    for (let i = 0; i < length; i++) await this.#step();
    await this.#finish();
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const action = random.pick([
      ...Array(6).fill(() => this.#enqueue()),
      ...Array(5).fill(() => this.#pass()),
      ...Array(5).fill(() => this.#endHandler()),
      () => this.#failDisk(),
      () => this.#listen(),
      () => this.#closeOne(),
      () => this.#restart(),
      () => this.#die(),
      () => this.#setClock(),
    ]) as () => unknown;
    await action();
    await this.#time.settle();
    if (this.#isFaulty) return;
    for (const known of this.#messages) known.isDoneForGood ||= known.isDone;
  }

  async #open(): Promise<void> {
    this.#store = await KvStore.openOn<Uint8Array>(this.#platform, DIRECTORY, OPTIONS);
    await mark(this.#store);
    this.#handles = [];
    this.#listen();
  }

  #listen(): void {
    this.log.push("listen");
    const store = this.#store;
    const release = () => this.#handles.every(({ isOver }) => isOver) ? store.close() : done();
    const kv = new Kv(new Database(store, {}, release));
    const handle: Listening = { kv, listener: done(), isOver: false, isDead: false, held: [] };
    handle.listener = kv.listenQueue((id: number) => this.#deliver(handle, id));
    handle.listener.catch((error) => assert(handle.isDead, error));
    this.#handles.push(handle);
  }

  #deliver(handle: Listening, id: number): Promise<void> | void {
    // A process that is dead goes on here for a while.
    if (handle.isDead) return new Promise(() => {});
    assert(!handle.isOver, `${id} is delivered to a handle that is closed`);
    const known = this.#messages[id]!;
    this.log.push(`deliver ${id} at ${this.#time.now}`);
    assert(known.isEnqueued !== "no", `${id} is delivered, but was not enqueued`);
    assert(!known.isRunning, `${id} is delivered twice at the same time`);
    assert(!known.isDone, `${id} is delivered again`);
    assert(this.#time.now >= known.dueAt, `${id} is delivered at ${this.#time.now}, is due at ${known.dueAt}`);
    known.isMiscounted ||= this.#isFaulty;
    assert(++known.attempts <= known.schedule.length + 1 || known.isMiscounted, `${id}: ${known.attempts} attempts`);
    const before = this.#messages.find((other) => isWaiting(other) && other.dueAt < known.dueAt);
    assert(before === undefined || this.#isFaulty, `${id} is delivered before ${before?.id}`);
    if (this.#random.chance(0.2)) this.#cuts.push({ id, left: this.#platform.image(LOSE_ALL) });
    const way = this.#isEnding ? 0 : this.#random.below(5);
    if (way === 0) return this.#ended(known, true);
    if (way === 1) {
      this.#ended(known, false);
      throw new Error("injected");
    }
    known.isRunning = true;
    return new Promise((resolve, reject) => {
      const end = (isDone: boolean) => {
        this.#ended(known, isDone);
        if (isDone) resolve();
        else reject(new Error("injected"));
      };
      handle.held.push({ known, end });
    });
  }

  #ended(known: Known, isDone: boolean): void {
    this.log.push(`${isDone ? "done" : "failed"} ${known.id}`);
    known.isRunning = false;
    known.isDone = isDone;
    known.dueAt = this.#time.now + (known.schedule[known.attempts - 1] ?? 0);
  }

  async #enqueue(): Promise<void> {
    const { kv } = this.#random.pick(this.#handles.filter(({ isOver }) => !isOver));
    const operation = kv.atomic().sum(["count"], 1n);
    const added: Known[] = [];
    for (let i = this.#random.below(3); i >= 0; i--) {
      const [schedule, delay] = [this.#random.pick(SCHEDULES), this.#random.pick(DELAYS)];
      const known: Known = {
        id: this.#messages.length,
        schedule,
        hasKeys: this.#random.chance(0.5),
        isEnqueued: "maybe",
        dueAt: this.#time.now + delay,
        attempts: 0,
        isRunning: false,
        isDone: false,
        isDoneForGood: false,
        isMiscounted: false,
      };
      const keysIfUndelivered = known.hasKeys ? [["u", known.id], ["v", known.id]] : [];
      operation.enqueue(known.id, { delay, backoffSchedule: schedule, keysIfUndelivered });
      this.#messages.push(known);
      added.push(known);
      this.log.push(`enqueue ${known.id}, due at ${known.dueAt}, ${schedule}`);
    }
    await operation.commit().then(() => added.forEach((known) => known.isEnqueued = "yes"), (error) => {
      assert(KvStoreError.is(error) && error.code === "IO", error);
      // It is taken back, and so it stays once the next commit is durable.
      added.forEach((known) => known.isEnqueued = "no");
    });
  }

  async #pass(): Promise<void> {
    const ms = this.#random.pick([0, 1, 5, 30, 200, 1000, 3000, 60_000, 21 * HOUR_MS]);
    await this.#time.pass(ms);
    this.log.push(`at ${this.#time.now}`);
  }

  #endHandler(): void {
    const held = this.#handles.filter(({ isOver }) => !isOver).flatMap(({ held }) => held);
    if (held.length === 0) return;
    const one = this.#random.pick(held);
    for (const handle of this.#handles) handle.held = handle.held.filter((other) => other !== one);
    one.end(this.#random.chance(0.5));
  }

  /** The disk fails the next writes. */
  async #failDisk(): Promise<void> {
    let left = this.#random.between(1, 3);
    this.log.push(`${left} writes fail`);
    this.#isFaulty = true;
    this.#platform.onOperation = (operation) => {
      if (operation.kind !== "write" || !operation.path.endsWith(".seg") || left-- <= 0) return;
      throw brokenDisk(operation);
    };
    for (let i = this.#random.below(4); i >= 0; i--) {
      await this.#random.pick([() => this.#enqueue(), () => this.#endHandler(), () => this.#pass()])();
    }
    await this.#heal();
  }

  async #heal(): Promise<void> {
    this.#platform.onOperation = undefined;
    // What failed is tried again after a second, each thing for itself.
    for (let i = 0; i < 3; i++) await this.#time.pass(1000);
    await this.#handles.find(({ isOver }) => !isOver)!.kv.set(["healed"], 1);
    this.#isFaulty = false;
  }

  async #closeOne(): Promise<void> {
    const open = this.#handles.filter(({ isOver }) => !isOver);
    if (open.length < 2) return;
    this.log.push("close");
    await this.#close(this.#random.pick(open));
  }

  async #close(handle: Listening): Promise<void> {
    handle.isOver = true;
    for (const { known } of handle.held) this.#cutOff(known);
    const ending = handle.kv[Symbol.asyncDispose]();
    await handle.listener;
    await ending;
    // What they do from now on does not count.
    for (const { known, end } of handle.held) {
      const before = { ...known };
      end(this.#random.chance(0.5));
      Object.assign(known, before);
    }
  }

  #cutOff(known: Known): void {
    known.isRunning = false;
    known.dueAt = -Infinity;
  }

  async #restart(): Promise<void> {
    this.log.push("restart");
    for (const handle of this.#handles.filter(({ isOver }) => !isOver)) await this.#close(handle);
    await this.#open();
  }

  /** The process dies, or the power fails. */
  async #die(): Promise<void> {
    const way = this.#random.pick(["killed", "all lost", "torn"]);
    this.log.push(way);
    const isEnqueuing = this.#random.chance(0.5);
    if (isEnqueuing) void this.#enqueue().catch(() => {});
    for (let i = this.#random.below(4); isEnqueuing && i > 0; i--) await Promise.resolve();
    const former = this.#platform;
    this.#platform = way === "killed"
      ? former.kill()
      : former.crash(way === "torn" ? randomCut(this.#random.below(2 ** 32)) : LOSE_ALL);
    for (const handle of this.#handles) handle.isOver = handle.isDead = true;
    await this.#time.settle();
    for (const { kv } of this.#handles) kv[Symbol.dispose]();
    for (const known of this.#messages) {
      if (known.isEnqueued === "no" && isEnqueuing) known.isEnqueued = "maybe";
      // The power takes what was noted last. And what was noted last, a handler may not have got.
      if (known.isRunning ? way !== "killed" : isEnqueuing) known.isMiscounted = true;
      known.isDone = known.isDoneForGood;
      this.#cutOff(known);
    }
    await this.#open();
  }

  #setClock(): void {
    this.#time.now += this.#random.pick([-60_000, -1000, -7, 40, 5000]);
    this.log.push(`clock is set to ${this.#time.now}`);
    // What waits for its next attempt may have been given its time by either clock.
    for (const known of this.#messages) if (known.attempts > 0) known.dueAt = -Infinity;
  }

  /** Lets the rest succeed, and checks what became of each message. */
  async #finish(): Promise<void> {
    this.#isEnding = true;
    this.log.push("end");
    for (const handle of this.#handles) for (const { end } of handle.held.splice(0)) if (!handle.isOver) end(true);
    await this.#time.pass(40 * HOUR_MS);
    const { kv } = this.#handles.find(({ isOver }) => !isOver)!;
    for (const known of this.#messages) {
      if (known.isEnqueued !== "yes") continue;
      const entries = await kv.getMany<number[]>([["u", known.id], ["v", known.id]]);
      const isUndelivered = entries.every(({ value }) => value === known.id);
      assert(isUndelivered || entries.every(({ value }) => value === null), `${known.id}: half of its keys`);
      assertEquals(entries[0]!.versionstamp, entries[1]!.versionstamp);
      const hasTriedAll = known.attempts > known.schedule.length || known.isMiscounted;
      const isGivenUp = hasTriedAll && (!known.hasKeys || isUndelivered);
      assert(known.isDone || isGivenUp, `${known.id} is lost after ${known.attempts} attempts`);
      assert(!(known.isDone && isUndelivered), `${known.id} is both done and undelivered`);
    }
    assertEquals(Array.from(this.#store.keys({ gte: messageKey(0) })), []);
    for (const handle of this.#handles.filter(({ isOver }) => !isOver)) await this.#close(handle);
    await assertIntact(this.#platform, "in the end");
    for (const { id, left } of this.#cuts) assert((await messagesIn(left)).includes(id), `${id} was not durable`);
  }
}

/** The messages in a store. */
async function messagesIn(platform: MemoryPlatform): Promise<unknown[]> {
  const store = await KvStore.openOn<Uint8Array>(platform, DIRECTORY, OPTIONS);
  const contents = Array.from(store.values({ gte: messageKey(0) }), (stored) => valueOf(stored) as Content);
  await store.close();
  return contents.map(([, , , payload]) => decodeValue(payload));
}

function isWaiting({ isEnqueued, isRunning, isDone, attempts, schedule, dueAt }: Known): boolean {
  return isEnqueued === "yes" && !isRunning && !isDone && attempts <= schedule.length && dueAt !== -Infinity;
}

function done(): Promise<void> {
  return Promise.resolve();
}
