/** What of JSON is refused: nesting beyond the bound, and with `strictJson` whatever would not come back. */

import { assert, assertEquals } from "@std/assert";
import type { Value } from "../../mod.ts";
import type { Case } from "./support/context.ts";
import { assertRefused } from "./support/helpers.ts";

/** Arrays and objects around a value, so many in all. */
function nested(levels: number): Value {
  let value: Value = "}]{[\\";
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value, ']\\"'] : { '{"': value };
  return value;
}

class Point {
  x = 1;
}

/** Values that JSON changes, where in them, and what the message says of it. */
const CHANGED: [value: unknown, path: string, what: string][] = [
  [{ items: [0, 1, 2, { when: new Map() }] }, "value.items[3].when", "an instance of Map"],
  [{ a: { "b c": [new Uint8Array(1)] } }, 'value.a["b c"][0]', "an instance of Uint8Array"],
  [{ when: new Date(0) }, "value.when", "an instance of Date with a toJSON"],
  [{ n: NaN }, "value.n", "NaN"],
  [[-Infinity], "value[0]", "-Infinity"],
  [[1, undefined], "value[1]", "undefined"],
  // deno-lint-ignore no-sparse-arrays -- a hole comes back as null
  [[1, , 2], "value[1]", "undefined"],
  [{ f: () => 1 }, "value.f", "a function"],
  [{ s: Symbol("s") }, "value.s", "a symbol"],
  [{ p: new Point() }, "value.p", "an instance of Point"],
  [{ n: Object(1) }, "value.n", "an instance of Number"],
  [{ toJSON: () => 1 }, "value", "an instance of Object with a toJSON"],
];

export const jsonCases: Case[] = [
  {
    name: "json: is stored up to 1,000 levels deep and refused beyond, whatever brackets its strings hold",
    async run(context) {
      // One runtime stored 50,000 levels, and the command on another failed with 'Maximum call stack size exceeded'.
      const store = await context.open();
      for (const levels of [999, 1000]) {
        await store.set("deep", nested(levels));
        assertEquals(JSON.stringify(store.get("deep")), JSON.stringify(nested(levels)));
      }
      for (const levels of [1001, 1002, 3000, 50_000]) {
        await assertRefused(() => store.set("deep", nested(levels)), RangeError, "1000 levels");
        await assertRefused(() => store.batch([{ type: "set", key: "a", value: nested(levels) }]), RangeError, "1000");
      }
      const wide = Array.from({ length: 5000 }, (_, i) => [{ i }, [], "[".repeat(3)]);
      await store.set("wide", wide);
      assertEquals([store.get("wide"), [...store.keys()]], [wide, ["deep", "wide"]]);
    },
  },
  {
    name: "json: what it changes is stored as it comes, and with strictJson a TypeError that says where it is",
    async run(context) {
      let store = await context.open();
      for (const [value] of CHANGED) await store.set("a", value as Value);
      assertEquals(store.get("a"), 1);
      store = await context.reopen(store, { strictJson: true });
      for (const [value, path, what] of CHANGED) {
        await assertRefused(() => store.set("a", value as Value), TypeError, `${path} is ${what}`);
        const batch = () =>
          store.batch([{ type: "set", key: "b", value: 1 }, { type: "set", key: "a", value: value as Value }]);
        await assertRefused(batch, TypeError, `${path} is ${what}`);
      }
      assertEquals([...store], [["a", 1]]);
    },
  },
  {
    name: "json: strictJson takes what comes back equal, and properties that are undefined",
    async run(context) {
      const store = await context.open({ strictJson: true });
      const bare = Object.assign(Object.create(null), { a: 1 });
      const kept: unknown[] = [
        null,
        true,
        "",
        0,
        1e300,
        [],
        {},
        [[{ a: [null, "b", { c: false }] }]],
        new Uint8Array(2),
      ];
      for (const value of kept) {
        await store.set("a", value as Value);
        assertEquals(store.get("a"), value);
      }
      await store.set("a", { b: undefined, c: bare, d: -0 });
      const read = store.get("a") as Record<string, unknown>;
      assert(read.d === 0 && read.b === undefined);
      assertEquals(read.c, { a: 1 });
    },
  },
];
