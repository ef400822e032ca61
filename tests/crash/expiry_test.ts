/**
 * Crashes of a store whose keys expire: the process dies, or the power fails, at every operation of a random history,
 * and the store is opened at the same time, later, or by a clock that has gone back. A key has its last value or, once
 * that has expired, none: never an earlier one.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type BatchOperation, KvStore } from "../../mod.ts";
import { nextTurn } from "../../src/platform/turn.ts";
import { Clock } from "../model/support/machine.ts";
import { Random } from "../support/random.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { casesOf, oneIn, SEED } from "./support/crash_replay.ts";
import { CUT, isChange, KILLED, TORN } from "./support/crash_sweep.ts";
import { newMachine, withSeed } from "./support/disk.ts";
import { assertIntact, DIRECTORY, OPTIONS } from "./support/scenario.ts";

const WAYS = { ...KILLED, ...CUT, ...TORN };
const KEYS = Array.from({ length: 12 }, (_, i) => `k${i}`);
/** So many more keys that images of the index are written. */
const OTHERS = Array.from({ length: 1000 }, (_, i) => `other ${i}`);
const STEPS = 160;
/** By how much the clock of the next start differs. */
const SHIFTS_MS = [0, 25, -25, -1_000_000];

interface Entry {
  value: string;
  expiresAt: number;
}

type State = ReadonlyMap<string, Entry>;

/** A moment of the run: what the store held before and after the write that was under way, and what time it was. */
interface Moment {
  platform: MemoryPlatform;
  states: [State, State];
  nowMs: number;
  id: number;
}

/** A random history, one write after the other. */
class Life {
  readonly clock = new Clock();
  readonly platform: MemoryPlatform = newMachine();
  states: [State, State] = [new Map(), new Map()];
  #store: KvStore | undefined;
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.platform.now = this.clock.now;
    this.platform.startTimer = this.clock.startTimer;
  }

  async run(): Promise<void> {
    await this.#open();
    await this.#write(OTHERS.map((key, i) => this.#operation(key, 400 + i % 200)));
    for (let i = 0; i < STEPS; i++) await this.#step();
    await this.#store!.close();
  }

  async #open(): Promise<void> {
    this.#store = await KvStore.openOn(this.platform, DIRECTORY, OPTIONS);
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const what = random.below(40);
    const key = () => KEYS[random.below(KEYS.length)]!;
    if (what < 14) return await this.#write([this.#operation(key(), 1 + random.below(60))]);
    if (what < 18) return await this.#write([this.#operation(key(), Infinity)]);
    if (what < 22) return await this.#write([{ type: "delete", key: key() }]);
    if (what < 25) {
      const [one, other] = [random.below(12), 1 + random.below(11)];
      const second = KEYS[(one + other) % 12]!;
      return await this.#write([this.#operation(KEYS[one]!, 30), { type: "delete", key: second }]);
    }
    if (what < 33) {
      this.clock.pass(random.below(30));
      for (let turns = 0; turns < 3; turns++) await nextTurn();
      if (what < 29) this.#store!.get("k0");
      return;
    }
    if (what < 37) return await this.#store!.compact();
    if (what === 37 && random.below(3) === 0) return await this.#write([]);
    await this.#store!.close();
    await this.#open();
  }

  #operation(key: string, lifeMs: number): BatchOperation<string> {
    const value = `${this.#random.below(1e9)} ${"v".repeat(this.#random.below(key.startsWith("k") ? 600 : 10))}`;
    return lifeMs === Infinity
      ? { type: "set", key, value }
      : { type: "set", key, value, expiresAt: this.clock.now() + lifeMs };
  }

  /** Writes, and waits until that is durable; nothing to write is to clear. */
  async #write(operations: BatchOperation<string>[]): Promise<void> {
    const before = this.states[1];
    const after = new Map(operations.length === 0 ? [] : before);
    for (const operation of operations) {
      const { key } = operation as { key: string };
      if (operation.type === "delete") after.delete(key);
      else after.set(key, { value: operation.value, expiresAt: operation.expiresAt ?? Infinity });
    }
    this.states = [before, after];
    await (operations.length === 0 ? this.#store!.clear() : this.#store!.batch(operations));
    this.states = [after, after];
  }
}

/** What is wrong with the contents, if they are to be those of a state; `undefined` if nothing is. */
function differenceOf(store: KvStore, state: State, moment: { nowMs: number; latestMs: number }): string | undefined {
  const shown = new Map([...store.entries()].map(([key, value]) => [String(key), value]));
  if (store.size !== shown.size) return `size is ${store.size} of ${shown.size}`;
  for (const [key, value] of shown) {
    const entry = state.get(key);
    if (value !== entry?.value) return `${key} is ${value}, not ${entry?.value}`;
    if (entry.expiresAt <= moment.nowMs) return `${key} has expired`;
  }
  for (const [key, { expiresAt }] of state) {
    if (!shown.has(key) && expiresAt > moment.latestMs) return `${key} is missing`;
  }
  return undefined;
}

function assertHolds(store: KvStore, { states, nowMs }: Moment, shiftMs: number): void {
  const times = { nowMs: nowMs + shiftMs, latestMs: Math.max(nowMs, nowMs + shiftMs) };
  const differences = states.map((state) => differenceOf(store, state, times));
  assert(differences.includes(undefined), differences.join("; "));
}

Deno.test("expiry: after every crash, whatever the clock says then, a key has its last value or none", async (t) => {
  const cases = casesOf(t);
  const life = new Life(SEED);
  const moments: Moment[] = [];
  await withSeed(SEED, async () => {
    life.platform.onOperation = (operation) => {
      if (!isChange(operation)) return;
      const { platform, states, clock } = life;
      moments.push({ platform: platform.fork(), states, nowMs: clock.now(), id: operation.count });
    };
    await life.run();
  });
  for (const [i, moment] of moments.entries()) {
    if (i % oneIn(31) !== 0) continue;
    for (const [j, [way, goDown]] of Object.entries(WAYS).entries()) {
      const shiftMs = SHIFTS_MS[(i + j) % SHIFTS_MS.length]!;
      await cases.run(`${moment.id} ${way} ${shiftMs}`, async (random) => {
        const left = goDown(moment.platform, random);
        left.now = () => moment.nowMs + shiftMs;
        const store = await KvStore.openOn(left, DIRECTORY, OPTIONS);
        assertHolds(store, moment, shiftMs);
        assertEquals((await store.verify()).problems, []);
        await store.compact();
        assertHolds(store, moment, shiftMs);
        await store.close();
        await assertIntact(left, "closed");
        const again = await KvStore.openOn(left, DIRECTORY, { ...OPTIONS, readOnly: true });
        assertHolds(again, moment, shiftMs);
        await again.close();
      });
    }
  }
  console.log(`${cases.count} crashes, ${moments.length} moments`);
  assert(moments.length > 1000);
});
