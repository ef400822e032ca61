/**
 * Cases of messages that are enqueued.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Case, caseList, collect } from "./cases.ts";
import { listening, sleep, until } from "./listening.ts";

const { cases, add } = caseList();

/** The cases. */
export const queueCases: readonly Case[] = cases;

// enqueue

add("enqueue: returns the versionstamp of its commit", async (kv) => {
  const first = await kv.enqueue("a");
  const second = await kv.set(["a"], 1);
  const third = await kv.enqueue(undefined, { delay: 5 });
  assert(first.ok && third.ok);
  const stamps = [first, second, third].map(({ versionstamp }) => versionstamp);
  assertEquals(stamps, [...new Set(stamps)].sort());
  for (const stamp of stamps) assert(/^[0-9a-f]{20}$/.test(stamp), stamp);
});

add("enqueue: what is delivered is what was enqueued", async (kv, { KvU64 }) => {
  const { got } = listening(kv);
  const values = [
    "text",
    undefined,
    null,
    -0,
    5n,
    new Map([[1, new Set([2])]]),
    new Uint8Array([1, 2, 3]),
    [new Date(5), /a/g],
  ];
  for (const [i, value] of values.entries()) {
    await kv.enqueue(value);
    await until(() => got.length > i);
  }
  assertEquals(got, values);
  await kv.enqueue(new KvU64(5n));
  await until(() => got.length > values.length);
  assertEquals(got.at(-1), { value: 5n });
});

add("enqueue: the value is copied", async (kv) => {
  const { got } = listening(kv);
  const [one, two] = [{ a: 1 }, { a: 1 }];
  const operation = kv.atomic().enqueue(one);
  one.a = 2;
  await operation.commit();
  const enqueuing = kv.enqueue(two);
  two.a = 2;
  await enqueuing;
  await until(() => got.length === 2);
  assertEquals(got, [{ a: 1 }, { a: 1 }]);
});

add("enqueue: delays from 0 to 30 days, without fractions", async (kv) => {
  const longest = 30 * 24 * 60 * 60 * 1000;
  for (const delay of [0, -0, 1.5, 5n, null, undefined, longest]) assert((await kv.enqueue("a", { delay })).ok);
  assert((await kv.enqueue("a", null)).ok);
  const refused: [delay: unknown, message: string][] = [
    [-1, "Delay must be >= 0: received -1"],
    [-Infinity, "Delay must be >= 0: received -Infinity"],
    [NaN, "Delay cannot be NaN"],
    [longest + 1, `Delay cannot be greater than 30 days: received ${longest + 1}`],
    [Infinity, "Delay cannot be greater than 30 days: received Infinity"],
    ["5", ""],
    [true, ""],
    [{}, ""],
    [[7], ""],
  ];
  for (const [delay, message] of refused) {
    await assertRejects(() => kv.enqueue("a", { delay }), TypeError, message);
    await assertRejects(async () => await kv.atomic().enqueue("a", { delay }).commit(), TypeError, message);
  }
  assertThrows(() => kv.atomic().enqueue("a", { delay: -1 }), TypeError, "Delay must be >= 0");
});

add("enqueue: schedules of 5 times at most, of an hour at most", async (kv) => {
  for (const backoffSchedule of [[], [0], [1.5], [5n], [1, 2, 3, 4, 3_600_000], undefined]) {
    assert((await kv.enqueue("a", { backoffSchedule, delay: 1000 })).ok);
  }
  const tooLong = "Invalid backoffSchedule, max 5 intervals allowed";
  const invalid = (i: number) => `Invalid backoffSchedule, interval at index ${i} is invalid`;
  const refused: [schedule: unknown, message: string][] = [
    [[1, 1, 1, 1, 1, 1], tooLong],
    ["123456", tooLong],
    [[3_600_001], invalid(0)],
    [[1, -1], invalid(1)],
    [[1, 2, NaN], invalid(2)],
    [[Infinity], invalid(0)],
    [["5"], ""],
    [[null], ""],
    [[undefined], ""],
    [[true], ""],
    [null, ""],
    [5, ""],
    [{}, ""],
    ["abc", ""],
    [new Uint8Array(2), ""],
  ];
  for (const [backoffSchedule, message] of refused) {
    await assertRejects(() => kv.enqueue("a", { backoffSchedule }), TypeError, message);
    await assertRejects(async () => await kv.atomic().enqueue("a", { backoffSchedule }).commit(), TypeError, message);
  }
});

add("enqueue: keys that are none", async (kv) => {
  for (const keysIfUndelivered of [[], null, undefined, [[]], [["a"], ["a"]], [["k".repeat(3000)]]]) {
    assert((await kv.enqueue("a", { keysIfUndelivered, delay: 1000 })).ok);
  }
  for (const keysIfUndelivered of ["a", ["a"], {}, 5, [[{}]], [[null]], [[kv.commitVersionstamp()]]]) {
    await assertRejects(() => kv.enqueue("a", { keysIfUndelivered }), TypeError);
    await assertRejects(async () => await kv.atomic().enqueue("a", { keysIfUndelivered }).commit(), TypeError);
  }
});

