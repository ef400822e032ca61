import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { droppableUpTo } from "../../src/engine/droppable.ts";
import type { FileHandle } from "../../src/engine/segment.ts";
import { Segment } from "../../src/engine/segment.ts";
import { ListArbitrary } from "../model/support/shrink.ts";
import { testProperty } from "./support/property.ts";

/** A record: a set, a delete, or, without a key, a clear. */
interface Written {
  key?: number;
  isSet: boolean;
  sequence: number;
}

const write = fc.oneof(
  { weight: 8, arbitrary: fc.record({ key: fc.nat(3), isSet: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ isSet: fc.constant(false) }) },
);
const writes = fc.array(write, { maxLength: 4 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("write" as const), writes }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("rotate" as const) }) },
  {
    weight: 3,
    // Which of the sealed segments, and what is written while they are compacted.
    arbitrary: fc.record({ do: fc.constant("compact" as const), which: fc.nat(255), writes, rotates: fc.boolean() }),
  },
);

/** A log with nothing but sequence numbers, compacted by the rule under test. */
class SmallLog {
  readonly records: Map<Segment, Written[]> = new Map();
  readonly map: Map<number, number> = new Map();
  #sequence = 0;
  #number = 0;
  #active = this.#create();

  write(list: { key?: number; isSet: boolean }[]): void {
    for (const { key, isSet } of list) {
      // No tombstone is written for a key that is not there.
      if (key !== undefined && !isSet && !this.map.has(key)) continue;
      const sequence = ++this.#sequence;
      this.#put(this.#active, { ...(key === undefined ? {} : { key }), isSet, sequence });
      if (key === undefined) this.map.clear();
      else if (isSet) this.map.set(key, sequence);
      else this.map.delete(key);
    }
  }

  rotate(): void {
    if (this.records.get(this.#active)!.length > 0) this.#active = this.#create();
  }

  compact(which: number, meanwhile: () => void): void {
    const sealed = [...this.records.keys()].filter((segment) => segment !== this.#active);
    const inputs = new Set(sealed.filter((_, i) => (which >> i % 8 & 1) === 1));
    if (inputs.size === 0) return;
    const limit = droppableUpTo(this.records.keys(), inputs);
    const asOf = this.#sequence;
    const all = [...inputs].flatMap((segment) => this.records.get(segment)!);
    const kept = all.filter(({ key, isSet, sequence }) => isSet ? this.map.get(key!) === sequence : sequence > limit);
    this.assertNothingHidden(all.filter(({ isSet, sequence }) => !isSet && sequence <= limit), inputs);
    meanwhile();
    for (const input of inputs) this.records.delete(input);
    if (kept.length === 0) return;
    const output = this.#create();
    output.currentAsOf = asOf;
    for (const one of kept) this.#put(output, one);
  }

  /** By its definition: what a tombstone hides in a segment that stays comes back with it gone. */
  assertNothingHidden(dropped: Written[], inputs: Set<Segment>): void {
    for (const [segment, records] of this.records) {
      if (inputs.has(segment)) continue;
      const hidden = records.filter(({ key, isSet, sequence }) =>
        isSet && dropped.some((one) => one.sequence > sequence && (one.key === undefined || one.key === key))
      );
      assertEquals(hidden, [], "a dropped tombstone hides these");
    }
  }

  /** What an open makes of the records: of each key the highest sequence number counts. */
  assertReplayed(): void {
    const list = [...this.records.values()].flat().sort((a, b) => a.sequence - b.sequence);
    const replayed = new Map<number, number>();
    for (const { key, isSet, sequence } of list) {
      if (key === undefined) replayed.clear();
      else if (isSet) replayed.set(key, sequence);
      else replayed.delete(key);
    }
    assertEquals(replayed, this.map);
  }

  #create(): Segment {
    const header = { number: ++this.#number, salt: 0, storeId: new Uint8Array(16), inputs: [] };
    const segment = new Segment(header, {} as FileHandle, { endBytes: 44, sealed: false });
    this.records.set(segment, []);
    return segment;
  }

  #put(segment: Segment, record: Written): void {
    this.records.get(segment)!.push(record);
    segment.cover(record.sequence);
  }
}

testProperty(import.meta.url, "droppable: no tombstone goes while something that it hides stays", {
  of: new ListArbitrary(step, 40),
  rounds: 2000,
  holds(steps) {
    const log = new SmallLog();
    for (const one of steps) {
      if (one.do === "write") log.write(one.writes);
      else if (one.do === "rotate") log.rotate();
      else {
        log.compact(one.which, () => {
          log.write(one.writes);
          if (one.rotates) log.rotate();
        });
      }
      log.assertReplayed();
    }
  },
});
