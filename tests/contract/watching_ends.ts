/** Watches: what ends them, what goes wrong, and what they leave to others. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { Change } from "../../mod.ts";
import { isSettled, keysOf, take } from "./changes.ts";
import type { Case } from "./support/context.ts";
import {
  assertCode,
  assertThrowsCode,
  damage,
  failSyncs,
  failWrites,
  fill,
  heal,
  locate,
  MANUAL,
  outcomes,
  turns,
} from "./support/helpers.ts";

export const watchEndCases: Case[] = [
  {
    name: "watch: a long backlog lets others have their turn",
    async run(context) {
      const store = await context.open(MANUAL);
      await fill(store, 9000, "v");
      let others = 0;
      let isOver = false;
      const rest = (async () => {
        for (; !isOver; others++) await turns(1);
      })();
      let told = 0;
      const begun = performance.now();
      for await (const _ of store.watch({ since: 0 })) if (++told === 9000) break;
      const tookMs = performance.now() - begun;
      isOver = true;
      await rest;
      assert(others >= Math.min(4, tookMs / 20), `${others} turns in ${tookMs} ms`);
      const none = store.watch({ since: 0, prefix: "nothing begins so" });
      assertEquals(await isSettled(none.next()), false);
    },
  },
  {
    name: "watch: return, asyncDispose and closing end it quietly, whether it waits or not",
    async run(context) {
      const store = await context.open(MANUAL);
      const done: IteratorResult<Change, undefined> = { done: true, value: undefined };
      const watches = Array.from({ length: 4 }, () => store.watch());
      const waiting = watches.map((watch) => watch.next());
      const second = watches[0]!.next();
      await turns(2);
      assertEquals(await watches[0]!.return(), done);
      assertEquals([await waiting[0], await second, await watches[0]!.next()], [done, done, done]);
      await watches[1]![Symbol.asyncDispose]();
      assertEquals(await waiting[1], done);
      const loop = (async () => {
        for await (const _ of watches[3]!) throw new Error("there is no change");
      })();
      const unused = store.watch({ since: 0 });
      await store.close();
      assertEquals([await waiting[2], await waiting[3], await watches[2]!.next()], [done, done, done]);
      assertEquals(await unused.next(), done);
      await loop;
      assertThrowsCode(() => store.watch(), "CLOSED");
    },
  },
  {
    name: "watch: a signal ends it with its reason, before, while it waits and between",
    async run(context) {
      const store = await context.open(MANUAL);
      const reason = new Error("enough");
      const early = store.watch({ signal: AbortSignal.abort(reason) });
      const controller = new AbortController();
      const { signal } = controller;
      const [waiting, idle, left] = [store.watch({ signal }), store.watch({ signal }), store.watch({ signal })];
      const next = waiting.next();
      await turns(1);
      await left.return();
      controller.abort(reason);
      for (const call of [early.next(), next, idle.next()]) assertEquals(await call.catch((error) => error), reason);
      for (const watch of [early, waiting, idle, left]) assertEquals((await watch.next()).done, true);
    },
  },
  {
    name: "watch: calls that overlap get changes in their order; two watches each see all",
    async run(context) {
      const store = await context.open(MANUAL);
      const [one, other] = [store.watch(), store.watch()];
      const calls = Array.from({ length: 10 }, () => one.next());
      await Promise.all(Array.from({ length: 10 }, (_, i) => store.set(`${i}`, i)));
      const values = (await Promise.all(calls)).map(({ value }) => value?.type === "set" && value.value);
      assertEquals(values, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      assertEquals((await take(other, 10)).length, 10);
    },
  },
  {
    name: "watch: a group that was taken back is never told of",
    async run(context) {
      const store = await context.open(MANUAL);
      const watch = store.watch();
      await store.set("a", 1);
      failWrites(context);
      assertEquals(await outcomes([store.set("b", 1), store.clear(), store.set("c", 1)]), ["IO", "IO", "IO"]);
      heal(context);
      await store.set("d", 1);
      assertEquals(keysOf(await take(watch, 2)), ["a", "d"]);
      assertEquals(await isSettled(watch.next()), false);
    },
  },
  {
    name: "watch: of a store that has failed it tells what is durable, and ends with FAILED",
    async run(context) {
      const store = await context.open(MANUAL);
      const [behind, waiting] = [store.watch(), store.watch()];
      await store.set("a", 1);
      await take(waiting, 1);
      const next = waiting.next();
      failSyncs(context);
      await assertCode(store.set("b", 1), "FAILED");
      heal(context);
      await assertCode(next, "FAILED");
      assertEquals((await take(behind, 1)).map(({ type }) => type), ["set"]);
      await assertCode(behind.next(), "FAILED");
      assertEquals((await behind.next()).done, true);
      await assertCode(store.close(), "FAILED");
      context.forget(store);
    },
  },
  {
    name: "watch: a damaged value is CORRUPT, and it goes on behind it; behind a damaged header it ends",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", "first value");
      await store.set("b", "second value");
      await store.set("c", "third value");
      const repair = damage(context, "second value");
      const watch = store.watch({ since: 0 });
      await take(watch, 1);
      const { name, offset } = locate(context, "b");
      const error = await assertCode(watch.next(), "CORRUPT");
      assertEquals([error.file, error.offset! < offset], [name, true]);
      assertEquals(keysOf(await take(watch, 1)), ["c"]);
      repair();
      const heal = damage(context, "bsecond");
      const other = store.watch({ since: 0 });
      await take(other, 1);
      await assertCode(other.next(), "CORRUPT");
      assertEquals((await other.next()).done, true);
      heal();
    },
  },
  {
    name: "watch: an error of the operating system is told, and the next call tries again",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", 1);
      const watch = store.watch({ since: 0 });
      context.platform.onOperation = ({ kind }) => {
        if (kind === "read") throw new Error("input/output error");
      };
      await assertCode(watch.next(), "IO");
      await assertCode(watch.next(), "IO");
      heal(context);
      assertEquals((await take(watch, 1)).length, 1);
    },
  },
  {
    // A client that resumes met two kinds of refusals, one thrown and one told by the watch, and had to know both.
    name: "watch: a number that the store has not come to is TRIMMED, as one that it has gone past: begin again",
    async run(context) {
      const store = await context.open();
      const refused = async (since: number, end: number) => {
        const watch = store.watch({ since });
        const error = await assertCode(watch.next(), "TRIMMED");
        assertStringIncludes(error.message, `the log ends at ${end}, before ${since}`);
        assertStringIncludes(error.message, "begin again with entries()");
        assertEquals([error.historyFloor, watch.position], [0, since]);
        assertEquals(await watch.next(), { done: true, value: undefined });
      };
      await refused(1, 0);
      await store.set("a", 1);
      const watch = store.watch({ since: 1 });
      await refused(2, 1);
      const next = watch.next();
      await store.set("b", 1);
      assertEquals((await next).value?.seq, 2);
      await watch.return();
    },
  },
  {
    name: "watch: options that there are not, and wrong ones, are refused at once",
    async run(context) {
      const store = await context.open();
      const wrong = (options: unknown) => () => store.watch(options as { since: number });
      for (const options of [{ from: 1 }, 7, null, { prefix: 7 }]) assertThrows(wrong(options), TypeError);
      for (const since of [-1, 0.5, NaN, Infinity, "1"]) assertThrows(wrong({ since }), RangeError);
      for (const signal of [null, {}, 7]) assertThrows(wrong({ signal }), TypeError, "AbortSignal");
      const reason = await store.watch({ since: 0, signal: AbortSignal.abort("gone") }).next().catch((reason) =>
        reason
      );
      assertEquals(reason, "gone");
    },
  },
];
