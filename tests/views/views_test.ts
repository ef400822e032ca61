import { assertEquals } from "@std/assert";
import { Index, type Place } from "../../src/engine/index.ts";
import { formOf } from "../../src/engine/partition.ts";
import { orderOf } from "../../src/sorting/sort.ts";
import { Walk } from "../../src/order/walk.ts";
import { Segment } from "../../src/engine/segment.ts";
import { nameOf } from "../../src/store/keys.ts";
import { type View, Views } from "../../src/views/views.ts";
import { Random } from "../support/random.ts";

const KEYS = ["a", "b", "c", "d", "", "\xff"];

function keyOf(name: string) {
  const bytes = Uint8Array.from(name, (character) => character.charCodeAt(0));
  return { bytes, start: 0, length: bytes.length };
}

/** What a store does with its views: changes the index, notes it, and can take it back. */
class Store {
  readonly views = new Views(new Index());
  sequence = 1;
  #undo: { sequence: number; key: string; place: Place; cleared?: Index }[] = [];

  put(key: string, offset: number): void {
    const index = this.views.current.changeable();
    if (offset > 0) index.put(keyOf(key), 1, offset, formOf(9, true));
    else if (!index.remove(keyOf(key))) return;
    this.#changed(key, index);
  }

  clear(): void {
    const index = new Index();
    const cleared = this.views.current.changeable();
    this.views.beforeReplacement(index);
    this.#undo.push({ sequence: this.sequence++, key: "", place: index, cleared });
  }

  open(): View {
    return this.views.open(this.sequence);
  }

  /** What was pending is written, and stays. */
  settle(): void {
    this.#undo = [];
  }

  /** All that was pending is taken back, the youngest first. */
  rollBack(): void {
    for (const { sequence, key, place, cleared } of this.#undo.reverse()) {
      if (cleared !== undefined) this.views.onReplaced(cleared);
      else {this.views.current.changeable().put(
          keyOf(key),
          place.segment,
          place.offset,
          formOf(place.length, place.isString),
          place.expiresAt,
        );}
      this.views.onRollback(sequence);
    }
    this.#undo = [];
  }

  contents(view?: View): Record<string, number> {
    const found: Record<string, number> = {};
    for (const key of KEYS) {
      const place = this.views.find(view, keyOf(key));
      if (place !== undefined) found[key] = place.offset;
    }
    return found;
  }

  /** The same by a walk over the keys in order, which takes out what nobody can see any more. */
  walk(view: View): Record<string, number> {
    const found: Record<string, number> = {};
    const index = this.views.base(view);
    const walk = new Walk(orderOf(index), { low: undefined, high: undefined, reverse: false });
    for (let ref = walk.next(); ref !== undefined; ref = walk.next()) {
      const place = this.views.findRef(view, index, ref);
      if (place !== undefined) found[nameOf(index.keyOf(ref))] = place.offset;
      else if (this.views.isForgotten(index, ref)) walk.remove();
    }
    return found;
  }

  #changed(key: string, { segment, offset, length, isString, expiresAt }: Place): void {
    const place = { segment, offset, length, isString, expiresAt };
    this.views.beforeChange(keyOf(key), place);
    this.#undo.push({ sequence: this.sequence++, key, place });
  }
}

function check(store: Store, view: View, expected: Record<string, number>, what: string): void {
  assertEquals(store.contents(view), expected, what);
  assertEquals(view.size, Object.keys(expected).length, what);
  assertEquals(store.walk(view), expected, what);
}

/** Whether a segment that is replaced now has to stay. */
function isKept({ views }: Store): boolean {
  const segment = new Segment({ number: 1, storeId: new Uint8Array(16), salt: 0, inputs: [] }, undefined as never, {
    endBytes: 44,
    sealed: true,
  });
  assertEquals(views.needs(segment), true, "nobody has said yet that it was replaced");
  views.onRetired(segment);
  return views.needs(segment);
}

Deno.test("views: each sees the moment when it was opened", () => {
  const store = new Store();
  store.put("a", 1);
  const first = store.open();
  store.put("a", 2);
  store.put("b", 3);
  const second = store.open();
  store.put("a", 0);
  store.put("b", 4);
  check(store, first, { a: 1 }, "first");
  check(store, second, { a: 2, b: 3 }, "second");
  assertEquals(store.contents(), { b: 4 });
  assertEquals(isKept(store), true);
});

Deno.test("views: closing the younger one first leaves its notes to the older", () => {
  const store = new Store();
  store.put("a", 1);
  const first = store.open();
  const second = store.open();
  store.put("a", 2);
  store.views.close(second);
  check(store, first, { a: 1 }, "first");
  // What the older has noted itself is older, and stays.
  const third = store.open();
  store.put("a", 3);
  store.views.close(third);
  check(store, first, { a: 1 }, "first");
  store.views.close(first);
  store.views.close(first);
  assertEquals([isKept(store), store.views.current.holds], [false, 0]);
});

Deno.test("views: a clear leaves the whole index to those who saw it", () => {
  const store = new Store();
  store.put("a", 1);
  const before = store.open();
  store.put("b", 2);
  store.clear();
  const after = store.open();
  store.put("a", 3);
  check(store, before, { a: 1 }, "before");
  check(store, after, {}, "after");
  store.clear();
  check(store, before, { a: 1 }, "before");
  check(store, after, {}, "after");
  assertEquals(store.contents(), {});
});

Deno.test("views: what is taken back was never there, for views opened meanwhile either", () => {
  const store = new Store();
  store.put("a", 1);
  store.settle();
  const before = store.open();
  store.put("a", 2);
  store.put("b", 2);
  const between = store.open();
  store.clear();
  const after = store.open();
  store.put("c", 3);
  store.rollBack();
  for (const view of [before, between, after]) check(store, view, { a: 1 }, `view ${view.id}`);
  assertEquals(store.contents(), { a: 1 });
  store.put("a", 4);
  for (const view of [before, between, after]) check(store, view, { a: 1 }, `view ${view.id}, later`);
  store.views.closeAll();
  assertEquals([store.views.has(after), store.views.current.holds], [false, 0]);
});

Deno.test("views: opened, closed in any order, with clears and rollbacks in between, all show what they should", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Random(seed);
    const store = new Store();
    const open: { view: View; expected: Record<string, number>; settled: number }[] = [];
    let settledContents = store.contents();
    let settledSequence = store.sequence;
    for (let step = 1; step <= 150; step++) {
      const action = random.below(20);
      if (action < 10) store.put(random.pick(KEYS), random.chance(0.7) ? step : 0);
      else if (action < 14) open.push({ view: store.open(), expected: store.contents(), settled: store.sequence });
      else if (action < 17 && open.length > 0) store.views.close(open.splice(random.below(open.length), 1)[0]!.view);
      else if (action === 17) store.clear();
      else if (action === 18) {
        store.settle();
        settledContents = store.contents();
        settledSequence = store.sequence;
      } else {
        store.rollBack();
        // Views of what was pending see the last settled state from now on.
        for (const one of open) if (one.settled > settledSequence) one.expected = settledContents;
        settledSequence = store.sequence;
        assertEquals(store.contents(), settledContents);
      }
      for (const { view, expected } of open) {
        check(store, view, expected, `seed ${seed}, step ${step}, view ${view.id}`);
      }
    }
  }
});
