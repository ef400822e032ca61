/**
 * The queue on the simulated disk, with a clock of its own: what happens rarely.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { KvStore, KvStoreError } from "../../mod.ts";
import { Database } from "../../src/kv/database.ts";
import { Kv } from "../../src/kv/kv.ts";
import { mark } from "../../src/kv/mark.ts";
import { messageKey } from "../../src/kv/message.ts";
import { brokenDisk, LOSE_ALL, newMachine } from "../crash/support/disk.ts";
import { DIRECTORY, OPTIONS } from "../crash/support/scenario.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { drain, hold, openHandles } from "./support/queue_handles.ts";
import { withFakeTime } from "./support/queue_time.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

Deno.test("kv: a message that kills its process each time is given up", () =>
  withFakeTime(async (time) => {
    let platform = newMachine();
    const [kv] = await openHandles(platform);
    await kv.enqueue("poison", { backoffSchedule: [0, 10], keysIfUndelivered: [["u"]] });
    await kv[Symbol.asyncDispose]();
    for (let attempt = 1; attempt <= 3; attempt++) {
      const [kv] = await openHandles(platform);
      let left: MemoryPlatform | undefined;
      kv.listenQueue(() => {
        left = platform.kill();
        return new Promise(() => {});
      }).catch(() => {});
      await time.pass(10);
      kv[Symbol.dispose]();
      assert(left !== undefined, `attempt ${attempt}`);
      platform = left;
    }
    assertEquals(await drain(platform, time), []);
    const [after] = await openHandles(platform);
    assertEquals((await after.get(["u"])).value, "poison");
    await after[Symbol.asyncDispose]();
  }));

Deno.test("kv: no attempt is counted that no handler has seen, whenever the handle is closed", () =>
  withFakeTime(async (time) => {
    for (let turns = 0; turns < 30; turns++) {
      const platform = newMachine();
      const [kv] = await openHandles(platform);
      await kv.enqueue("a", { backoffSchedule: [] });
      const got = hold(kv);
      for (let i = 0; i < turns; i++) await Promise.resolve();
      const ending = kv[Symbol.asyncDispose]();
      const before = got.length;
      await ending;
      await time.settle();
      assertEquals(got.length, before, `after ${turns} turns it is delivered to a handle that is closed`);
      assertEquals((await drain(platform, time)).length + before, 1, `after ${turns} turns`);
    }
  }));

Deno.test("kv: once listenQueue has resolved, what its handlers have done lasts", () =>
  withFakeTime(async (time) => {
    for (let turns = 0; turns < 12; turns++) {
      const platform = newMachine();
      const store = await KvStore.openOn<Uint8Array>(platform, DIRECTORY, OPTIONS);
      await mark(store);
      const kv = new Kv(new Database(store, {}, () => store.close()));
      let listener: Promise<void>;
      const called = new Promise<void>((resolve) => listener = kv.listenQueue(() => resolve()));
      await kv.enqueue("a");
      await called;
      for (let i = 0; i < turns; i++) await Promise.resolve();
      const isRemoved = Array.from(store.keys({ gte: messageKey(0) })).length === 0;
      kv.close();
      await listener!;
      const left = platform.image(LOSE_ALL);
      await time.settle();
      assert(!isRemoved || (await drain(left, time)).length === 0, `after ${turns} turns`);
      assert(isRemoved || turns < 11);
    }
  }));

Deno.test("kv: the messages of a handle that is closed go to the others, and what it does no longer counts", () =>
  withFakeTime(async (time) => {
    const platform = newMachine();
    const [one, two, three] = await openHandles(platform, 3) as [Kv, Kv, Kv];
    let succeed = () => {};
    const listener = one.listenQueue(() => new Promise<void>((resolve) => succeed = resolve));
    await three.enqueue("a", { backoffSchedule: [50] });
    await time.settle();
    const got = hold(two);
    one.close();
    await listener;
    succeed();
    await time.pass(49);
    assertEquals(got, []);
    await time.pass(1);
    assertEquals(got, ["a"]);
    two.close();
    await three[Symbol.asyncDispose]();
    // It has had its two attempts.
    assertEquals(await drain(platform, time), []);
  }));

Deno.test("kv: messages of later wait in the store, at a look a minute", () =>
  withFakeTime(async (time) => {
    const platform = newMachine();
    for (const round of [1, 2]) {
      const [kv] = await openHandles(platform);
      const got: unknown[] = [];
      const listener = kv.listenQueue((message) => void got.push(message));
      if (round === 1) {
        await kv.atomic().enqueue("2", { delay: 2 * DAY_MS }).enqueue("3", { delay: 3 * DAY_MS }).commit();
      }
      await time.pass(1);
      const before = { ...platform.operations };
      await time.pass(DAY_MS / 2);
      // Each look may read one message, and does nothing else.
      assert(platform.operations.read - before.read <= 12 * 60);
      assertEquals({ ...platform.operations, read: 0 }, { ...before, read: 0 });
      assertEquals(time.timers, 1);
      await kv[Symbol.asyncDispose]();
      await listener;
      assertEquals(time.timers, 0);
      assertEquals(got, []);
    }
    const [kv] = await openHandles(platform);
    const got = hold(kv);
    await time.pass(DAY_MS);
    assertEquals(got, ["2"]);
    await time.pass(DAY_MS);
    assertEquals(got, ["2", "3"]);
    await kv[Symbol.asyncDispose]();
  }));

Deno.test("kv: a message is delivered within a minute of a time that has come without the timer", () =>
  withFakeTime(async (time) => {
    const [kv] = await openHandles(newMachine());
    const got = hold(kv);
    await kv.enqueue("tomorrow", { delay: DAY_MS });
    await time.settle();
    // As after a night in which the machine slept, or once the clock is put right.
    time.now += DAY_MS;
    await time.pass(60_000);
    assertEquals(got, ["tomorrow"]);
    await kv[Symbol.asyncDispose]();
  }));

Deno.test("kv: a clock that is set back holds up no message for longer", () =>
  withFakeTime(async (time) => {
    const [kv] = await openHandles(newMachine());
    const got: unknown[] = [];
    let fail = (_: Error) => {};
    const listener = kv.listenQueue((message) => {
      got.push(message);
      if (message === "held" && got.length === 1) return new Promise((_, reject) => fail = reject);
    });
    await kv.enqueue("held", { backoffSchedule: [10] });
    await time.settle();
    time.now -= 60_000;
    await kv.enqueue("new");
    await kv.enqueue("later", { delay: 5 });
    await time.pass(5);
    assertEquals(got, ["held", "new", "later"]);
    time.now -= 60_000;
    fail(new Error("injected"));
    await time.pass(10);
    assertEquals(got, ["held", "new", "later", "held"]);
    await kv[Symbol.asyncDispose]();
    await listener;
  }));

Deno.test("kv: a full disk delivers what it holds", () =>
  withFakeTime(async (time) => {
    const platform = newMachine();
    const [kv] = await openHandles(platform);
    platform.capacityBytes = 300_000;
    const numbers: number[] = [];
    const enqueue = () =>
      kv.enqueue({ i: numbers.length, text: "x".repeat(2000) }).then(() => numbers.push(numbers.length));
    const error = await assertRejects(async () => {
      for (;;) await enqueue();
    }, KvStoreError);
    assertEquals(error.code, "IO");
    assert(numbers.length > 50);
    const got: number[] = [];
    const listener = kv.listenQueue(({ i }) => void got.push(i));
    await time.pass(60_000);
    assertEquals(got, numbers);
    await kv[Symbol.asyncDispose]();
    await listener;
    platform.capacityBytes = Infinity;
    assertEquals(await drain(platform, time), []);
  }));

Deno.test("kv: when the store fails, those who listen are told", () =>
  withFakeTime(async () => {
    const platform = newMachine();
    const [kv] = await openHandles(platform);
    const got = [hold(kv)];
    const listener = kv.listenQueue((message) => void got.push(message));
    platform.onOperation = (operation) => {
      if (operation.kind === "sync") throw brokenDisk(operation);
    };
    const enqueuing = assertRejects(() => kv.enqueue("a"), KvStoreError);
    const error = await assertRejects(() => listener, KvStoreError);
    assertEquals(error.code, "FAILED");
    await enqueuing;
    assertEquals(got, [[]]);
    await assertRejects(() => kv[Symbol.asyncDispose](), KvStoreError);
  }));

Deno.test("kv: a message that cannot be read is an error for those who listen", () =>
  withFakeTime(async () => {
    const [kv] = await openHandles(newMachine());
    await kv.extras.store.set(messageKey(5, 1), new Uint8Array(20));
    const error = await assertRejects(() => kv.listenQueue(() => {}), KvStoreError);
    assertEquals(error.code, "FORMAT");
    await kv[Symbol.asyncDispose]();
  }));

Deno.test("kv: handlers that do not end hold up no others while there is room for one more", () =>
  withFakeTime(async (time) => {
    const [one, two] = await openHandles(newMachine(), 2) as [Kv, Kv];
    const got: number[] = [];
    const listener = one.listenQueue((i: number) => {
      got.push(i);
      return i < 99 ? new Promise(() => {}) : undefined;
    });
    for (let i = 0; i < 150; i++) void two.enqueue(i);
    for (let i = 0; i < 60; i++) await time.settle();
    assertEquals(got, Array.from({ length: 150 }, (_, i) => i));
    // With no room in one, the other has it all.
    for (let i = 0; i < 2; i++) void two.enqueue(i);
    await time.settle();
    const others = hold(two);
    for (let i = 100; i < 110; i++) void two.enqueue(i);
    for (let i = 0; i < 10; i++) await time.settle();
    assertEquals([got.length, others.length], [151, 11]);
    one.close();
    await listener;
    await two[Symbol.asyncDispose]();
  }));

Deno.test("kv: keys that are set in the end are seen by those who watch", () =>
  withFakeTime(async (time) => {
    const [kv] = await openHandles(newMachine());
    const reader = kv.watch([["u"]]).getReader();
    assertEquals((await reader.read()).value?.[0]?.value, null);
    const listener = kv.listenQueue(() => Promise.reject(new Error("injected")));
    await kv.enqueue("a", { backoffSchedule: [], keysIfUndelivered: [["u"]] });
    // It looks once a second by itself, by another clock.
    const begun = performance.now();
    assertEquals((await reader.read()).value?.[0]?.value, "a");
    assert(performance.now() - begun < 900);
    await time.settle();
    await kv[Symbol.asyncDispose]();
    await listener;
  }));

Deno.test("kv: a message that was imported is delivered, whatever its number", () =>
  withFakeTime(async (time) => {
    const [from, to] = [newMachine(), newMachine()];
    const [kv] = await openHandles(from);
    for (let i = 0; i < 50; i++) await kv.set(["a"], i);
    await kv.enqueue("a");
    await kv[Symbol.asyncDispose]();
    const [source, target] = [from, to].map((platform) => KvStore.openOn<Uint8Array>(platform, DIRECTORY, OPTIONS));
    for (const [key, value] of (await source!).entries({ gte: new Uint8Array([0xff]) })) {
      await (await target!).set(key, value);
    }
    await Promise.all([source!, target!].map(async (store) => await (await store).close()));
    assertEquals(await drain(to, time), ["a"]);
  }));

Deno.test("kv: a store that is cleared has no messages, nor do those return that handlers have", () =>
  withFakeTime(async (time) => {
    const platform = newMachine();
    const [one, two] = await openHandles(platform, 2) as [Kv, Kv];
    const fail: ((error: Error) => void)[] = [];
    const listener = one.listenQueue(() => new Promise((_, reject) => void fail.push(reject)));
    await one.enqueue("held", { backoffSchedule: [], keysIfUndelivered: [["u"]] });
    await one.enqueue("held again", { backoffSchedule: [10] });
    await one.enqueue("later", { delay: 10 });
    await time.settle();
    assertEquals(fail.length, 2);
    await one.extras.store.clear();
    for (const reject of fail) reject(new Error("injected"));
    await time.pass(20);
    assertEquals(fail.length, 2);
    assertEquals((await two.get(["u"])).value, null);
    // While it is noted who has it.
    void one.enqueue("taken");
    await two.get(["none"]);
    void one.extras.store.clear();
    one.close();
    await listener;
    assertEquals(fail.length, 2);
    await two[Symbol.asyncDispose]();
    assertEquals(await drain(platform, time), []);
  }));
