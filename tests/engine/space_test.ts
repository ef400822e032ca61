/**
 * How large the log gets: beside data that stays, keys come and go, expire, and come again; now and then one of those
 * that stay is written anew, so that hardly any segment is wholly live. The log is bounded by what is live, without a
 * call of `compact`, and without rewriting what stays.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { nextTurn } from "../../src/platform/turn.ts";
import { Clock } from "../model/support/machine.ts";
import { newMachine } from "../crash/support/disk.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { Random } from "../support/random.ts";

const DIRECTORY = "/data/store";
const SEGMENT_BYTES = 8192;
const OPTIONS = { segmentBytes: SEGMENT_BYTES, durability: "write" as const };
const STATIC = 300;
const WRITES = 12_000;
/** In multiples of the live bytes … */
const FACTOR = 3;
/** … and beyond those, in segments: one that is written, what is stale in the next, and what waits for enough of it. */
const SEGMENTS = 4;

/** How often, of 1000 writes, each kind comes: the rest are keys that are set once and deleted. */
interface Mix {
  /** A key that stays is written anew. */
  updates: number;
  /** One of a few keys that stay is deleted or comes back. */
  toggles: number;
  /** A key that expires. */
  sessions: number;
}

const MIXES: Record<string, Mix> = {
  "beside what is wholly live": { updates: 0, toggles: 0, sessions: 0 },
  "beside what is written anew now and then": { updates: 10, toggles: 0, sessions: 0 },
  "with a few keys that come and go": { updates: 5, toggles: 500, sessions: 0 },
  "with keys that expire": { updates: 5, toggles: 20, sessions: 500 },
  "with nothing but keys that expire": { updates: 1, toggles: 0, sessions: 1000 },
};

class Life {
  readonly clock = new Clock();
  readonly platform: MemoryPlatform = newMachine();
  readonly model = new Map<string, { value: string; expiresAt: number }>();
  store!: KvStore;
  mostBytes = 0;
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.platform.now = this.clock.now;
    this.platform.startTimer = this.clock.startTimer;
  }

  async open(): Promise<void> {
    this.store = await KvStore.openOn(this.platform, DIRECTORY, OPTIONS);
  }

  set(key: string, length: number, lifeMs = Infinity): void {
    const value = `${this.#random.below(1e9)} `.padEnd(length, "v");
    const expiresAt = this.clock.now() + lifeMs;
    this.store.set(key, value, lifeMs === Infinity ? {} : { expiresAt });
    this.model.set(key, { value, expiresAt });
  }

  delete(key: string): void {
    this.store.delete(key);
    this.model.delete(key);
  }

  write(n: number, { updates, toggles, sessions }: Mix): void {
    const what = this.#random.below(1000);
    if (what < updates) this.set(`static ${this.#random.below(STATIC)}`, 150);
    else if (what < updates + toggles) {
      const key = `static ${this.#random.below(20)}`;
      if (this.model.has(key)) this.delete(key);
      else this.set(key, 150);
    } else if (what < updates + toggles + sessions) this.set(`session ${n}`, 10, 1 + this.#random.below(50));
    else {
      this.set(`job ${n}`, 10);
      this.delete(`job ${n}`);
    }
  }

  /** Lets the background work until it has nothing to do. */
  async rest(): Promise<void> {
    this.clock.pass(1);
    let compactions = -1;
    for (let quiet = 0; quiet < 12; quiet++) {
      if (this.store.stats().compactions !== compactions) quiet = 0;
      ({ compactions } = this.store.stats());
      await nextTurn();
    }
  }

  check(): void {
    const { diskBytes, liveBytes, lastCompactionError } = this.store.stats();
    assertEquals(lastCompactionError, undefined);
    const limit = FACTOR * liveBytes + SEGMENTS * SEGMENT_BYTES;
    assert(
      diskBytes <= limit,
      `${diskBytes} bytes on the disk, ${liveBytes} live: ${JSON.stringify(this.store.stats())}`,
    );
    this.mostBytes = Math.max(this.mostBytes, diskBytes / limit);
  }

  checkValues(): void {
    const expected = [...this.model].filter(([, { expiresAt }]) => expiresAt > this.clock.now());
    assertEquals(this.store.size, expected.length);
    for (const [key, { value }] of expected) assertEquals(this.store.get(key), value);
  }
}

for (const [name, mix] of Object.entries(MIXES)) {
  Deno.test(`space: the log is bounded by what is live, ${name}`, async () => {
    for (const seed of [1, 2]) {
      const life = new Life(seed);
      await life.open();
      for (let i = 0; i < STATIC; i++) life.set(`static ${i}`, 150);
      life.clock.pass(1000);
      for (let n = 0; n < WRITES; n++) {
        life.write(n, mix);
        if (n % 40 !== 0) continue;
        await life.rest();
        life.check();
        // Whether it was closed or not: what is known of the segments is known again.
        if (n % 4000 !== 0) continue;
        await life.store.close();
        await life.open();
        life.clock.pass(1000);
      }
      await life.store.compact();
      const { tombstoneBytes, staleBytes, diskBytes, liveBytes } = life.store.stats();
      assert(tombstoneBytes < 100, `${tombstoneBytes} bytes of tombstones`);
      assert(diskBytes < 1.1 * liveBytes + 1000, `${diskBytes} bytes for ${liveBytes}, ${staleBytes} of them stale`);
      life.checkValues();
      assertEquals((await life.store.verify()).problems, []);
      await life.store.close();
      await life.open();
      life.checkValues();
      await life.store.close();
    }
  });
}
