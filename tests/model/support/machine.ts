/**
 * The machine under the model test: its disk fails, fills up and takes less than it was given; its power is cut, and
 * its processes are killed, between any two operations; its time passes only when it is told to.
 *
 * @module
 */
import { MemoryPlatform, type Operation, type PowerCut } from "../../support/memory_platform.ts";
import { Random } from "../../support/random.ts";
import { nextTurn } from "../../../src/platform/turn.ts";
import type { Timer } from "../../../src/platform/types.ts";
import type { Fault, Opening, Scene, Stop } from "./commands.ts";

const SECTOR_BYTES = 64;

/** Timers that run when a test lets time pass. */
export class Clock {
  #nowMs: number;
  /** By how much the clock is wrong. Timers do not go by it. */
  #errorMs = 0;
  readonly #timers: Set<{ dueMs: number; action: () => void }> = new Set();

  /** A clock that stands at some time, in milliseconds since 1970. */
  constructor(nowMs: number = 1_800_000_000_000) {
    this.#nowMs = nowMs;
  }

  /** As `Platform.now`. */
  readonly now = (): number => this.#nowMs + this.#errorMs;

  /** Sets the clock forward, or back. No time passes. */
  shift(ms: number): void {
    this.#errorMs += ms;
  }

  /** As `Platform.startTimer`. */
  readonly startTimer = (delayMs: number, action: () => void): Timer => {
    const timer = { dueMs: this.#nowMs + delayMs, action };
    this.#timers.add(timer);
    return { stop: () => void this.#timers.delete(timer) };
  };

  /** How long until the next timer is due; `Infinity` if there is none. */
  get leftMs(): number {
    return Math.min(...Array.from(this.#timers, ({ dueMs }) => dueMs)) - this.#nowMs;
  }

  /** Lets time pass, and runs what is due, each at its time. */
  pass(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.dueMs - b.dueMs);
      if (next === undefined || next.dueMs > endMs) break;
      this.#nowMs = next.dueMs;
      this.#timers.delete(next);
      next.action();
    }
    this.#nowMs = endMs;
  }
}

/** The machine of one run. */
export class Machine {
  /** What the present start sees. */
  platform: MemoryPlatform = new MemoryPlatform();
  /** The time since then. */
  clock: Clock = new Clock();
  /** What the next start will see, once power or process are gone. */
  next: MemoryPlatform | undefined;
  /** How the machine was stopped last. */
  how = "";
  /** Whether the power was cut since this was last reset: what was merely written may be gone. */
  wasCut = false;
  /** Faults that happened since this was last reset. */
  faults = 0;
  /** Whether one of them was a failed sync: what it does to the store may come out later. */
  hasFailedSync = false;
  /** While true, nothing fails. */
  isCalm = false;
  /** Everything that went wrong in the whole run. */
  accidents = 0;
  readonly #scene: Scene;
  #fault: Fault | undefined;
  #stop: { after: number; stop: Stop } | undefined;
  #syncs = 0;
  #writes = 0;
  #kept: Uint8Array | undefined;

  /** A machine whose accidents follow from `scene` and from what it is told. */
  constructor(scene: Scene) {
    this.#scene = scene;
    // What holds the store is there, and durable, before anything happens.
    this.platform.writeFile("/data/store/NOTE", new Uint8Array(1));
    this.platform.remove("/data/store/NOTE");
    this.platform.syncDirectory("/data/store");
    this.#wire();
  }

  /** Lets an operation fail soon, once. */
  armFault(fault: Fault | undefined): void {
    this.#fault = fault && { ...fault };
  }

  /** Stops the machine at one of the next operations. */
  armStop(stop: { after: number; stop: Stop } | undefined): void {
    this.#stop = stop && { ...stop };
  }

  /** Lets the disk be nearly full. */
  fill(bytes: number): void {
    const used = this.platform.files().reduce((sum, path) => sum + this.platform.readFile(path).length, 0);
    this.platform.capacityBytes = used + bytes;
    this.faults++;
    this.accidents++;
  }

  /** Ends whatever fails or is about to fail; a stop that is under way stays under way. */
  heal(): void {
    this.platform.capacityBytes = Infinity;
    this.#fault = undefined;
  }

  /** Cuts the power or kills the process. */
  stop(stop: Stop): void {
    this.#stop = undefined;
    this.accidents++;
    this.how = stop.isKill ? "the process was killed" : "the power was cut";
    if (!stop.isKill) this.wasCut = true;
    this.next = stop.isKill ? this.platform.kill() : this.platform.crash(survival(stop));
  }

  /** Starts again. */
  start(): void {
    if (this.next === undefined) throw new Error("the machine is running");
    this.platform = this.next;
    this.next = undefined;
    this.clock = new Clock(this.clock.now());
    this.heal();
    this.#wire();
  }

  /** Meddles with a file that is worth nothing: an old one, a damaged one and none at all are all the same. */
  tamper(path: string, { image, at }: Opening): boolean {
    const { platform } = this;
    const bytes = platform.files().includes(path) ? platform.readFile(path) : undefined;
    if (bytes === undefined || bytes.length === 0) return false;
    if (image === "flip") bytes[at % bytes.length]! ^= 1 << at % 8;
    if (image === "keep") this.#kept = bytes;
    else if (image === "remove") this.calmly(() => platform.remove(path));
    else if (image === "old") platform.writeFile(path, this.#kept ?? bytes);
    else platform.writeFile(path, image === "cut" ? bytes.slice(0, at % bytes.length) : bytes);
    return true;
  }

  /** Does something with the files while nothing fails. */
  calmly<T>(action: () => T): T {
    const before = this.isCalm;
    this.isCalm = true;
    try {
      return action();
    } finally {
      this.isCalm = before;
    }
  }

  #wire(): void {
    const { latencies } = this.#scene;
    this.platform.startTimer = this.clock.startTimer;
    this.platform.now = this.clock.now;
    this.platform.onOperation = (operation) => this.#meet(operation);
    this.platform.syncTurn = async () => {
      for (let turns = latencies[this.#syncs++ % latencies.length]!; turns >= 0; turns--) await nextTurn();
      if (this.#fault?.kind === "syncLater" && !this.isCalm) this.#fail("the disk is broken");
    };
  }

  #meet({ kind, bytes = 0 }: Operation): number | void {
    if (this.isCalm || this.next !== undefined) return;
    if (this.#stop !== undefined && --this.#stop.after <= 0) return this.stop(this.#stop.stop);
    const fault = this.#fault;
    if (fault?.kind === kind && --fault.after <= 0) {
      if (kind !== "write" || bytes < 2 || fault.parts-- <= 0) this.#fail(`no ${kind}`);
      // Most of it: whole records that do not count are worse than a part of one.
      return bytes - 1 - (bytes >> 2);
    }
    if (kind !== "write" || bytes < 2 || this.#scene.shortEvery === 0) return;
    if (++this.#writes % this.#scene.shortEvery === 0) return 1 + (this.#writes * 31) % (bytes - 1);
  }

  #fail(message: string): never {
    if (this.#fault?.kind.startsWith("sync")) this.hasFailedSync = true;
    this.#fault = undefined;
    this.faults++;
    this.accidents++;
    throw new Error(message);
  }
}

/** Of everything that was not synced, some lasts, whole or in part, and some leaves rubbish. */
function survival({ share, seed }: Stop): PowerCut {
  const random = new Random(seed);
  const lasts = () => random.chance(share / 4);
  return {
    entry: lasts,
    write: ({ bytes }) => {
      if (!lasts()) return undefined;
      switch (random.below(4)) {
        case 0:
          return bytes.slice(0, random.below(bytes.length + 1));
        case 1:
          return random.bytes(random.below(bytes.length + 1));
        case 2:
          for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
            if (random.chance(0.3)) bytes.fill(0, at, at + SECTOR_BYTES);
          }
          return bytes;
        default:
          return bytes;
      }
    },
  };
}
