/** Watches: durable changes, in order, each once. */

import { assert, assertEquals } from "@std/assert";
import type { Change } from "../../mod.ts";
import { apply, changesSince, Follower, isSettled, keysOf, sorted, stateOf, take, writeHistory } from "./changes.ts";
import type { Case } from "./support/context.ts";
import { bytes, holdSyncs, MANUAL, SMALL, turns } from "./support/helpers.ts";

export const watchCases: Case[] = [
  {
    name: "watch: tells of every change once, in the order of the calls, with key and value as they were given",
    async run(context) {
      const store = await context.open(MANUAL);
      const watch = store.watch();
      await store.set("a", { deep: [1] });
      await store.set(bytes(0, 255), bytes(1, 2, 3));
      await store.batch([{ type: "set", key: "b", value: "two" }, { type: "delete", key: "a" }]);
      await store.delete("not there");
      await store.clear();
      await store.set("\ud7ff\u{10ffff}", "\ud800");
      const changes = await take(watch, 6);
      const told = changes.map(({ seq: _, ...change }) => change);
      assertEquals(told, [
        { type: "set", key: "a", value: { deep: [1] } },
        { type: "set", key: bytes(0, 255), value: bytes(1, 2, 3) },
        { type: "set", key: "b", value: "two" },
        { type: "delete", key: "a" },
        { type: "clear" },
        { type: "set", key: "\ud7ff\u{10ffff}", value: "\ud800" },
      ]);
      changes.forEach(({ seq }, i) => assert(i === 0 || seq > changes[i - 1]!.seq));
      assertEquals(watch.position, changes.at(-1)!.seq);
      assertEquals(await isSettled(watch.next()), false);
    },
  },
  {
    name: "watch: nothing is told before it is durable, of a batch nothing before all of it",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("before", 1);
      const watch = store.watch();
      const release = holdSyncs(context);
      const written = store.batch([{ type: "set", key: "a", value: 1 }, { type: "set", key: "b", value: 2 }], {
        durability: "write",
      });
      const synced = store.set("c", 3);
      await written;
      const next = watch.next();
      assertEquals(await isSettled(next), false);
      release();
      await synced;
      const changes = [(await next).value!, ...await take(watch, 2)];
      assertEquals(keysOf(changes), ["a", "b", "c"]);
    },
  },
  {
    name: "watch: a power cut after a change was told never takes it back",
    needsPowerCut: true,
    async run(context) {
      let store = await context.open(SMALL);
      const told: Change[] = [];
      const watch = store.watch();
      const follow = (async () => {
        for await (const change of watch) told.push(change);
      })();
      await writeHistory(store);
      await turns(1);
      store.set("unsynced", 1, { durability: "write" }).catch(() => {});
      store.set("pending", 1).catch(() => {});
      store = await context.reopenAfterPowerCut({}, SMALL);
      const state = new Map<string, unknown>();
      apply(state, told);
      assert(told.length > 100);
      assertEquals(sorted(state), sorted(stateOf(store)));
      await watch.return();
      await follow;
    },
  },
  {
    name: "watch: begins with what becomes durable after the call, written or pending before it or not",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("durable", 1);
      const release = holdSyncs(context);
      await store.set("written", 1, { durability: "write" });
      const pending = store.set("pending", 1);
      const watches = [store.watch()];
      await turns(2);
      watches.push(store.watch());
      release();
      await pending;
      watches.push(store.watch());
      await store.set("after", 1);
      assertEquals(keysOf(await take(watches[0]!, 3)), ["written", "pending", "after"]);
      assertEquals(keysOf(await take(watches[1]!, 3)), ["written", "pending", "after"]);
      assertEquals(keysOf(await take(watches[2]!, 1)), ["after"]);
      const last = store.set("the only one pending", 1);
      const watch = store.watch();
      await last;
      assertEquals(keysOf(await take(watch, 1)), ["the only one pending"]);
    },
  },
  {
    name: "watch: a prefix leaves the changes of other keys out, but not the clears; the position moves on",
    async run(context) {
      const store = await context.open(MANUAL);
      const watch = store.watch({ prefix: "user:" });
      const [text, binary] = [new Follower(watch), new Follower(store.watch({ prefix: bytes(0x75, 0x73) }))];
      await store.set("user:1", 1);
      await store.set("us", 1);
      await store.set("other", 1);
      await store.delete("user:1");
      await store.clear();
      const told = (changes: Change[]) => changes.map(({ type }) => type).join(" ");
      assertEquals(told(await text.news()), "set delete clear");
      assertEquals(told(await binary.news()), "set set delete clear");
      await store.set("other", 2);
      await turns(3);
      const { position } = watch;
      const next = await changesSince(store, position - 1);
      assertEquals(next.length, 1);
      assertEquals(next[0]!.seq, position);
    },
  },
];
