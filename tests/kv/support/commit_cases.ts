/**
 * Cases of commits.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Case, caseList } from "./cases.ts";

const { cases, add } = caseList();

/** The cases. */
export const commitCases: readonly Case[] = cases;

// atomic

add("check: the version that is there", async (kv) => {
  const { versionstamp } = await kv.set(["a"], 1);
  assert((await kv.atomic().check({ key: ["a"], versionstamp }).set(["a"], 2).commit()).ok);
  assertEquals(await kv.atomic().check({ key: ["a"], versionstamp }).set(["a"], 3).commit(), { ok: false });
  assertEquals((await kv.get(["a"])).value, 2);
});

for (const versionstamp of [null, undefined]) {
  add(`check: ${versionstamp} for no value`, async (kv) => {
    const once = () => kv.atomic().check({ key: ["a"], versionstamp }).set(["a"], 1).commit();
    assert((await once()).ok);
    assert(!(await once()).ok);
    await kv.delete(["a"]);
    assert((await once()).ok);
  });
}

add("check: an entry", async (kv) => {
  const [there, missing] = [["a"], ["b"]];
  await kv.set(there, 1);
  const operation = kv.atomic().check(await kv.get(there), await kv.get(missing)).set(missing, 1);
  assert((await operation.commit()).ok);
  assert(!(await operation.commit()).ok);
});

add("check: letters may be large", async (kv) => {
  for (let i = 0; i < 20; i++) await kv.set(["a"], i);
  const { versionstamp } = await kv.get(["a"]);
  assert((await kv.atomic().check({ key: ["a"], versionstamp: versionstamp.toUpperCase() }).commit()).ok);
});

for (const versionstamp of ["", "0", "x".repeat(20), "0".repeat(21), 5, {}]) {
  add(`check: ${JSON.stringify(versionstamp)} is no versionstamp`, async (kv) => {
    await assertRejects(() => kv.atomic().check({ key: ["a"], versionstamp }).commit(), TypeError);
  });
}

add("check: of many that race, one wins", async (kv) => {
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, i) => kv.atomic().check({ key: ["a"], versionstamp: null }).set(["a"], i).commit()),
  );
  assertEquals(results.filter(({ ok }) => ok).length, 1);
  assertEquals((await kv.get(["a"])).value, results.findIndex(({ ok }) => ok));
});

add("check: increments that race lose none", async (kv) => {
  await kv.set(["n"], 0);
  const increment = async () => {
    for (;;) {
      const entry = await kv.get(["n"]);
      if ((await kv.atomic().check(entry).set(["n"], entry.value + 1).commit()).ok) return;
    }
  };
  await Promise.all(Array.from({ length: 8 }, increment));
  assertEquals((await kv.get(["n"])).value, 8);
});

add("check: the whole commit or nothing of it", async (kv) => {
  await kv.set(["a"], 1);
  const check = { key: ["a"], versionstamp: null };
  assertEquals(await kv.atomic().set(["b"], 1).delete(["a"]).check(check).commit(), { ok: false });
  assertEquals((await kv.getMany([["a"], ["b"]])).map((entry: { value: unknown }) => entry.value), [1, null]);
});

add("atomic: mutations take effect in their order", async (kv, { KvU64 }) => {
  await kv.atomic().set(["a"], 1).delete(["a"]).set(["a"], 2).set(["b"], 1).delete(["b"]).commit();
  assertEquals((await kv.get(["a"])).value, 2);
  assertEquals((await kv.get(["b"])).value, null);
  await kv.atomic().set(["c"], new KvU64(4n)).sum(["c"], 3n).max(["c"], 5n).delete(["d"]).sum(["d"], 1n).commit();
  assertEquals((await kv.get(["c"])).value.value, 7n);
  assertEquals((await kv.get(["d"])).value.value, 1n);
});

add("atomic: may be committed again", async (kv) => {
  const operation = kv.atomic().sum(["a"], 2n);
  await operation.commit();
  await operation.commit();
  assertEquals((await kv.get(["a"])).value.value, 4n);
});

add("atomic: calls can be chained, also without arguments", (kv) => {
  const operation = kv.atomic();
  for (const next of [operation.check(), operation.mutate(), operation.set(["a"], 1), operation.delete(["a"])]) {
    assert(next === operation);
  }
});

add("atomic: cannot be awaited", async (kv) => {
  await assertRejects(async () => await kv.atomic(), TypeError, "did you forget to call 'commit()'");
});

