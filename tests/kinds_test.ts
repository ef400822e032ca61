/**
 * Errors and bytes of another realm. Under test runners that give each file a realm of its own no store could be
 * created ('cannot read MANIFEST: ENOENT'), as `error instanceof Error` was false for what the runtime threw, and every
 * Buffer was refused as a value.
 */

import { runInNewContext } from "node:vm";
import { assert, assertEquals } from "@std/assert";
import { type Key, KvStore } from "../mod.ts";
import { ioError } from "../src/errors.ts";
import { codeOf, describe, isBytes, isError, messageOf } from "../src/kinds.ts";
import { denoPlatform } from "../src/platform/deno.ts";
import { nodePlatform } from "../src/platform/node.ts";
import { MemoryPlatform } from "./support/memory_platform.ts";

const foreign = <T>(code: string): T => runInNewContext(code);

Deno.test("bytes, errors, arrays and plain objects of another realm are what they are", async () => {
  const value = foreign<Uint8Array>("Uint8Array.of(1, 2, 3)");
  assert(!(value instanceof Uint8Array) && isBytes(value));
  const store = await KvStore.openOn(new MemoryPlatform(), "/s", {});
  const key = foreign<Key>("Uint8Array.of(97)");
  await store.set(key, value);
  await store.batch([{ type: "set", key: "b", value }, {
    type: "set",
    key: "c",
    value: foreign<object>("({ n: [1] })"),
  }]);
  await store.restore(key, 1);
  assertEquals(store.getMany(["a", key, "b", "c"]), [
    Uint8Array.from(value),
    Uint8Array.from(value),
    Uint8Array.from(value),
    { n: [1] },
  ]);
  assertEquals([...store.keys({ gte: key, limit: 1 })], [Uint8Array.of(97)]);
  await store.set("d", foreign<object>("[1, null]"));
  for (const refused of ["new Date()", "new Map()", "new Uint16Array(1)", "new (class Point {})()", "() => 1"]) {
    const error = await store.set("e", foreign<object>(refused)).catch((error) => error);
    assert(error instanceof TypeError, refused);
  }
  await store.close();
});

Deno.test("nothing but a Uint8Array counts as bytes, whatever it says of itself", () => {
  const others = [
    undefined,
    null,
    "a",
    1,
    [],
    {},
    new Int8Array(1),
    new DataView(new ArrayBuffer(1)),
    new ArrayBuffer(1),
  ];
  const feigned = { [Symbol.toStringTag]: "Uint8Array", length: 0 };
  assertEquals([...others, feigned].map(isBytes), [...others, feigned].map(() => false));
  assert(isBytes(new (class Derived extends Uint8Array {})(1)));
});

Deno.test("errors of the operating system are told by their code, whichever realm they are from", () => {
  const error = foreign<Error>("Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' })");
  assert(!(error instanceof Error));
  for (const platform of [nodePlatform, denoPlatform]) {
    assertEquals([platform.isNotFound(error), platform.isAlreadyThere(error), platform.isNotFound(undefined)], [
      true,
      false,
      false,
    ]);
  }
  assertEquals(ioError("read MANIFEST", error).message, "cannot read MANIFEST: ENOENT: no such file");
  assertEquals([isError(error), messageOf(error), messageOf("text"), messageOf(undefined)], [
    true,
    "ENOENT: no such file",
    "text",
    "undefined",
  ]);
  assertEquals([codeOf(error), codeOf("text"), codeOf(null)], ["ENOENT", undefined, undefined]);
  assertEquals([undefined, 1, [], Object.create(null)].map(describe), [
    "undefined",
    "a number",
    "an instance of Array",
    "an instance of something",
  ]);
});
