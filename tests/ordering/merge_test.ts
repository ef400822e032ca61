import { assert, assertEquals } from "@std/assert";
import { compareBytes } from "../../src/bytes.ts";
import { Index } from "../../src/engine/index.ts";
import { Order } from "../../src/order/order.ts";
import { Walk } from "../../src/order/walk.ts";
import { mergeOrder } from "../../src/ordering/merge.ts";
import { Random } from "../support/random.ts";

function keyOf(bytes: Uint8Array) {
  return { bytes, start: 0, length: bytes.length };
}

/** The listed keys, as a walk meets them. */
function listed(order: Order): Uint8Array[] {
  const { index } = order;
  const keys: Uint8Array[] = [];
  const walk = new Walk(order, { low: undefined, high: undefined, reverse: false });
  for (let ref = walk.next(); ref !== undefined; ref = walk.next()) {
    const { bytes, start, length } = index.keyOf(ref);
    if (index.lists(ref)) keys.push(bytes.slice(start, start + length));
  }
  return keys;
}

Deno.test("merge: an order that is made in steps has all keys in the end, whatever comes and goes meanwhile", () => {
  let merged = 0;
  let added = 0;
  for (let seed = 1; seed <= 24; seed++) {
    const random = new Random(seed);
    const index = new Index(seed);
    const model = new Map<string, Uint8Array>();
    const change = (share: number) => {
      const prefix = new Uint8Array(random.pick([0, 0, 3, 40])).fill(random.pick([0, 255]));
      const key = Uint8Array.from([...prefix, ...random.bytes(random.below(5))]);
      if (random.chance(share)) {
        index.put(keyOf(key), 1, 16, 1);
        model.set(key.join(), key);
        return;
      }
      const other = random.pick([...model.values()].slice(0, 50));
      if (other !== undefined && model.delete(other.join())) index.remove(keyOf(other));
    };
    for (let i = random.below(6000); i >= 0; i--) change(0.9);
    const work = mergeOrder(index);
    let step = work.next();
    for (; !step.done; step = work.next()) {
      assert(step.value <= 2048, `${step.value} keys in a step`);
      for (let i = random.below(seed % 2 === 0 ? 2 : 12); i > 0; i--) change(seed % 2 === 0 ? 0.9 : 0.3);
    }
    if (step.value === undefined) added++;
    else merged++;
    const order = step.value?.order.attach(step.value.known) ?? new Order(index, new Uint32Array(0)).attach([]);
    for (let steps = 0; !order.isWhole; steps++) {
      assert(steps < 2000, "it comes to no end");
      order.grow(random.below(50) + 3);
      for (let i = random.below(20); i > 0; i--) change(0.5);
    }
    assertEquals(listed(order), [...model.values()].sort(compareBytes), `seed ${seed}`);
  }
  assert(merged > 3 && added > 3, `${merged} merged, ${added} added one by one`);
});
