/**
 * Histories of a few keys that are set, deleted, cleared and expire, over any compactions and audits, failed writes and
 * crashes.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { compactTombstones } from "../../src/audit/audit.ts";
import { compactGroup } from "../../src/engine/compactor.ts";
import { KIND } from "../../src/engine/record.ts";
import { MemoryPlatformError } from "../support/memory_platform.ts";
import { Random } from "../support/random.ts";
import { Harness, newPlatform, note } from "../support/compaction_harness.ts";
import { oldestFirst } from "../../src/maintenance/groups.ts";

const NOW = 1_000_000;
const KEYS = ["a", "b", "c", "d", "e", "f"];

/** A history with a model, and compactions and audits of any segments at any time. */
class History {
  harness = new Harness(newPlatform());
  model = new Map<string, { value: string; expiresAt: number }>();
  now = NOW;
  audits = 0;
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.harness.platform.now = () => this.now;
  }

  write(): void {
    const random = this.#random;
    const key = KEYS[random.below(KEYS.length)]!;
    const what = random.below(20);
    if (what === 0) {
      this.harness.write(KIND.clear, "");
      this.model.clear();
    } else if (what < 9) {
      const isThere = this.harness.engine.index.find(new TextEncoder().encode(key), 0, 1);
      if (isThere) this.harness.delete(key);
      this.model.delete(key);
    } else {
      const value = `${random.below(1e6)}`;
      const expiresAt = what < 13 ? this.now + 1 + random.below(20) : 0;
      this.harness.write(KIND.set, key, value, expiresAt);
      this.model.set(key, { value, expiresAt });
    }
  }

  async step(): Promise<void> {
    const random = this.#random;
    const what = random.below(12);
    if (what < 5) { for (let i = random.below(6); i >= 0; i--) this.write(); }
    else if (what < 8) this.harness.seal();
    else if (what === 8) this.now += random.below(15);
    else if (what === 9 && random.below(4) === 0) {
      await this.harness.engine.writer!.reached("sync");
      this.harness = this.harness.reopen();
      this.harness.platform.now = () => this.now;
    } else if (what === 9) await this.#fail();
    else {
      const sealed = oldestFirst(this.harness.engine.log.segments.values()).filter(({ sealed }) => sealed);
      const inputs = sealed.filter(() => random.below(2) === 0);
      if (inputs.length === 0) return;
      let left = random.below(3);
      this.harness.onCopied = () => {
        if (left-- > 0) this.write();
      };
      note(this.harness);
      // All that was written is durable when a group has been switched: a crash there must not bring anything back.
      this.harness.onRetired = () => this.#assertValues(this.harness.reopen());
      if (what === 10) await compactGroup(this.harness.engine, inputs);
      else {
        // Groups of one to a few segments each.
        const options = { segmentBytes: random.below(500), leastShare: -1 };
        this.audits += await compactTombstones(this.harness.engine, inputs, options);
      }
      this.harness.onCopied = () => {};
      await this.check();
    }
  }

  /** A write that fails takes back what was pending. */
  async #fail(): Promise<void> {
    await this.harness.engine.writer!.reached("sync");
    const before = new Map(this.model);
    for (let i = 0; i < 3; i++) this.write();
    note(this.harness);
    this.harness.platform.onOperation = ({ kind }) => {
      if (kind === "write") throw new MemoryPlatformError("EIO", "injected");
    };
    this.harness.engine.writer!.write();
    this.harness.platform.onOperation = undefined;
    this.model = before;
  }

  async check(): Promise<void> {
    await this.harness.engine.writer!.reached("sync");
    this.#assertValues(this.harness);
    this.#assertValues(this.harness.reopen());
    await this.harness.verify();
  }

  #assertValues(harness: Harness): void {
    harness.platform.now = () => this.now;
    harness.engine.expire();
    for (const key of KEYS) {
      const entry = this.model.get(key);
      const isThere = entry !== undefined && (entry.expiresAt === 0 || entry.expiresAt > this.now);
      assertEquals(harness.get(key), isThere ? entry.value : undefined, key);
    }
  }
}

Deno.test("audit: whatever is written, compacted and audited, in any order, keys have the values they should", async () => {
  let audits = 0;
  for (let seed = 1; seed <= 150; seed++) {
    const history = new History(seed);
    try {
      for (let i = 0; i < 60; i++) await history.step();
      await history.check();
    } catch (cause) {
      throw new Error(`seed ${seed}`, { cause });
    }
    audits += history.audits;
  }
  assert(audits > 300, `${audits} audits`);
});
