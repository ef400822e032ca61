/** Values and calls that are refused, before anything is written. */

import { assertEquals } from "@std/assert";
import type { BatchOperation, Value } from "../../mod.ts";
import type { Case } from "./support/context.ts";
import { assertRefused, contents } from "./support/helpers.ts";

class Point {
  x = 1;
}

const REFUSED: [name: string, value: unknown][] = [
  ["undefined", undefined],
  ["a function", () => 1],
  ["a symbol", Symbol("s")],
  ["a BigInt", 1n],
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
  ["a Date", new Date()],
  ["a Map", new Map()],
  ["a Set", new Set()],
  ["a RegExp", /a/],
  ["an Error", new Error("e")],
  ["a Promise", Promise.resolve()],
  ["a class instance", new Point()],
  ["a class instance with toJSON", Object.assign(new Point(), { toJSON: () => 1 })],
  ["an ArrayBuffer", new ArrayBuffer(1)],
  ["a DataView", new DataView(new ArrayBuffer(1))],
  ["a Uint16Array", new Uint16Array(1)],
  ["a boxed number", Object(1)],
  ["a boxed string", Object("a")],
  ["a plain object whose toJSON returns undefined", { toJSON: () => undefined }],
  ["a BigInt within an object", { big: 1n }],
];

export const refusedCases: Case[] = [
  ...REFUSED.map(([name, value]): Case => ({
    name: `values: ${name} is a TypeError, alone and in a batch, and nothing is written`,
    async run(context) {
      const store = await context.open();
      await store.set("a", "before");
      const before = store.stats();
      await assertRefused(() => store.set("a", value as Value), TypeError);
      const operations: BatchOperation[] = [
        { type: "set", key: "b", value: 1 },
        { type: "set", key: "a", value: value as Value },
        { type: "set", key: "c", value: 1 },
      ];
      await assertRefused(() => store.batch(operations), TypeError);
      assertEquals(store.stats(), before);
      assertEquals(contents(store), [["a", "before"]]);
      await store.set("after", 1);
      assertEquals(contents(store), [["a", "before"], ["after", 1]]);
    },
  })),
  {
    name: "values: the message says what a value is and what was given",
    async run(context) {
      const store = await context.open();
      const set = (value: unknown) => () => store.set("a", value as Value);
      await assertRefused(set(new Map()), TypeError, "an instance of Map");
      await assertRefused(set(new Map()), TypeError, "Uint8Array");
      await assertRefused(set(1n), TypeError, "bigint");
      await assertRefused(set(undefined), TypeError, "undefined");
      await assertRefused(set(NaN), TypeError, "NaN");
    },
  },
  {
    name: "values: one that refers to itself is a TypeError, and what toJSON throws comes out",
    async run(context) {
      const store = await context.open();
      const circle: { self?: object } = {};
      circle.self = circle;
      await assertRefused(() => store.set("a", circle), TypeError);
      const own = new RangeError("my own");
      const thrower = {
        toJSON() {
          throw own;
        },
      };
      assertEquals(await store.set("a", thrower).catch((error) => error), own);
      assertEquals(store.size, 0);
    },
  },
  {
    name: "writes: unknown options and durabilities are TypeErrors that name what there is",
    async run(context) {
      const store = await context.open();
      const options = { durabilty: "sync" } as object;
      await assertRefused(() => store.set("a", 1, options), TypeError, "durabilty");
      await assertRefused(() => store.delete("a", options), TypeError, "durability");
      await assertRefused(() => store.batch([], options), TypeError, "durabilty");
      const wrong = { durability: "fsync" } as unknown as { durability: "sync" };
      await assertRefused(() => store.set("a", 1, wrong), TypeError, '"sync" or "write"');
      await assertRefused(() => store.delete("a", wrong), TypeError, "fsync");
      await assertRefused(() => store.compact({ on: 1 } as object), TypeError, "onProgress");
      await assertRefused(() => store.backup("x", { on: 1 } as object), TypeError, "signal");
      await assertRefused(() => store.verify({ on: 1 } as object), TypeError, "signal");
      assertEquals([store.size, context.files(context.root)], [0, ["store"]]);
    },
  },
];