add("enqueue: what cannot be stored is refused", async (kv) => {
  await assertRejects(() => kv.enqueue(() => {}), TypeError, "could not be cloned");
  await assertRejects(() => kv.enqueue({ a: Symbol("a") }), TypeError, "could not be cloned");
  assertThrows(() => kv.atomic().enqueue(() => {}), TypeError, "could not be cloned");
});

add("enqueue: messages show nowhere", async (kv) => {
  await kv.enqueue("a", { delay: 1000 });
  await kv.set(["b"], "b");
  assertEquals(await collect(kv.list({ prefix: [] })), ["b"]);
  assertEquals(await collect(kv.list({ prefix: [] }, { reverse: true })), ["b"]);
  assertEquals(await collect(kv.list({ start: [], end: [true] })), ["b"]);
});

// atomic

add("atomic: messages come with the commit", async (kv) => {
  const { got } = listening(kv);
  assertEquals(await kv.atomic().check({ key: ["a"], versionstamp: "0".repeat(20) }).enqueue("no").commit(), {
    ok: false,
  });
  const operation = kv.atomic().check({ key: ["a"], versionstamp: null }).set(["a"], 1).enqueue("yes");
  assert((await operation.commit()).ok);
  assert(!(await operation.commit()).ok);
  await until(() => got.length > 0);
  await sleep(150);
  assertEquals(got, ["yes"]);
});

add("atomic: a handler sees what was set with its message", async (kv) => {
  const seen: unknown[] = [];
  kv.listenQueue(async (key: unknown) => void seen.push((await kv.get(key)).value));
  await kv.atomic().set(["a"], 1).enqueue(["a"]).commit();
  await until(() => seen.length > 0);
  assertEquals(seen, [1]);
});

add("atomic: enqueues again when it is committed again", async (kv) => {
  const { got } = listening(kv);
  const operation = kv.atomic().enqueue("a").enqueue("b");
  assert(operation.enqueue("c", { delay: 1 }) === operation);
  await operation.commit();
  await operation.commit();
  await until(() => got.length === 6);
  assertEquals(got.sort(), ["a", "a", "b", "b", "c", "c"]);
});

add("atomic: how messages are printed", (kv, { inspect }) => {
  const operation = kv.atomic().enqueue({ a: 1 }).enqueue("b", { delay: 0, keysIfUndelivered: [] })
    .enqueue("c", { delay: 5, backoffSchedule: [] }).enqueue("d", { keysIfUndelivered: [["a"]], backoffSchedule: [1] });
  const lines = [
    "AtomicOperation",
    '  set([ "a" ], 1)',
    "  enqueue({ a: 1 })",
    '  enqueue("b")',
    '  enqueue("c", { delay: 5, backoffSchedule: [] })',
    '  enqueue("d", { keysIfUndelivered: [ [ "a" ] ], backoffSchedule: [ 1 ] })',
  ];
  assertEquals(inspect(operation.set(["a"], 1)).replaceAll("'", '"'), lines.join("\n"));
});

// limits

add("limits: messages have 65,536 bytes at most", async (kv) => {
  const message = "enqueue payload too large (max 65536 bytes)";
  await kv.enqueue("a".repeat(65_530), { delay: 1000 });
  await assertRejects(() => kv.enqueue("a".repeat(65_531)), TypeError, message);
  await kv.enqueue(new Uint8Array(65_523), { delay: 1000 });
  await assertRejects(() => kv.enqueue(new Uint8Array(65_524)), TypeError, message);
});

add("limits: messages count among the 1,000 mutations", async (kv) => {
  const commit = (mutations: number, messages: number) => {
    const operation = kv.atomic();
    for (let i = 0; i < mutations; i++) operation.set(["a", i], i);
    for (let i = 0; i < messages; i++) operation.enqueue(i, { delay: 1000 });
    return operation.commit();
  };
  await commit(0, 1000);
  await commit(999, 1);
  await assertRejects(() => commit(0, 1001), TypeError, "Too many mutations (max 1000)");
  await assertRejects(() => commit(999, 2), TypeError, "Too many mutations (max 1000)");
});

add("limits: messages count in the bytes of a commit, with 4 for each time of a schedule", async (kv) => {
  const commit = (letters: number, backoffSchedule: number[] | undefined) => {
    const operation = kv.atomic().check({ key: ["b"], versionstamp: null }).set([new Uint8Array([1])], 1);
    const options = { delay: 1000, keysIfUndelivered: [["k".repeat(1000)]] };
    for (let i = 0; i < 12; i++) operation.enqueue("a".repeat(65_530), options);
    return operation.enqueue("a".repeat(letters), { ...options, backoffSchedule }).commit();
  };
  // 12 messages of 65,536 bytes, a check of 3 bytes, a set of twice 3 and 4 bytes, and 6 bytes beside the letters.
  const left = 819_200 - 12 * 65_536 - 3 - 2 * 3 - 4 - 6;
  const message = "Total mutation size too large (max 819200 bytes)";
  await commit(left, undefined);
  await assertRejects(() => commit(left + 1, undefined), TypeError, message);
  await commit(left - 8, [1, 1]);
  await assertRejects(() => commit(left - 7, [1, 1]), TypeError, message);
});
