import { assert, assertEquals, assertThrows } from "@std/assert";
import { compareBytes } from "../../src/bytes.ts";
import { Index, PARTITIONS } from "../../src/engine/index.ts";
import { ENTRY_FIELDS } from "../../src/engine/partition.ts";
import { ImageReader, ImageWriter, readFooter } from "../../src/image/image.ts";
import { ImageIndex } from "../../src/lazy_index/image_index.ts";
import { orderOf } from "../../src/sorting/sort.ts";
import { Walk } from "../../src/order/walk.ts";
import { type Loaded, loadOrder } from "../../src/saved_order/load.ts";
import { CHUNK_REFS, OrderDamaged, OrderSaver, SavedOrder } from "../../src/saved_order/saved.ts";
import { finishNow } from "../../src/platform/turn.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";
import { Random } from "../support/random.ts";
import { readPartitions } from "../support/image.ts";
import { utf8 } from "../support/records.ts";

const EVERYTHING = { low: undefined, high: undefined, reverse: false };

/** An index with an order, and changes to it at random. */
class Changing {
  readonly index: Index;
  readonly random: Random;
  readonly seed: number;
  readonly #share: number;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.seed = seed;
    this.index = new Index(seed);
    // With many deletes, tables drop entries while the image is written.
    this.#share = seed % 2 === 0 ? 0.9 : 0.5;
    for (let i = 0; i < 4000; i++) this.change(0.95);
    orderOf(this.index);
  }

  change(share = this.#share): void {
    const { index, random } = this;
    const bytes = utf8(`${random.pick(["key", "other"])}:${random.below(1e6)}`);
    if (random.chance(share)) {
      index.put({ bytes, start: 0, length: bytes.length }, 1, 16, 1, random.chance(0.1) ? 1000 : 0);
      return;
    }
    const table = index.partition(random.below(PARTITIONS));
    if (table.count > 0) index.remove(table.key(random.below(table.count)));
  }

  /** A walk that drops keys which nobody lists, as iterators do. */
  walk(): void {
    const walk = new Walk(orderOf(this.index), EVERYTHING);
    let left = this.random.below(3000);
    for (let ref = walk.next(); ref !== undefined && left-- > 0; ref = walk.next()) {
      if (!this.index.lists(ref)) walk.remove();
    }
  }
}

/** Writes an image with the order, while `changing` changes at random. */
async function written(changing: Changing): Promise<MemoryPlatform> {
  const platform = new MemoryPlatform();
  platform.writeFile("/INDEX", new Uint8Array(0));
  const { index, random } = changing;
  const disturb = () => {
    for (let i = random.below(changing.seed % 2 === 0 ? 10 : 100); i > 0; i--) changing.change();
    // A walk removes references, so that what has been saved does not fit any more.
    if (changing.seed % 4 === 1 && random.chance(0.05)) changing.walk();
  };
  const handle = platform.open("/INDEX", "write");
  const saver = new OrderSaver(orderOf(index));
  const writer = new ImageWriter(index, handle, saver.pages);
  for (let number = 0; writer.writeNext(1) > 0; number++) {
    saver.onTable(number);
    disturb();
  }
  const entry = finishWith(saver.write(writer.counts, (bytes) => writer.append(bytes)), disturb);
  saver.end();
  await writer.finish("about", entry);
  return platform;
}

/** The index in an image. */
function imageIn(platform: MemoryPlatform): ImageIndex {
  const handle = platform.open("/INDEX", "read");
  const footer = readFooter<unknown>(handle)!;
  const tables = readPartitions(handle, footer)!;
  const reader = new ImageReader(handle, footer);
  const image = { handle, end: reader.end, layout: (number: number) => reader.layout(number), arePlaces: () => true };
  const saved = footer.order && new SavedOrder(image, footer.order);
  return new ImageIndex(footer.seed, {
    live: tables.map(({ live }) => live),
    expiry: footer.partitions.map(({ expiry = Infinity }) => expiry),
    read: (number) => tables[number],
    close: () => {},
  }, saved);
}

