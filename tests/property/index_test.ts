import { liveBytesOf } from "../support/live_bytes.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { PARTITIONS } from "../../src/engine/index.ts";
import { formOf } from "../../src/engine/partition.ts";
import { Relocations } from "../../src/relocation.ts";
import { sizeAt } from "../../src/views/views.ts";
import { nameOf } from "../../src/store/keys.ts";
import { crowded, newIndex, testProperty } from "./support/property.ts";

interface Expected {
  segment: number;
  offset: number;
  length: number;
  isString: boolean;
  expiresAt: number;
}

const key = fc.nat(450);
const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("put" as const),
      key,
      segment: fc.integer({ min: 1, max: 4 }),
      lifeMs: fc.oneof(fc.constant(undefined), fc.integer({ min: -3, max: 20 })),
    }),
  },
  { weight: 10, arbitrary: fc.record({ do: fc.constant("remove" as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("time" as const), ms: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("many" as const), key, count: fc.nat(150) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("none" as const), key, count: fc.nat(150) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("relocate" as const),
      from: fc.uniqueArray(fc.integer({ min: 1, max: 4 })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("hold" as const), is: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("drop" as const) }) },
);

function keyOf(number: number): { bytes: Uint8Array; start: number; length: number } {
  const bytes = new TextEncoder().encode(crowded[number % crowded.length]);
  return { bytes, start: 0, length: bytes.length };
}

class Pair {
  readonly index = newIndex();
  readonly map = new Map<string, Expected>();
  #offset = 0;
  /** The time, and that of the last look at it: what is past is 100 before. */
  #now = 100;

  put(number: number, segment: number, lifeMs?: number): void {
    const expiresAt = lifeMs === undefined ? 0 : this.#now + lifeMs;
    const place = { segment, offset: this.#offset += 32, length: 30 + number, isString: number % 2 === 0, expiresAt };
    const before = this.map.get(nameOf(keyOf(number)));
    this.index.put(keyOf(number), segment, place.offset, formOf(place.length, place.isString), expiresAt);
    this.assertPlace(before);
    this.map.set(nameOf(keyOf(number)), place);
  }

  remove(number: number): void {
    const before = this.map.get(nameOf(keyOf(number)));
    assertEquals(this.index.remove(keyOf(number)), this.map.delete(nameOf(keyOf(number))));
    this.assertPlace(before);
  }

  /** Lets time pass. */
  pass(ms: number): void {
    this.#now += ms;
    this.index.expire(this.#now);
  }

  #isExpired({ expiresAt }: Expected): boolean {
    return expiresAt !== 0 && expiresAt <= this.index.expired.now;
  }

  /** Moves every other place of these segments to segment 5, takes out what has expired, and leaves the others. */
  relocate(from: number[]): void {
    const moves = new Relocations(from.map((number) => ({ number, endBytes: 1_000_000 })));
    for (let number = 0; number < PARTITIONS; number++) this.index.noteLive(number, moves);
    const isMoved = ({ segment, offset }: Expected) => from.includes(segment) && offset % 64 === 0;
    for (const place of [...this.map.values()].sort((a, b) => a.offset - b.offset)) {
      moves.of(place.segment)?.move(place.offset, isMoved(place) ? place.offset + 1_000_000 : 0);
    }
    const target = { number: 5, liveBytes: 0 };
    for (let number = 0; number < PARTITIONS; number++) this.index.relocate(number, moves, target);
    for (const [name, place] of this.map) {
      if (from.includes(place.segment) && !isMoved(place) && this.#isExpired(place)) this.map.delete(name);
      if (!isMoved(place)) continue;
      this.map.set(name, { ...place, segment: 5, offset: place.offset + 1_000_000 });
      target.liveBytes -= place.length;
    }
    assertEquals(target.liveBytes, 0);
  }

  /** What `put`, `remove` and `find` leave in the fields. */
  assertPlace(expected: Expected | undefined): void {
    const { segment, offset, length, isString, expiresAt, isExpired } = this.index;
    if (expected === undefined) assertEquals(segment, 0);
    else assertEquals({ segment, offset, length, isString, expiresAt }, expected);
    if (expected !== undefined) assertEquals(isExpired, this.#isExpired(expected));
  }

  assertExpiries(): void {
    const places = [...this.map.values()];
    const left = (now: number) => places.filter(({ expiresAt }) => expiresAt === 0 || expiresAt > now);
    assertEquals(this.index.size, left(this.index.expired.now).length);
    for (let now = 0; now <= this.#now + 21; now += 7) assertEquals(sizeAt(this.index, now), left(now).length);
    const expired = places.filter((place) => this.#isExpired(place));
    assertEquals(this.index.expired.bytes, expired.reduce((sum, { length }) => sum + length, 0));
    for (let segment = 1; segment <= 5; segment++) {
      const there = expired.filter((place) => place.segment === segment);
      const { count, bytes } = this.index.expired.in(segment);
      assertEquals([count, bytes], [there.length, there.reduce((sum, { length }) => sum + length, 0)]);
    }
    const coming = left(this.index.expired.now).map(({ expiresAt }) => expiresAt || Infinity);
    assert(this.index.expired.next <= Math.min(...coming), "something expires before it is looked at");
    // Whoever looks knows it exactly.
    this.index.expire(this.index.expired.now);
    assertEquals(this.index.expired.next, Math.min(...coming));
  }

  assertAll(): void {
    this.assertExpiries();
    for (let number = 0; number < crowded.length; number++) {
      const { bytes, length } = keyOf(number);
      const expected = this.map.get(nameOf(keyOf(number)));
      assertEquals(this.index.find(bytes, 0, length), expected !== undefined);
      this.assertPlace(expected);
    }
    const seen = new Set<string>();
    this.index.each((one) => this.index.segment !== 0 && seen.add(nameOf(one)));
    assertEquals(seen, new Set(this.map.keys()));
    const live = new Map<number, number>();
    for (const { segment, length } of this.map.values()) live.set(segment, (live.get(segment) ?? 0) + length);
    assertEquals(liveBytesOf(this.index), live);
  }
}

testProperty(import.meta.url, "index: does what a Map does, as it grows, shrinks, is moved and expires", {
  of: fc.array(step, { maxLength: 120, size: "max" }),
  rounds: 100,
  holds(steps) {
    const pair = new Pair();
    for (const one of steps) {
      if (one.do === "put") pair.put(one.key, one.segment, one.lifeMs);
      else if (one.do === "time") pair.pass(one.ms);
      else if (one.do === "remove") pair.remove(one.key);
      else if (one.do === "many") {
        for (let i = 0; i < one.count; i++) pair.put(one.key + i, 1 + i % 4, i % 3 === 0 ? undefined : i % 20);
      } else if (one.do === "none") { for (let i = 0; i < one.count; i++) pair.remove(one.key + i); }
      else if (one.do === "relocate") pair.relocate(one.from);
      else if (one.do === "hold") pair.index.holds = one.is ? 1 : 0;
      else if (pair.index.holds === 0) {
        for (let number = 0; number < PARTITIONS; number++) {
          if (pair.index.partition(number).isSparse) pair.index.partition(number).dropDeleted();
        }
      }
    }
    pair.assertAll();
  },
});
