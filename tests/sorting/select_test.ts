import { assert, assertEquals } from "@std/assert";
import { hashKey } from "../../src/hash.ts";
import { Index } from "../../src/engine/index.ts";
import { Order } from "../../src/order/order.ts";
import { orderOf } from "../../src/sorting/sort.ts";
import { select } from "../../src/sorting/select.ts";
import { Walk } from "../../src/order/walk.ts";
import { nameOf } from "../../src/store/keys.ts";
import { boundsOf } from "../../src/store/bounds.ts";
import type { Range } from "../../src/types.ts";
import { Random } from "../support/random.ts";

function keyOf(text: string) {
  const bytes = new TextEncoder().encode(text);
  return { bytes, start: 0, length: bytes.length };
}

/** Twenty thousand keys, of which two thirds have been deleted. */
function prepared(): Index {
  const index = new Index();
  for (let i = 0; i < 20_000; i++) index.put(keyOf(`key:${i}`), 1, 16 * i, 1);
  index.holds = 1;
  for (let i = 0; i < 20_000; i++) if (i % 3 > 0) index.remove(keyOf(`key:${i}`));
  return index;
}

/** The names of the keys with a place that a walk over a range comes to. */
function names(order: Order, range: Range): string[] {
  const bounds = boundsOf(range);
  const walk = new Walk(order, bounds);
  const found: string[] = [];
  for (let ref = walk.next(); ref !== undefined && found.length < bounds.limit; ref = walk.next()) {
    if (order.index.lists(ref)) found.push(nameOf(order.index.keyOf(ref)));
  }
  return found;
}

Deno.test("select: a range alone has what the order of all keys has there, and little more than its limit", () => {
  const index = prepared();
  const whole = orderOf(index);
  const ranges: Range[] = [{ prefix: "key:12" }, { gte: "key:5", lt: "key:55" }, { limit: 10 }, { limit: 5000 }, {}];
  for (const limit of [1, 50, 2500]) {
    ranges.push({ prefix: "key:1", limit }, { gt: "key:2", limit }, { lte: "key:8", limit });
  }
  for (const one of ranges) {
    for (const reverse of [false, true]) {
      const range = { ...one, reverse };
      const order = select(index, { ...boundsOf(range), now: 0, isListed: (ref) => index.lists(ref) });
      assertEquals(names(order, range), names(whole, range), JSON.stringify(range));
      const { limit = Infinity } = range;
      assert(order.length <= 4 * (2 * limit + 4096), `${order.length} for ${JSON.stringify(range)}`);
    }
  }
});

/** Keys of two tables: they fill, and drop what was deleted, while the order is made of them. */
const crowded = Array.from({ length: 200_000 }, (_, i) => `${i}`).filter((name) => {
  const { bytes, start, length } = keyOf(name);
  return hashKey(bytes, start, length, 1) >>> 25 === 0;
});

Deno.test("select: an order that is made in small steps has all keys in the end, whatever comes and goes meanwhile", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Random(seed);
    const index = new Index(1);
    const model = new Set<string>();
    let changes = 0;
    const change = () => {
      // Keys that never come back, so that their entries are dropped.
      const name = crowded[Math.floor(changes++ / 8) + random.below(150)]!;
      if (random.chance(0.55)) {
        index.put(keyOf(name), 1, 16, 1);
        model.add(name);
      } else {
        index.remove(keyOf(name));
        model.delete(name);
      }
    };
    for (let i = 0; i < 600; i++) change();
    const order = new Order(index, new Uint32Array(0)).attach([]);
    for (let steps = 0; !order.isWhole; steps++) {
      assert(steps < 2000, "it comes to no end");
      order.grow(random.below(8) + 3);
      for (let i = random.below(60); i > 0; i--) change();
    }
    assertEquals(orderOf(index), order);
    assertEquals(names(order, {}), [...model].sort());
  }
});
