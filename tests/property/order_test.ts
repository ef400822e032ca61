import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Place } from "../../src/engine/index.ts";
import { formOf } from "../../src/engine/partition.ts";
import { Order, orderIn } from "../../src/order/order.ts";
import { orderOf } from "../../src/sorting/sort.ts";
import { select } from "../../src/sorting/select.ts";
import { EncodedKey } from "../../src/store/keys.ts";
import { nameOf } from "../../src/store/keys.ts";
import { RangeIterator } from "../../src/store/range.ts";
import { boundsOf } from "../../src/store/bounds.ts";
import { type View, Views } from "../../src/views/views.ts";
import type { Range } from "../../src/types.ts";
import { crowded, newIndex, testProperty } from "./support/property.ts";

/** An iterator that is open, with what it must still yield. */
interface Open {
  view: View;
  iterator: RangeIterator<string>;
  left: string[];
}

const number = fc.nat(220);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("put" as const), key: number, ttl: fc.nat(12) }) },
  { weight: 7, arbitrary: fc.record({ do: fc.constant("remove" as const), key: number, ttl: fc.nat(0) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("first" as const), key: number, ttl: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("open" as const), key: number, ttl: fc.nat(3) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("go" as const), key: fc.nat(5), ttl: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("close" as const), key: fc.nat(5), ttl: fc.nat(0) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("time" as const), key: fc.nat(0), ttl: fc.nat(3) }) },
);
const steps = fc.array(step, { maxLength: 600, size: "max" });

/** Keys in order beside a plain `Map` that is sorted whenever somebody asks. */
class Twin {
  readonly views = new Views(newIndex());
  readonly open: Open[] = [];
  #now = 1;
  readonly #model = new Map<string, { offset: number; expiresAt: number }>();
  #offset = 44;

  constructor() {
    this.pass(0);
    new Order(this.views.current, new Uint32Array(0)).attach([]);
  }

  /** The keys that are there, in the order of a range. */
  keys({ gte, reverse = false, limit }: Range = {}): string[] {
    for (const [name, { expiresAt }] of this.#model) if (expiresAt <= this.#now) this.#model.delete(name);
    const names = [...this.#model.keys()].filter((name) => gte === undefined || name >= gte).sort();
    return (reverse ? names.reverse() : names).slice(0, limit).map((name) =>
      `${name} ${this.#model.get(name)!.offset}`
    );
  }

  put(key: string, ttl: number): void {
    const expiresAt = ttl > 4 ? Infinity : this.#now + ttl;
    const offset = this.#offset += 16;
    const encoded = this.#remembered(key);
    this.views.current.changeable().put(encoded, 1, offset, formOf(30, true), expiresAt === Infinity ? 0 : expiresAt);
    this.#model.set(key, { offset, expiresAt });
  }

  remove(key: string): void {
    this.views.current.changeable().remove(this.#remembered(key));
    this.#model.delete(key);
  }

  /** Time passes, and what is due expires. */
  pass(time: number): void {
    this.#now += time;
    this.views.current.expire(this.#now);
  }

  iterate(range: Range): Open {
    const index = this.views.current.changeable();
    const bounds = boundsOf(range);
    // Before there is an order of all keys, and now and then later, one of the range alone.
    const isAlone = orderIn(index)?.isWhole !== true || range.limit === 5;
    if (isAlone) orderIn(index)?.grow(7);
    const order = isAlone ? select(index, { ...bounds, now: 0, isListed: (ref) => index.lists(ref) }) : orderOf(index);
    const view = this.views.open(1, this.#now);
    const left = this.keys(range);
    const iterator = new RangeIterator({
      order,
      reader: this,
      item: (ref) => {
        const place: Place | undefined = this.views.findRef(view, index, ref);
        return place && `${nameOf(index.keyOf(ref))} ${place.offset}`;
      },
      isForgotten: (ref) => this.views.isForgotten(index, ref),
      release: () => this.views.close(view),
    }, bounds);
    return { view, iterator, left };
  }

  #remembered(key: string): EncodedKey {
    const encoded = new EncodedKey().encode(key);
    this.views.current.find(encoded.bytes, 0, encoded.length);
    this.views.beforeChange(encoded, this.views.current);
    return encoded;
  }
}

testProperty(import.meta.url, "order: ranges and open iterators beside a sorted array, whatever comes and goes", {
  of: fc.tuple(fc.array(number, { maxLength: 150, size: "max" }), steps),
  holds([early, list]) {
    const twin = new Twin();
    for (const key of early) twin.put(crowded[key]!, 9);
    for (const { do: what, key, ttl } of list) {
      const name = crowded[key]!;
      if (what === "put") twin.put(name, ttl);
      else if (what === "remove") twin.remove(name);
      else if (what === "time") twin.pass(ttl);
      else if (what === "first") {
        const { iterator, left } = twin.iterate({ gte: name, reverse: false, limit: ttl });
        assertEquals([...iterator], left);
      } else if (what === "open") {
        twin.open.push(twin.iterate({ gte: name, reverse: ttl % 2 > 0, ...(ttl > 1 ? { limit: 40 } : {}) }));
      } else if (twin.open.length > 0) {
        const at = key % twin.open.length;
        const { iterator, left, view } = twin.open[at]!;
        if (what === "close") iterator.return();
        for (let i = 0; i < ttl; i++) assertEquals(iterator.next().value, left.shift());
        if (!twin.views.has(view)) twin.open.splice(at, 1);
      }
    }
    for (const { iterator, left } of twin.open) assertEquals([...iterator], left);
    orderOf(twin.views.current);
    assertEquals([...twin.iterate({}).iterator], twin.keys());
    const order = orderOf(twin.views.current);
    assertEquals(order.length, twin.keys().length, "a dead key is left");
    for (const { length, refs } of order.chunks) assert(length > 0 && length <= refs.length);
  },
});
