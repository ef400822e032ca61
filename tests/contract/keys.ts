/** Keys: what may be one, which are the same, and in which order they are. */

import { assertEquals, assertThrows } from "@std/assert";
import type { Key } from "../../mod.ts";
import type { Case } from "./support/context.ts";
import { assertRefused, bytes, contents } from "./support/helpers.ts";

const LONGEST = 65_535;

export const keyCases: Case[] = [
  {
    name: "keys: 0 bytes, as a string and as bytes, are a key",
    async run(context) {
      let store = await context.open();
      await store.set("", "empty");
      assertEquals([store.get(""), store.get(bytes())], ["empty", "empty"]);
      store = await context.reopen(store);
      assertEquals(contents(store), [["", "empty"]]);
      assertEquals(await store.delete(bytes()), true);
      assertEquals(store.size, 0);
    },
  },
  {
    name: "keys: 65,535 bytes are a key, as ASCII, as wider characters and as bytes",
    async run(context) {
      let store = await context.open();
      const keys: Key[] = ["a".repeat(LONGEST), "€".repeat(LONGEST / 3), new Uint8Array(LONGEST).fill(255)];
      for (const [i, key] of keys.entries()) await store.set(key, i);
      store = await context.reopen(store);
      assertEquals(store.getMany(keys), [0, 1, 2]);
      assertEquals([...store.keys()], keys);
      await store.batch(keys.map((key) => ({ type: "delete", key })));
      assertEquals(store.size, 0);
    },
  },
  {
    name: "keys: 65,536 bytes are refused everywhere, with the limit in the message",
    async run(context) {
      const store = await context.open();
      for (const key of ["a".repeat(LONGEST + 1), "é".repeat(LONGEST / 2 + 1), new Uint8Array(LONGEST + 1)]) {
        await assertRefused(() => store.set(key, 1), RangeError, "65535");
        await assertRefused(() => store.delete(key), RangeError, "65535");
        await assertRefused(() => store.batch([{ type: "delete", key }]), RangeError, "65535");
        assertThrows(() => store.get(key), RangeError, "65535");
        assertThrows(() => store.has(key), RangeError, "65535");
        assertThrows(() => store.keys({ gte: key }), RangeError, "65535");
      }
      assertEquals(store.size, 0);
    },
  },
  {
    name: "keys: a string and its UTF-8 bytes are the same key",
    async run(context) {
      const store = await context.open();
      for (const key of ["plain", "Grüße", "日本", "😀", "\u0000", "\uFEFFbom"]) {
        await store.set(key, key);
        assertEquals(store.get(bytes(key)), key);
        await store.set(bytes(key), "as bytes");
        assertEquals(store.get(key), "as bytes");
        assertEquals(store.size, 1);
        assertEquals(await store.delete(key), true);
      }
    },
  },
  {
    name: "keys: strings that look alike but differ in their code points are different keys",
    async run(context) {
      const store = await context.open();
      await store.set("é", "one code point");
      await store.set("e\u0301", "two code points");
      assertEquals(store.size, 2);
    },
  },
  {
    name: "keys: iterators return the form of the last set, also after reopening and compaction",
    async run(context) {
      let store = await context.open();
      await store.set("a", 1);
      await store.set(bytes("b"), 1);
      await store.set(bytes("c"), 1);
      await store.set("c", 2);
      await store.set("d", 1);
      await store.set(bytes("d"), 2);
      const expected = ["a", bytes("b"), "c", bytes("d")];
      assertEquals([...store.keys()], expected);
      await store.compact();
      assertEquals([...store.keys()], expected);
      store = await context.reopen(store);
      assertEquals([...store.keys()], expected);
      assertEquals([...store.keys({ keys: "bytes" })], ["a", "b", "c", "d"].map((key) => bytes(key)));
    },
  },
  {
    name: "keys: bytes that are no UTF-8 come back exactly",
    async run(context) {
      let store = await context.open();
      const keys = [bytes(0), bytes(0, 0), bytes(0x80), bytes(0xc3), bytes(0xff), bytes(0xff, 0xfe), bytes(0xff, 0xff)];
      for (const [i, key] of keys.entries()) await store.set(key, i);
      store = await context.reopen(store);
      assertEquals([...store.keys()], keys);
      assertEquals(store.getMany(keys), keys.map((_, i) => i));
    },
  },
  {
    name: "keys: a string with a leading U+FEFF comes back with it",
    async run(context) {
      let store = await context.open();
      const keys = ["\uFEFF", "\uFEFFa", `\uFEFF${"long ".repeat(20)}`];
      for (const key of keys) await store.set(key, 1);
      store = await context.reopen(store);
      assertEquals([...store.keys()].sort(), keys.sort());
    },
  },
  {
    name: "keys: lone surrogates are a TypeError in every call",
    async run(context) {
      const store = await context.open();
      for (const key of ["\uD800", "a\uDC00", "\uD83Dx"]) {
        await assertRefused(() => store.set(key, 1), TypeError, "surrogate");
        await assertRefused(() => store.delete(key), TypeError, "surrogate");
        await assertRefused(() => store.batch([{ type: "set", key, value: 1 }]), TypeError, "surrogate");
        assertThrows(() => store.get(key), TypeError, "surrogate");
        assertThrows(() => store.has(key), TypeError, "surrogate");
        assertThrows(() => store.getMany([key]), TypeError, "surrogate");
        assertThrows(() => store.keys({ prefix: key }), TypeError, "surrogate");
      }
      assertEquals(store.size, 0);
    },
  },
  {
    name: "keys: anything else is a TypeError that says what a key is and what was given",
    async run(context) {
      const store = await context.open();
      for (const given of [1, null, undefined, {}, [], true, 1n, Symbol(), new ArrayBuffer(1), new Uint16Array(1)]) {
        const key = given as unknown as Key;
        await assertRefused(() => store.set(key, 1), TypeError, "a key is a string or a Uint8Array");
        await assertRefused(() => store.delete(key), TypeError, "a key is a string or a Uint8Array");
        assertThrows(() => store.get(key), TypeError, "a key is a string or a Uint8Array");
      }
      assertThrows(() => store.get(new Date() as unknown as Key), TypeError, "Date");
    },
  },
  {
    name: "keys: order is unsigned bytes, U+FFFF before U+10000, a prefix before what it begins",
    async run(context) {
      let store = await context.open();
      const sorted = [bytes(), bytes(0), "A", "Z", "a", "a\u0000", "aa", "b", "é", "\uFFFF", "\u{10000}", bytes(0xff)];
      for (const key of [...sorted].reverse()) await store.set(key, 1);
      const expected = sorted.map((key) => typeof key === "string" ? bytes(key) : key);
      assertEquals([...store.keys({ keys: "bytes" })], expected);
      store = await context.reopen(store);
      assertEquals([...store.keys({ keys: "bytes" })], expected);
    },
  },
  {
    name: "keys: changing the bytes after the call changes nothing, and what iterators return aliases nothing",
    async run(context) {
      const store = await context.open();
      const key = bytes("key");
      const write = store.set(key, 1);
      key.fill(0);
      await write;
      assertEquals(store.get("key"), 1);
      const [returned] = [...store.keys()] as Uint8Array[];
      returned!.fill(0);
      assertEquals([...store.keys()], [bytes("key")]);
      const given = { prefix: bytes("k") };
      const keys = store.keys(given);
      given.prefix.fill(0);
      assertEquals([...keys], [bytes("key")]);
    },
  },
  {
    name: "keys: names that objects have are keys like any other",
    async run(context) {
      const store = await context.open();
      for (const key of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
        assertEquals(store.get(key), undefined);
        await store.set(key, key);
        assertEquals(store.get(key), key);
      }
    },
  },
];