Deno.test("order saver: what is saved has every key of the tables in order, whatever changes meanwhile, or is left out", async () => {
  let saved = 0;
  let skipped = 0;
  for (let seed = 1; seed <= 16; seed++) {
    const changing = new Changing(seed);
    const index = imageIn(await written(changing));
    if (index.saved === undefined) {
      skipped++;
      continue;
    }
    saved++;
    const { known } = finishNow(loadOrder(index, index.saved));
    for (let number = 0; number < PARTITIONS; number++) {
      const { count, entries } = index.existing(number)!;
      for (let id = 0; id < count; id++) {
        const isKnown = (known[number]![id >>> 3]! >>> (id & 7) & 1) === 1;
        assert(isKnown || entries[id * ENTRY_FIELDS + 1] === 0, `seed ${seed}: entry ${id} of table ${number}`);
      }
    }
  }
  assert(saved > 3 && skipped > 3, `${saved} saved, ${skipped} skipped`);
});

/** Takes all steps, and does something between them. */
function finishWith<T>(steps: Generator<number, T>, between: () => void): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    between();
  }
}

Deno.test("order saver: an order that is loaded has all keys, also those that change while it is loaded", async () => {
  let done = 0;
  for (let seed = 2; seed <= 16; seed += 2) {
    const changing = new Changing(seed);
    const { random } = changing;
    const again = imageIn(await written(changing));
    if (again.saved === undefined) continue;
    const model = new Map<string, Uint8Array>();
    again.each(({ bytes, start, length }) => {
      const key = bytes.slice(start, start + length);
      if (again.segment !== 0) model.set(key.join(), key);
    });
    const change = () => {
      const key = random.chance(0.5) ? random.pick([...model.values()]) : utf8(`new:${random.below(200)}`);
      if (model.delete(key.join())) again.remove({ bytes: key, start: 0, length: key.length });
      else {
        again.put({ bytes: key, start: 0, length: key.length }, 1, 16, 1);
        model.set(key.join(), key);
      }
    };
    again.changeable();
    let found: Loaded;
    try {
      found = finishWith(loadOrder(again, again.saved), change);
    } catch (error) {
      // A table has dropped entries.
      assert(error instanceof OrderDamaged);
      continue;
    }
    const order = found.order.attach(found.known);
    for (let i = 0; !order.isWhole; i++) {
      assert(i < 200, "it comes to no end");
      order.grow(20);
      change();
    }
    const keys: Uint8Array[] = [];
    const walk = new Walk(order, EVERYTHING);
    for (let ref = walk.next(); ref !== undefined; ref = walk.next()) {
      const { bytes, start, length } = again.keyOf(ref);
      if (again.lists(ref)) keys.push(bytes.slice(start, start + length));
    }
    assertEquals(keys, [...model.values()].sort(compareBytes), `seed ${seed}`);
    done++;
  }
  assert(done > 2);
});

Deno.test("order saver: an order whose tables drop entries while it is loaded is given up", async () => {
  const changing = new Changing(2);
  const index = imageIn(await written(changing));
  const steps = loadOrder(index, index.saved!);
  for (let step = steps.next(); step.value !== CHUNK_REFS; step = steps.next()) assert(!step.done);
  // A table in the middle loses half of its entries.
  const table = index.partition(100);
  for (let id = 0; id < table.count; id += 2) index.remove(table.key(id));
  table.dropDeleted();
  assertThrows(() => finishNow(steps as Generator<number>), OrderDamaged);
  assertEquals(index.saved, undefined);
});

// A key that had expired was missing in the order, as it may be, and its tombstone came behind its table.
Deno.test("order saver: it says which expired keys may be missing, though the clock floor is lowered meanwhile", () => {
  const platform = new MemoryPlatform();
  platform.writeFile("/INDEX", new Uint8Array(0));
  const index = new Index(1);
  const [goes, stays] = ["goes", "stays"].map((key) => ({ bytes: utf8(key), start: 0, length: key.length }));
  index.put(goes!, 1, 16, 1, 1000);
  index.put(stays!, 1, 16, 1);
  orderOf(index);
  index.expire(1000);
  const walk = new Walk(orderOf(index), EVERYTHING);
  for (let ref = walk.next(); ref !== undefined; ref = walk.next()) if (!index.lists(ref)) walk.remove();
  const saver = new OrderSaver(orderOf(index));
  const writer = new ImageWriter(index, platform.open("/INDEX", "write"), saver.pages);
  for (let number = 0; writer.writeNext(1) > 0; number++) saver.onTable(number);
  index.remove(goes!);
  index.expire(500);
  const entry = finishNow(saver.write(writer.counts, (bytes) => writer.append(bytes)));
  assertEquals([entry?.refs, entry?.now], [1, 1000]);
});
