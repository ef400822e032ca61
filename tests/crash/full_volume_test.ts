/**
 * A store filled its volume: half of the keys were deleted, all over the store, and `compact` gave nothing back. All the
 * data was in one segment, and half of it is more than the reserve can copy. Now segments get smaller as the volume fills,
 * so that the last ones can be copied, each of which makes room for a larger one.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { nextTurn, startTimer } from "../../src/platform/turn.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { Random } from "../support/random.ts";
import { IS_THOROUGH } from "../support/sweep.ts";
import { newMachine } from "./support/disk.ts";
import { codeOf } from "./support/history.ts";
import { assertIntact, DIRECTORY } from "./support/scenario.ts";

const MIB = 1024 * 1024;
const WRITTEN = { durability: "write" } as const;

/** A store with default sizes on a small volume, and what it must hold. */
class FullVolume {
  platform: MemoryPlatform = newMachine();
  store!: KvStore;
  readonly contents = new Map<string, string>();
  readonly random = new Random(7);
  readonly #auto: boolean;

  constructor(capacityBytes: number, auto: boolean = false) {
    this.platform.capacityBytes = capacityBytes;
    this.#auto = auto;
  }

  async open(): Promise<void> {
    this.store = await KvStore.openOn(this.platform, DIRECTORY, { compaction: { auto: this.#auto }, cacheBytes: 0 });
    this.assertContents("opened");
  }

  /** Ends the process and opens the store again. */
  async kill(): Promise<void> {
    const { store } = this;
    this.platform = this.platform.kill();
    await store.close().catch(codeOf);
    await this.open();
  }

  /** Sets the keys that `next` returns until the volume is full. Returns how many were set. */
  async fill(next: (count: number) => string): Promise<number> {
    for (let count = 0;; count++) {
      const key = next(count);
      const value = String.fromCharCode(97 + this.random.below(26)).repeat(100 + this.random.below(900));
      try {
        await this.store.set(key, value, WRITTEN);
      } catch (error) {
        assertEquals(codeOf(error), "IO");
        return count;
      }
      this.contents.set(key, value);
    }
  }

  /** Deletes the keys, and compacts whenever there is no room for a delete. Returns how much their values take. */
  async delete(keys: string[], onFull: () => Promise<void> = async () => {}): Promise<number> {
    let bytes = 0;
    let compactions = 0;
    for (const key of keys) {
      while (await this.store.delete(key, WRITTEN).then(() => false, (error) => codeOf(error) === "IO")) {
        assert(++compactions < 40, `${compactions} compactions for ${keys.length} deletes`);
        await onFull();
        await this.compact();
      }
      bytes += this.contents.get(key)!.length;
      this.contents.delete(key);
    }
    return bytes;
  }

  /** Compacts what can be compacted. */
  async compact(): Promise<void> {
    await this.store.compact().catch((error) => assertEquals(codeOf(error), "IO"));
  }

  assertContents(when: string): void {
    assertEquals(this.store.size, this.contents.size, when);
    for (const [key, value] of this.contents) assert(this.store.get(key) === value, `${when}: ${key}`);
  }

  async end(): Promise<void> {
    this.assertContents("at the end");
    await this.store.close();
    await assertIntact(this.platform, "at the end");
  }
}

/** Each of the keys with the given probability, in no order. */
function shareOf(keys: string[], share: number, random: Random): string[] {
  const chosen = keys.filter(() => random.fraction() < share);
  const ranks = new Map(chosen.map((key) => [key, random.fraction()]));
  return chosen.sort((a, b) => ranks.get(a)! - ranks.get(b)!);
}

const DELETES: Record<string, (keys: string[], random: Random) => string[]> = {
  "half of the keys": (keys, random) => shareOf(keys, 1 / 2, random),
  "a fifth of the keys": (keys, random) => shareOf(keys, 1 / 5, random),
  "the older half of the keys": (keys) => keys.slice(0, keys.length / 2),
};

// The suite tries the small volume, the gate the larger one as well.
for (const mib of IS_THOROUGH ? [4, 16] : [4]) {
  for (const [what, select] of Object.entries(DELETES)) {
    for (const isKilled of mib === 4 ? [false, true] : [true]) {
      const how = isKilled ? ", killed and opened again on the way" : "";
      Deno.test(`a full volume of ${mib} MiB: what ${what} took comes back${how}`, async () => {
        const volume = new FullVolume(mib * MIB);
        await volume.open();
        const count = await volume.fill((i) => `key ${i}`);
        assert(count > mib * 1500, `${count} keys`);
        if (isKilled) await volume.kill();
        const keys = select([...volume.contents.keys()], volume.random);
        const deletedBytes = await volume.delete(keys, () => isKilled ? volume.kill() : Promise.resolve());
        if (isKilled) await volume.kill();
        await volume.store.compact();
        assert(volume.platform.readFile(`${DIRECTORY}/RESERVE`).length > 120 * 1024, "the reserve is not back");
        const { diskBytes, liveBytes } = volume.store.stats();
        assert(diskBytes < 1.03 * liveBytes, `${diskBytes} bytes for ${liveBytes}`);
        // The rest may be an image of the index, for which there was no room before.
        const { freeBytes } = volume.platform;
        assert(freeBytes > 0.6 * deletedBytes, `${freeBytes} bytes of ${deletedBytes}`);
        await volume.end();
      });
    }
  }
}

Deno.test("a volume four times as large as the data never stays full, as segments are compacted earlier then", async () => {
  const volume = new FullVolume(4 * MIB, true);
  // The background begins some time after opening, and tries again some time after a failure.
  volume.platform.startTimer = (_, action) => startTimer(0, action);
  await volume.open();
  for (let round = 0; round < 8; round++) {
    // Overwrites come faster than compaction, which has a turn once the volume is full.
    const count = await volume.fill(() => `key ${volume.random.below(1700)}`);
    assert(round === 0 || count > 1000, `${count} overwrites in round ${round}`);
    await volume.store.flush();
    for (let turns = 0; volume.platform.freeBytes < MIB; turns++) {
      assert(turns < 10_000, `${volume.platform.freeBytes} bytes are free in round ${round}`);
      await nextTurn();
    }
  }
  await volume.end();
});

Deno.test("segments are as large as the options say where the space is unknown, and it is looked up rarely", async () => {
  for (const availableBytes of [undefined, 1e12]) {
    const platform = newMachine();
    let looks = 0;
    Object.assign(platform, { availableBytes: () => (looks++, availableBytes) });
    const store = await KvStore.openOn(platform, DIRECTORY, { segmentBytes: MIB, compaction: { auto: false } });
    for (let i = 0; i < 4000; i++) await store.set(`key ${i}`, "x".repeat(1000), WRITTEN);
    assertEquals(store.stats().segments, 4);
    assert(looks <= 40, `${looks} looks for 4 MB`);
    await store.close();
  }
});
