/**
 * Cases of single entries: keys, values, versionstamps, expiry, closing.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Case, caseList, collect } from "./cases.ts";

const { cases, add } = caseList();

/** The cases. */
export const entryCases: readonly Case[] = cases;

// get, set, delete

add("get: nothing there", async (kv) => {
  assertEquals(await kv.get(["a"]), { key: ["a"], value: null, versionstamp: null });
});

for (const value of [0, "", false, null, undefined, 1n, "é\u{1f600}", [1, [2]], { a: { b: 1 } }, new Date(7)]) {
  add(
    `set, get: ${typeof value} ${JSON.stringify(value, (_, x) => typeof x === "bigint" ? `${x}n` : x)}`,
    async (kv) => {
      const { ok, versionstamp } = await kv.set(["a"], value);
      assert(ok);
      assertEquals(await kv.get(["a"]), { key: ["a"], value, versionstamp });
    },
  );
}

for (
  const key of [["a", 1, 2n, true], [new Uint8Array([0, 1, 255])], [-0], [""], ["a\0b"], [-(2n ** 70n)], [false, 0.5]]
) {
  add(`set, get, delete: the key ${key.map(String).join(" ")}`, async (kv) => {
    await kv.set(key, "value");
    assertEquals((await kv.get(key)).value, "value");
    assertEquals((await kv.get(key)).key, key);
    assertEquals(await kv.delete(key), undefined);
    assertEquals((await kv.get(key)).value, null);
  });
}

add("keys: parts of different types are different keys", async (kv) => {
  const keys = [["1"], [1], [1n], [true], [new Uint8Array([0x31])], ["1", ""], ["1", "1"]];
  for (const [i, key] of keys.entries()) await kv.set(key, i);
  for (const [i, key] of keys.entries()) assertEquals((await kv.get(key)).value, i);
});

add("keys: the order of a list is that of the types, then of the values", async (kv) => {
  const keys = [
    [new Uint8Array([1])],
    [new Uint8Array([1, 0])],
    [""],
    ["a"],
    ["a", 1],
    ["a\0"],
    ["b"],
    [-(2n ** 80n)],
    [-256n],
    [-1n],
    [0n],
    [1n],
    [255n],
    [256n],
    [2n ** 64n],
    [-Infinity],
    [-1.5],
    [0],
    [1],
    [Infinity],
    [false],
    [true],
  ];
  for (const key of [...keys].reverse()) await kv.set(key, 0);
  const listed = [];
  for await (const { key } of kv.list({ prefix: [] })) listed.push(key);
  assertEquals(listed, keys);
});

add("keys: what is changed after the call does not count", async (kv) => {
  const bytes = new Uint8Array([1]);
  const setting = kv.set([bytes], "value");
  await setting;
  bytes[0] = 2;
  assertEquals((await kv.get([new Uint8Array([1])])).value, "value");
});

for (const part of [null, undefined, {}, [], Symbol("a"), () => {}]) {
  add(
    `keys: a part may not be ${String(typeof part === "object" ? JSON.stringify(part) : typeof part)}`,
    async (kv) => {
      await assertRejects(() => kv.get([part]), TypeError);
      await assertRejects(() => kv.set([part], 1), TypeError);
      await assertRejects(() => kv.delete([part]), TypeError);
      await assertRejects(() => kv.getMany([[part]]), TypeError);
      await assertRejects(() => kv.list({ prefix: [part] }).next(), TypeError);
    },
  );
}

add("set: no value that cannot be cloned", async (kv) => {
  await assertRejects(() => kv.set(["a"], () => {}));
  await assertRejects(() => kv.set(["a"], Symbol("a")));
  assertThrows(() => kv.atomic().set(["a"], () => {}));
});

add("set: the value is copied", async (kv) => {
  const value = { n: 1 };
  const operation = kv.atomic().set(["a"], value);
  value.n = 2;
  await operation.commit();
  const { value: found } = await kv.get(["a"]);
  assertEquals(found, { n: 1 });
  found.n = 3;
  assertEquals((await kv.get(["a"])).value, { n: 1 });
});

add("set: a KvU64", async (kv, { KvU64 }) => {
  await kv.set(["a"], new KvU64(5n));
  assertEquals((await kv.get(["a"])).value.value, 5n);
});

add("set: bytes come back as bytes of their own", async (kv) => {
  await kv.set(["a"], new Uint8Array([1, 2, 3]).subarray(1));
  const { value } = await kv.get(["a"]);
  assertEquals([...value], [2, 3]);
  assertEquals(value.buffer.byteLength, 2);
});

add("delete: nothing there", async (kv) => assertEquals(await kv.delete(["a"]), undefined));

add("get: the empty key has no value", async (kv) => {
  assertEquals(await kv.get([]), { key: [], value: null, versionstamp: null });
});

add("getMany: in the order of the keys, also twice the same", async (kv) => {
  await kv.set(["a"], 1);
  const entries = await kv.getMany([["b"], ["a"], ["a"]]);
  assertEquals(entries.map((entry: { value: unknown }) => entry.value), [null, 1, 1]);
});

add("getMany: none", async (kv) => assertEquals(await kv.getMany([]), []));

add("get: consistency", async (kv) => {
  await kv.get(["a"], { consistency: "strong" });
  await kv.get(["a"], { consistency: "eventual" });
  await assertRejects(() => kv.get(["a"], { consistency: "weak" }), TypeError, "expected `strong` or `eventual`");
});

// versionstamps

