/**
 * The machine under the model test: its disk fails, fills up and takes less than it was given; its power is cut, and its
 * processes are killed, between any two operations.
 *
 * @module
 */
import { MemoryPlatform, type Operation, type OperationKind, type PowerCut } from "../support/memory_platform.ts";
import type { Random } from "../support/random.ts";
import { nextTurn } from "../../src/platform/turn.ts";

/** What fails once: an operation, or a sync only after it was begun. */
type FaultKind = OperationKind | "syncLater";

const FAULTS: readonly FaultKind[] = ["write", "write", "write", "open", "rename", "remove", "read", "list", "sync"];
const SYNC_FAULTS: readonly FaultKind[] = ["sync", "syncLater", "syncDirectory"];
const SECTOR_BYTES = 64;

/** The machine of one round. */
export class Machine {
  /** What the present start sees. */
  platform: MemoryPlatform;
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
  readonly #random: Random;
  #fault: { kind: FaultKind; after: number } | undefined;
  #stopAfter = 0;

  /** A machine whose accidents follow from `random`. */
  constructor(random: Random) {
    this.#random = random;
    this.platform = new MemoryPlatform();
    // What holds the store is there, and durable, before anything happens.
    this.platform.writeFile("/data/store/NOTE", new Uint8Array(1));
    this.platform.remove("/data/store/NOTE");
    this.platform.syncDirectory("/data/store");
    this.#wire();
  }

  /** Lets an operation fail soon, once. */
  armFault(): string {
    const kind = this.#random.pick(this.#random.chance(0.8) ? FAULTS : SYNC_FAULTS);
    this.#fault = { kind, after: this.#random.between(1, this.#random.chance(0.5) ? 2 : 8) };
    return `${kind} ${this.#fault.after} will fail`;
  }

  /** Lets the disk be nearly full. */
  fill(): void {
    const used = this.platform.files().reduce((sum, path) => sum + this.platform.readFile(path).length, 0);
    this.platform.capacityBytes = used + this.#random.below(this.#random.chance(0.5) ? 200 : 9000);
    this.faults++;
  }

  /** Ends all faults that are under way. */
  heal(): void {
    this.platform.capacityBytes = Infinity;
    this.#fault = undefined;
  }

  /** Stops the machine at one of the next operations. */
  armStop(): void {
    this.#stopAfter = this.#random.between(1, this.#random.chance(0.7) ? 12 : 60);
  }

  /** Cuts the power or kills the process. */
  stop(): void {
    const random = this.#random;
    this.#stopAfter = 0;
    if (random.chance(0.4)) {
      this.how = "the process was killed";
      this.next = this.platform.kill();
    } else {
      this.how = "the power was cut";
      this.wasCut = true;
      this.next = this.platform.crash(random.chance(0.3) ? {} : this.#survival());
    }
  }

  /** Starts again. */
  start(): void {
    if (this.next === undefined) throw new Error("the machine is running");
    this.platform = this.next;
    this.next = undefined;
    this.heal();
    this.#wire();
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
    this.platform.onOperation = (operation) => this.#meet(operation);
    this.platform.syncTurn = async () => {
      for (let turns = this.#random.below(3); turns >= 0; turns--) await nextTurn();
      if (this.#fault?.kind === "syncLater" && !this.isCalm) this.#fail("the disk is broken");
    };
  }

  #meet({ kind, bytes }: Operation): number | void {
    if (this.isCalm || this.next !== undefined) return;
    if (this.#stopAfter > 0 && --this.#stopAfter === 0) return this.stop();
    if (this.#fault?.kind === kind && --this.#fault.after <= 0) {
      // A write may take a part before it fails.
      if (kind !== "write" || bytes! < 2 || this.#random.chance(0.5)) this.#fail(`no ${kind}`);
      return this.#random.between(1, bytes! - 1);
    }
    if (kind === "write" && bytes! > 1 && this.#random.chance(0.05)) return this.#random.between(1, bytes!);
  }

  #fail(message: string): never {
    if (SYNC_FAULTS.includes(this.#fault!.kind)) this.hasFailedSync = true;
    this.#fault = undefined;
    this.faults++;
    throw new Error(message);
  }

  /** Of everything that was not synced, some lasts, whole or in part, and some leaves rubbish. */
  #survival(): PowerCut {
    const random = this.#random;
    const share = random.fraction();
    return {
      entry: () => random.chance(share),
      write: ({ bytes }) => {
        if (!random.chance(share)) return undefined;
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
}
