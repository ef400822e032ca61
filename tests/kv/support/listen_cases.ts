/**
 * Cases of handlers that listen to the queue. What takes its time is short: Deno delivers a message up to 0.1 s after it
 * is due.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Case, caseList, type Kv } from "./cases.ts";
import { listening, quietly, sleep, until } from "./listening.ts";

const { cases, add } = caseList();

/** The cases. */
export const listenCases: readonly Case[] = cases;

// listenQueue

add("listenQueue: messages come in the order in which they are due", async (kv) => {
  const { got } = listening(kv);
  const delays = [400, 200, 0, 600];
  const operation = kv.atomic();
  for (const delay of delays) operation.enqueue({ name: delay, at: Date.now() + delay }, { delay });
  await operation.commit();
  await until(() => got.length === 4);
  assertEquals(got.map((message) => (message as { name: number }).name), [0, 200, 400, 600]);
  assert(Date.now() >= (got[3] as { at: number }).at);
});

add("listenQueue: those that are due at once come in the order of their calls", async (kv) => {
  const { got } = listening(kv);
  const operation = kv.atomic();
  const numbers = Array.from({ length: 20 }, (_, i) => i);
  for (const i of numbers) operation.enqueue(i);
  await operation.commit();
  await until(() => got.length === 20);
  assertEquals(got, numbers);
});

add("listenQueue: what was enqueued before is delivered, too", async (kv) => {
  await kv.enqueue("a");
  await kv.enqueue("b", { delay: 100 });
  const { got } = listening(kv);
  await until(() => got.length === 2);
  assertEquals(got, ["a", "b"]);
});

add("listenQueue: what fails is delivered again, as the schedule says, and no more", (kv) =>
  quietly(async () => {
    const { got } = listening(kv);
    await kv.enqueue({ name: "a", fails: 2 }, { backoffSchedule: [1, 1, 1] });
    await kv.enqueue({ name: "b", fails: 9 }, { backoffSchedule: [1] });
    await kv.enqueue({ name: "c", fails: 9 }, { backoffSchedule: [] });
    const names = () => got.map((message) => (message as { name: string }).name).sort().join("");
    await until(() => got.length >= 6);
    await sleep(250);
    assertEquals(names(), "aaabbc");
  }));

add("listenQueue: without a schedule, after 0.1 s and then less and less often", (kv) =>
  quietly(async () => {
    const { got } = listening(kv);
    const begun = Date.now();
    await kv.enqueue({ name: "a", fails: 1 });
    await until(() => got.length === 2);
    assert(Date.now() - begun >= 100);
  }));

add("listenQueue: a handler fails if it throws or rejects, at once or later", (kv) =>
  quietly(async () => {
    const got: unknown[] = [];
    kv.listenQueue((message: string) => {
      got.push(message);
      if (got.filter((other) => other === message).length > 1) return;
      if (message === "throws") throw message;
      return message === "rejects" ? Promise.reject(message) : sleep(20).then(() => Promise.reject(message));
    });
    for (const message of ["throws", "rejects", "later"]) await kv.enqueue(message, { backoffSchedule: [1] });
    await until(() => got.length === 6);
  }));

add("listenQueue: in the end the keys get the value, in one commit", (kv) =>
  quietly(async () => {
    const { got } = listening(kv);
    const value = { name: "a", fails: 9, bytes: new Uint8Array([1]) };
    const keysIfUndelivered = [["u", 1], ["u", 2], [], ["u", 1]];
    const { versionstamp: enqueued } = await kv.enqueue(value, { backoffSchedule: [1], keysIfUndelivered });
    await until(async () => (await kv.get(["u", 1])).value !== null);
    assertEquals(got.length, 2);
    const entries = await kv.getMany([["u", 1], ["u", 2], []]);
    assertEquals(entries.map((entry: Kv) => entry.value), [value, value, value]);
    const [versionstamp, ...others] = new Set(entries.map((entry: Kv) => entry.versionstamp));
    assertEquals(others, []);
    assert(versionstamp as string > enqueued);
    assert((await kv.set(["a"], 1)).versionstamp > (versionstamp as string));
  }));

add(
  "listenQueue: in the end the keys get bytes as bytes, and a number of 64 bits as a plain object",
  (kv, { KvU64 }) =>
    quietly(async () => {
      kv.listenQueue(() => Promise.reject(new Error("injected")));
      await kv.enqueue(new Uint8Array([1, 2]), { backoffSchedule: [], keysIfUndelivered: [["bytes"]] });
      await kv.enqueue(new KvU64(5n), { backoffSchedule: [], keysIfUndelivered: [["number"]] });
      const valueOf = async (name: string) => (await kv.get([name])).value;
      await until(async () => await valueOf("bytes") !== null && await valueOf("number") !== null);
      assertEquals(await valueOf("bytes"), new Uint8Array([1, 2]));
      assertEquals(await valueOf("number"), { value: 5n });
      await assertRejects(() => kv.atomic().sum(["number"], 1n).commit(), TypeError);
    }),
);

add("listenQueue: handlers run at the same time", async (kv) => {
  const running = new Set<number>();
  let most = 0;
  kv.listenQueue(async (message: number) => {
    running.add(message);
    most = Math.max(most, running.size);
    await until(() => most === 5);
    running.delete(message);
  });
  for (let i = 0; i < 5; i++) await kv.enqueue(i);
  await until(() => most === 5 && running.size === 0);
});

add("listenQueue: 100 handlers run at the same time", async (kv) => {
  let [running, most, done, begunAt] = [0, 0, 0, 0];
  let isOver = false;
  kv.listenQueue(async () => {
    most = Math.max(most, ++running);
    begunAt = Date.now();
    // Until a hundred run, and no other has begun for a while; those that come later need not wait.
    await until(() => isOver ||= most > 100 || (most === 100 && Date.now() - begunAt > 300));
    running--;
    done++;
  });
  const operation = kv.atomic();
  for (let i = 0; i < 150; i++) operation.enqueue(i);
  await operation.commit();
  await until(() => done === 150);
  assertEquals(most, 100);
});

add("listenQueue: several calls share the messages", async (kv) => {
  const got: [listener: number, message: unknown][] = [];
  for (let i = 0; i < 3; i++) kv.listenQueue((message: unknown) => void got.push([i, message]));
  for (let i = 0; i < 12; i++) await kv.enqueue(i);
  await until(() => got.length >= 12);
  await sleep(150);
  assertEquals(
    got.map(([, message]) => Number(message)).sort((a, b) => a - b),
    Array.from({ length: 12 }, (_, i) => i),
  );
  assertEquals(new Set(got.map(([listener]) => listener)).size, 3);
});

add("listenQueue: resolves when the handle is closed, whatever its handlers do", async (kv) => {
  const { listener } = listening(kv);
  let isStarted = false;
  const waiting = kv.listenQueue(() => {
    isStarted = true;
    return new Promise(() => {});
  });
  for (let i = 0; !isStarted; i++) {
    await kv.enqueue(i);
    await sleep(20);
  }
  kv.close();
  assertEquals(await listener, undefined);
  assertEquals(await waiting, undefined);
  await assertRejects(() => kv.listenQueue(() => {}), Error, "Queue already closed");
  await assertRejects(() => kv.enqueue("a"), Error, "Bad resource ID");
});