add("atomic: what fails in its middle changes nothing", async (kv) => {
  await assertRejects(() => kv.atomic().set(["a"], 1).sum(["a"], 1n).commit(), TypeError);
  assertEquals((await kv.get(["a"])).value, null);
});

add("atomic: how it is printed", (kv, { inspect }) => {
  assertEquals(inspect(kv.atomic()), "AtomicOperation (empty)");
  const operation = kv.atomic().check({ key: ["a"], versionstamp: null }).set(["b"], 1, { expireIn: 5 }).delete(["c"]);
  const lines = [
    "AtomicOperation",
    '  check({ key: [ "a" ], versionstamp: null })',
    '  set([ "b" ], 1, { expireIn: 5 })',
    '  delete([ "c" ])',
    '  sum([ "d" ], [Deno.KvU64: 5n])',
  ];
  const printed = inspect(operation.sum(["d"], 5n));
  assertEquals(printed.replaceAll("'", '"'), lines.join("\n"));
});

const NUMERIC: [type: string, first: bigint, second: bigint, result: bigint][] = [
  ["sum", 5n, 3n, 8n],
  ["sum", 2n ** 64n - 1n, 3n, 2n],
  ["min", 5n, 3n, 3n],
  ["min", 3n, 5n, 3n],
  ["max", 5n, 3n, 5n],
  ["max", 3n, 2n ** 64n - 1n, 2n ** 64n - 1n],
];
for (const [type, first, second, result] of NUMERIC) {
  add(`${type}: ${first}, ${second}`, async (kv, { KvU64 }) => {
    await kv.atomic()[type](["a"], first).commit();
    assertEquals((await kv.get(["a"])).value.value, first);
    await kv.atomic()[type](["a"], second).commit();
    assertEquals((await kv.get(["a"])).value.value, result);
    await kv.set(["b"], new KvU64(first));
    await kv.atomic().mutate({ type, key: ["b"], value: new KvU64(second) }).commit();
    assertEquals((await kv.get(["b"])).value.value, result);
  });
}

for (const type of ["sum", "min", "max"]) {
  add(`${type}: what is no number of 64 bits`, async (kv) => {
    assertThrows(() => kv.atomic()[type](["a"], 5), TypeError, "Value must be a bigint");
    assertThrows(() => kv.atomic()[type](["a"], -1n), RangeError, "Value must be a positive bigint");
    assertThrows(() => kv.atomic()[type](["a"], 2n ** 64n), RangeError, "fit in a 64-bit unsigned integer");
    await kv.set(["a"], 1);
    const error = `Failed to perform '${type}' mutation on a non-U64 value in the database`;
    await assertRejects(() => kv.atomic()[type](["a"], 1n).commit(), TypeError, error);
  });
}

add("mutate: all types", async (kv, { KvU64 }) => {
  await kv.atomic().mutate(
    { type: "set", key: ["a"], value: 1 },
    { type: "set", key: ["b"], value: undefined },
    { type: "set", key: ["c"], value: 1 },
    { type: "delete", key: ["c"] },
    { type: "max", key: ["d"], value: new KvU64(4n) },
  ).commit();
  const values = (await kv.getMany([["a"], ["b"], ["c"]])).map((entry: { value: unknown }) => entry.value);
  assertEquals(values, [1, undefined, null]);
  assertEquals((await kv.get(["d"])).value.value, 4n);
});

add("mutate: what is no mutation", async (kv, { KvU64 }) => {
  const key = ["a"];
  assertThrows(() => kv.atomic().mutate({ type: "add", key, value: 1 }), TypeError, "Invalid mutation type");
  assertThrows(() => kv.atomic().mutate({ type: "set", key }), TypeError, "'set' without value");
  assertThrows(() => kv.atomic().mutate({ type: "sum", key }), TypeError, "'sum' without value");
  assertThrows(() => kv.atomic().mutate({ type: "delete", key, value: 1 }), TypeError, "'delete' with value");
  await kv.set(key, new KvU64(1n));
  const mutate = (type: string, value: unknown) => kv.atomic().mutate({ type, key, value }).commit();
  await assertRejects(() => mutate("sum", 1), TypeError, "Cannot sum KvU64 with Number");
  await assertRejects(() => mutate("min", 1n), TypeError, "Failed to perform 'min' mutation on a non-U64 operand");
  await assertRejects(() => mutate("max", "1"), TypeError);
});

add("mutate: sum takes no numbers but KvU64", async (kv) => {
  await kv.set(["a"], 5n);
  await assertRejects(() => kv.atomic().mutate({ type: "sum", key: ["a"], value: 1n }).commit(), TypeError);
});
