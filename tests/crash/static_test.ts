/**
 * Crashes of a store in which keys come, go and expire beside keys that stay: the process dies, or the power fails, at
 * every operation, also within audits of tombstones, what they lead to, and merges. What was deleted stays deleted, and
 * what stays has its last value, also once whatever may go has gone.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type BatchOperation, KvStore } from "../../mod.ts";
import { nextTurn } from "../../src/platform/turn.ts";
import { Clock } from "../model/support/machine.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { Random } from "../support/random.ts";
import { casesOf, oneIn, SEED } from "./support/crash_replay.ts";
import { CUT, isChange, KILLED, TORN } from "./support/crash_sweep.ts";
import { newMachine, withSeed } from "./support/disk.ts";
import { assertIntact, DIRECTORY } from "./support/scenario.ts";

const WAYS = { ...KILLED, ...CUT, ...TORN };
const OPTIONS = { segmentBytes: 4096 };
const STATIC = 60;
const STEPS = 70;

type State = ReadonlyMap<string, { value: string; expiresAt: number }>;

/** What the store held before and after the write that was under way, and what time it was. */
interface Moment {
  platform: MemoryPlatform;
  states: [State, State];
  nowMs: number;
  id: number;
}

class Life {
  readonly clock = new Clock();
  platform: MemoryPlatform = newMachine();
  states: [State, State] = [new Map(), new Map()];
  readonly moments: Moment[] = [];
  audits = 0;
  #store!: KvStore;
  readonly #random = new Random(SEED);

  async run(): Promise<void> {
    await this.#open();
    for (let i = 0; i < STATIC; i += 20) {
      await this.#write(Array.from({ length: 20 }, (_, j) => this.#set(`static ${i + j}`, 100)));
    }
    for (let i = 0; i < STEPS; i++) {
      await this.#step(i);
      // Ends of all kinds: now and then it is killed, so that there are small segments to be merged.
      if (i % 6 === 5) await this.#reopen(i % 12 === 5);
    }
    await this.#store.compact();
    await this.#store.close();
  }

  async #open(): Promise<void> {
    this.platform.now = this.clock.now;
    this.platform.startTimer = this.clock.startTimer;
    this.platform.onOperation = (operation) => {
      if (!isChange(operation)) return;
      const { platform, states, clock } = this;
      this.moments.push({ platform: platform.fork(), states, nowMs: clock.now(), id: this.moments.length });
    };
    this.#store = await KvStore.openOn(this.platform, DIRECTORY, OPTIONS);
  }

  async #reopen(isClean: boolean): Promise<void> {
    if (isClean) await this.#store.close();
    else {
      const former = this.#store;
      const next = this.platform.fork();
      this.platform.onOperation = undefined;
      await former.close();
      this.platform = next;
    }
    await this.#open();
  }

  async #step(i: number): Promise<void> {
    const random = this.#random;
    const operations: BatchOperation<string>[] = [];
    for (let j = 0; j < 12; j++) {
      const stays = `static ${random.below(STATIC)}`;
      const what = random.below(12);
      if (what === 0) operations.push(this.#set(stays, 100));
      else if (what === 1) operations.push({ type: "delete", key: stays });
      else if (what < 5) operations.push(this.#set(`session ${random.below(40)}`, 20, 1 + random.below(1500)));
      else {
        operations.push(this.#set(`job ${i} ${j}`, 20), { type: "delete", key: `job ${i} ${j}` });
      }
    }
    await this.#write(operations);
    this.clock.pass(random.below(700));
    for (let turns = 0; turns < 40; turns++) await nextTurn();
  }

  #set(key: string, length: number, lifeMs = Infinity): BatchOperation<string> {
    const value = `${this.#random.below(1e9)} `.padEnd(length, "v");
    return lifeMs === Infinity
      ? { type: "set", key, value }
      : { type: "set", key, value, expiresAt: this.clock.now() + lifeMs };
  }

  async #write(operations: BatchOperation<string>[]): Promise<void> {
    const before = this.states[1];
    const after = new Map(before);
    for (const operation of operations) {
      const { key } = operation as { key: string };
      if (operation.type === "delete") after.delete(key);
      else after.set(key, { value: operation.value, expiresAt: operation.expiresAt ?? Infinity });
    }
    this.states = [before, after];
    await this.#store.batch(operations);
    this.states = [after, after];
  }
}

function textOf(entries: Iterable<[unknown, unknown]>): string {
  return [...entries].map(([key, value]) => `${key}: ${value}`).sort().join("\n");
}

function assertHolds(store: KvStore, { states, nowMs }: Moment): void {
  const [before, after] = states.map((state) =>
    textOf([...state].filter(([, { expiresAt }]) => expiresAt > nowMs).map(([key, { value }]) => [key, value]))
  );
  const found = textOf(store.entries());
  if (found !== before) assertEquals(found, after);
}

Deno.test("keys that stay and keys that go: after every crash both have done so, whatever is compacted", async (t) => {
  const cases = casesOf(t);
  const life = new Life();
  await withSeed(SEED, () => life.run());
  for (const [i, moment] of life.moments.entries()) {
    if (i % oneIn(9) !== 0) continue;
    for (const [way, goDown] of Object.entries(WAYS)) {
      await cases.run(`${moment.id} ${way}`, async (random) => {
        const left = goDown(moment.platform, random);
        left.now = () => moment.nowMs;
        const store = await KvStore.openOn(left, DIRECTORY, OPTIONS);
        assertHolds(store, moment);
        assertEquals((await store.verify()).problems, []);
        await store.compact();
        assertHolds(store, moment);
        assert(store.stats().tombstoneBytes < 150, JSON.stringify(store.stats()));
        await store.close();
        await assertIntact(left, "closed");
        const again = await KvStore.openOn(left, DIRECTORY, { ...OPTIONS, readOnly: true });
        assertHolds(again, moment);
        await again.close();
      });
    }
  }
  console.log(`${cases.count} crashes, ${life.moments.length} moments`);
  assert(life.moments.length > 700);
});
