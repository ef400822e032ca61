/** Values: what comes back of what goes in. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { Value } from "../../mod.ts";
import type { Case, Context } from "./support/context.ts";
import { text } from "./support/helpers.ts";

const LARGEST = 64 * 1024 * 1024;

/** Sets a value, reads it while it is pending, when it is written, after reopening, and after compaction. */
async function readEverywhere(context: Context, value: unknown): Promise<unknown[]> {
  let store = await context.open();
  const write = store.set("a", value as Value);
  const read = [store.get("a")];
  await write;
  read.push(store.get("a"));
  store = await context.reopen(store);
  read.push(store.get("a"));
  await store.compact();
  read.push(store.get("a"), [...store.values()][0]);
  await store.close();
  return read;
}

export const valueCases: Case[] = [
  {
    name: "values: strings come back exactly, lone surrogates and a leading U+FEFF too",
    async run(context) {
      const lone = ["\uD800", "\uDFFF", "a\uD83D", "\uDE00😀", "\uFEFF\uD800"];
      for (const value of ["", "a", "Grüße", "\u0000", "\uFEFF", "\uFEFFa", "😀", "long ".repeat(5000), ...lone]) {
        for (const read of await readEverywhere(context, value)) assertStrictEquals(read, value);
      }
    },
  },
  {
    name: "values: a long string with a lone surrogate comes back exactly",
    async run(context) {
      const value = `${text("0123456789", 40_001)}\uD800${text("é", 40_001)}`;
      for (const read of await readEverywhere(context, value)) assertStrictEquals(read, value);
    },
  },
  {
    name: "values: bytes come back exactly, as a Uint8Array",
    async run(context) {
      for (
        const value of [new Uint8Array(0), Uint8Array.of(0, 255, 0xef, 0xbb, 0xbf), new Uint8Array(70_000).fill(7)]
      ) {
        for (const read of await readEverywhere(context, value)) {
          assertEquals(read, value);
          assertStrictEquals(Object.getPrototypeOf(read), Uint8Array.prototype);
        }
      }
    },
  },
  {
    name: "values: bytes of any length start at a multiple of 8 in their buffer, whatever their key",
    async run(context) {
      const store = await context.open();
      const values = [1, 1000, 9000, 65_000, 65_537, 300_000].map((length) => new Uint8Array(length).fill(length));
      for (const key of ["k", "key", "a key", "an 8th.."]) {
        const write = Promise.all(values.map((value) => store.set(`${key}${value.length}`, value, { ttl: 60_000 })));
        for (const when of ["pending", "written"]) {
          for (const value of values) {
            const read = store.get(`${key}${value.length}`) as Uint8Array;
            assertEquals(read, value, when);
            assertEquals(read.byteOffset % 8, 0, `${when}, ${key}, ${value.length} bytes`);
          }
          await write;
        }
      }
    },
  },
  {
    name: "values: a view on a part of a buffer is stored as that part",
    async run(context) {
      const store = await context.open();
      await store.set("a", new Uint8Array(Uint8Array.of(1, 2, 3, 4, 5).buffer, 1, 3));
      await store.set(new Uint8Array(Uint8Array.of(97, 98, 99).buffer, 1, 1), "key");
      assertEquals([store.get("a"), store.get("b")], [Uint8Array.of(2, 3, 4), "key"]);
    },
  },
  {
    name: "values: of JSON, what JSON.parse makes of JSON.stringify",
    async run(context) {
      const shared = { a: 1 };
      const given: unknown[] = [
        null,
        true,
        false,
        0,
        -0,
        1.5,
        -1e300,
        5e-324,
        Number.MAX_SAFE_INTEGER,
        [],
        {},
        [1, [2, [3]]],
        [undefined, () => 1, NaN, -0],
        { deep: { deeper: [{ x: null }] }, gone: undefined, when: new Date(0), not: NaN },
        { "": 0, "é": 1, "\uD800": 2, ["__proto__"]: 3 },
        { toJSON: () => ({ own: "form" }) },
        { toJSON: () => "a string, as JSON" },
        [shared, shared],
        Object.assign(Object.create(null), { bare: true }),
      ];
      for (const value of given) {
        const expected = JSON.parse(JSON.stringify(value));
        for (const read of await readEverywhere(context, value)) assertEquals(read, expected);
      }
    },
  },
  {
    name: "values: -0 comes back as 0, as from JSON",
    async run(context) {
      for (const read of await readEverywhere(context, -0)) assert(Object.is(read, 0));
    },
  },
  {
    name: "values: a string that is JSON, and JSON that is a string, are told apart",
    async run(context) {
      const store = await context.open();
      const values = ["1", 1, '"1"', "null", null, "[]", []];
      for (const [i, value] of values.entries()) await store.set(`${i}`, value);
      assertEquals([...(await context.reopen(store)).values()], values);
    },
  },
  {
    name: "values: changing what was given after the call has no effect",
    async run(context) {
      const store = await context.open();
      const value = Uint8Array.of(1, 2, 3);
      const object = { list: [1] };
      const operations = [{ type: "set" as const, key: "c", value: Uint8Array.of(9) }];
      const writes = [store.set("a", value), store.set("b", object), store.batch(operations)];
      value.fill(0);
      object.list.push(2);
      operations[0]!.value.fill(0);
      operations.pop();
      await Promise.all(writes);
      assertEquals([...store.values()], [Uint8Array.of(1, 2, 3), { list: [1] }, Uint8Array.of(9)]);
    },
  },
  {
    name: "values: changing what get returned has no effect",
    async run(context) {
      const store = await context.open();
      const long = new Uint8Array(100_000).fill(3);
      const write = Promise.all([
        store.set("a", Uint8Array.of(1, 2)),
        store.set("b", { list: [1] }),
        store.set("c", long),
      ]);
      for (const when of ["pending", "written"]) {
        const values = [store.get("a"), store.get("c")] as Uint8Array[];
        const object = store.get("b") as { list: number[] };
        for (const value of values) value.fill(0);
        object.list.push(2);
        assertEquals([...store.values()], [Uint8Array.of(1, 2), { list: [1] }, long], when);
        assert(store.get("b") !== store.get("b"));
        await write;
      }
    },
  },
  {
    name: "values: what get returned does not change when the store reads and writes on",
    async run(context) {
      const store = await context.open();
      await store.set("a", Uint8Array.of(1, 2, 3));
      const value = store.get("a");
      await store.set("b", Uint8Array.of(4, 5, 6));
      store.get("b");
      await store.delete("a");
      assertEquals(value, Uint8Array.of(1, 2, 3));
    },
  },
  {
    name: "values: 64 MiB are stored, one byte more is refused, with the limit in the message",
    async run(context) {
      let store = await context.open();
      const value = new Uint8Array(LARGEST);
      value[LARGEST - 1] = 1;
      await store.set("a", value);
      const over = await store.set("b", new Uint8Array(LARGEST + 1)).catch((error) => error);
      assert(over instanceof RangeError && over.message.includes("67108864"), String(over));
      store = await context.reopen(store);
      const read = store.get("a") as Uint8Array;
      assertEquals([read.length, read[0], read[LARGEST - 1], store.size], [LARGEST, 0, 1, 1]);
      await store.clear();
    },
  },
  {
    name: "values: the limit counts encoded bytes, for strings and JSON as well",
    isCostly: true,
    async run(context) {
      const store = await context.open();
      for (const value of ["é".repeat(LARGEST / 2 + 1), ["x".repeat(LARGEST - 3)]]) {
        const error = await store.set("a", value).catch((error) => error);
        assert(error instanceof RangeError && error.message.includes("67108864"), String(error));
      }
      await store.set("after", 1);
      assertEquals([...store], [["after", 1]]);
    },
  },
];