add("versionstamps: 20 hexadecimal digits that grow, one a commit", async (kv) => {
  let former = "";
  for (let i = 0; i < 5; i++) {
    const results = [
      await kv.set(["a"], i),
      await kv.atomic().delete(["b"]).commit(),
      await kv.atomic().commit(),
      await kv.atomic().set(["c"], 1).set(["d"], 1).commit(),
    ];
    for (const { versionstamp } of results) {
      assert(/^[0-9a-f]{20}$/.test(versionstamp), versionstamp);
      assert(versionstamp > former);
      former = versionstamp;
    }
  }
});

add("versionstamps: all that a commit sets has one", async (kv) => {
  const { versionstamp } = await kv.atomic().set(["a"], 1).set(["b"], 2).sum(["c"], 1n).commit();
  for (const name of ["a", "b", "c"]) assertEquals((await kv.get([name])).versionstamp, versionstamp);
});

add("versionstamps: commits that run at the same time have different ones", async (kv) => {
  const results = await Promise.all(Array.from({ length: 50 }, (_, i) => kv.set(["a", i % 3], i)));
  assertEquals(new Set(results.map(({ versionstamp }) => versionstamp)).size, 50);
});

add("commitVersionstamp: the last part of a key that is set", async (kv) => {
  const { versionstamp } = await kv.set(["a", kv.commitVersionstamp()], 1);
  assertEquals((await kv.get(["a", versionstamp])).value, 1);
  const second = await kv.atomic().mutate({ type: "set", key: ["a", kv.commitVersionstamp()], value: 2 }).commit();
  assertEquals(await collect(kv.list({ prefix: ["a"] })), [1, 2]);
  assertEquals((await kv.get(["a", second.versionstamp])).versionstamp, second.versionstamp);
});

add("commitVersionstamp: nowhere else", async (kv) => {
  const part = kv.commitVersionstamp();
  assertEquals(typeof part, "symbol");
  await assertRejects(() => kv.set([part], 1), TypeError);
  await assertRejects(() => kv.set([part, "a"], 1), TypeError);
  await assertRejects(() => kv.get(["a", part]), TypeError);
  await assertRejects(() => kv.delete(["a", part]), TypeError);
  await assertRejects(() => kv.atomic().sum(["a", part], 1n).commit(), TypeError);
  await assertRejects(() => kv.atomic().check({ key: ["a", part], versionstamp: null }).commit(), TypeError);
});

// expiry

add("expireIn: an entry is gone at its time", async (kv) => {
  await kv.set(["a"], 1, { expireIn: 40 });
  await kv.atomic().set(["b"], 1, { expireIn: 40 }).set(["c"], 1, { expireIn: 1e6 }).commit();
  assertEquals((await collect(kv.list({ prefix: [] }))).length, 3);
  await new Promise((resolve) => setTimeout(resolve, 60));
  assertEquals((await kv.get(["a"])).value, null);
  assertEquals(await collect(kv.list({ prefix: [] })), [1]);
  assert((await kv.atomic().check({ key: ["b"], versionstamp: null }).commit()).ok);
});

add("expireIn: 0 is over at once", async (kv) => {
  await kv.set(["a"], 1);
  await kv.set(["a"], 2, { expireIn: 0 });
  assertEquals((await kv.get(["a"])).value, null);
});

add("expireIn: set without it stays", async (kv) => {
  await kv.set(["a"], 1, { expireIn: 20 });
  await kv.set(["a"], 2, { expireIn: undefined });
  await new Promise((resolve) => setTimeout(resolve, 40));
  assertEquals((await kv.get(["a"])).value, 2);
});

for (const expireIn of [-1, 1.5, NaN, Infinity, "5", null]) {
  add(`expireIn: not ${expireIn === "5" ? '"5"' : expireIn}`, async (kv) => {
    await assertRejects(() => kv.set(["a"], 1, { expireIn }), TypeError, "expireIn must be a non-negative integer");
    assertThrows(() => kv.atomic().set(["a"], 1, { expireIn }), TypeError);
  });
}

add("expireIn: not for ever", async (kv) => {
  await kv.set(["a"], 1, { expireIn: 2 ** 50 });
  await assertRejects(() => kv.set(["a"], 1, { expireIn: 2 ** 53 }), TypeError, "expireIn is too large");
  const operation = kv.atomic().set(["a"], 1, { expireIn: Number.MAX_SAFE_INTEGER });
  await assertRejects(() => operation.commit(), TypeError, "expireIn is too large");
});

// closing

add("close: later calls fail", async (kv) => {
  const operation = kv.atomic().set(["a"], 1);
  const list = kv.list({ prefix: ["a"] });
  kv.close();
  const calls = [() => kv.get(["a"]), () => kv.set(["a"], 1), () => operation.commit(), () => list.next()];
  for (const call of calls) {
    const error = await assertRejects(call, Error, "Bad resource ID");
    assertEquals(error.name, "BadResource");
  }
  assertThrows(() => kv.close(), Error, "Bad resource ID");
  kv[Symbol.dispose]();
});

add("close: what was called before takes its course", async (kv) => {
  const calls = Promise.allSettled([kv.set(["a"], 1), kv.get(["a"])]);
  kv.close();
  assertEquals((await calls).map(({ status }) => status), ["fulfilled", "fulfilled"]);
});

add("how it is printed", (kv, { inspect }) => {
  assertEquals(inspect(kv), "Kv {}");
  assertEquals(inspect(kv.list({ prefix: ["a"] })), "KvListIterator {}");
  assertEquals(inspect(kv.commitVersionstamp()), "Symbol(KvCommitVersionstamp)");
});
