/** Watches: durable changes, in order, each once, from any sequence number that the log goes back to. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Change, Key, KvStore, KvStoreError, OpenOptions, Watch } from "../../mod.ts";
import type { Case, Context } from "./context.ts";
import { openAt, START } from "./expiry.ts";
import {
  assertCode,
  assertThrowsCode,
  bytes,
  contents,
  damage,
  failSyncs,
  failWrites,
  fill,
  heal,
  holdSyncs,
  locate,
  MANUAL,
  outcomes,
  SMALL,
  turns,
  until,
} from "./helpers.ts";

/** The next changes of a watch, as many as that. */
export async function take(watch: Watch, count: number): Promise<Change[]> {
  const changes: Change[] = [];
  while (changes.length < count) {
    const { value, done } = await watch.next();
    if (done) break;
    changes.push(value);
  }
  return changes;
}

/** Ends so far: each is told from the others. */
let ends = 0;

/** All changes after a sequence number that are durable now: reads up to a last write of its own. */
async function changesSince(store: KvStore, since: number): Promise<Change[]> {
  const watch = store.watch({ since });
  const end = `end ${++ends}`;
  await store.set("the end", end, { durability: "sync" });
  const changes: Change[] = [];
  for await (const change of watch) {
    if (change.type === "set" && change.value === end) break;
    changes.push(change);
  }
  return changes;
}

/** How far back the log goes. */
async function floorOf(store: KvStore): Promise<number> {
  const watch = store.watch({ since: 0 });
  try {
    await watch.next();
    return 0;
  } catch (error) {
    return (error as KvStoreError).historyFloor!;
  } finally {
    await watch.return();
  }
}

/** Changes as one comparable text each. */
function textsOf(changes: Change[]): string[] {
  return changes.map((change) =>
    JSON.stringify({ ...change, ...("key" in change ? { key: String(change.key) } : {}) })
  );
}

/** What becomes of a promise within some turns of the event loop. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(() => settled = true, () => settled = true);
  await turns(5);
  return settled;
}

/** A history with everything in it, over several segments; `between` runs before each step. */
async function writeHistory(
  store: KvStore,
  between: (step: number) => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  const steps = [
    () => store.set("a", "first"),
    () => store.set("b", "x".repeat(1500)),
    () =>
      store.batch([{ type: "set", key: "a", value: 2 }, { type: "delete", key: "b" }, {
        type: "set",
        key: "c",
        value: "c",
      }]),
    () => store.set("b", "y".repeat(1500), { durability: "write" }),
    () => store.delete("c"),
    () => store.set(bytes(0, 255), bytes(1, 2, 3)),
    () => fill(store, 40),
    () => store.clear(),
    () => store.set("a", "after the clear"),
    () =>
      store.batch(Array.from({ length: 30 }, (_, i) => ({ type: "set", key: `batch ${i}`, value: "z".repeat(90) }))),
    () => fill(store, 30, "again".repeat(20)),
    () => store.delete("key 00003"),
    () => store.set("a", "last"),
  ];
  for (const [i, step] of steps.entries()) {
    await between(i);
    await step();
  }
}

/** How many steps that history has, and how many changes. */
const [STEPS, CHANGES] = [13, 112];

/** Applies changes to what a store held. */
function apply(state: Map<string, unknown>, changes: Change[]): void {
  for (const change of changes) {
    if (change.type === "clear") state.clear();
    else if (change.type === "delete") state.delete(String(change.key));
    else state.set(String(change.key), change.value);
  }
}

/** What a store holds, by the text of the key. */
function stateOf(entries: Iterable<[Key, unknown]>): Map<string, unknown> {
  return new Map(Array.from(entries, ([key, value]) => [String(key), value]));
}

const sorted = (state: Map<string, unknown>) => [...state].sort(([a], [b]) => a < b ? -1 : 1);

/** Reads a watch all the time. */
class Follower {
  #changes: Change[] = [];
  #failure: unknown;

  constructor(watch: Watch) {
    this.#read(watch);
  }

  /** What has come since the last call. Throws what the watch ended with. */
  async news(): Promise<Change[]> {
    for (let before = -1; before < this.#changes.length;) {
      before = this.#changes.length;
      await turns(4);
    }
    if (this.#failure !== undefined) throw this.#failure;
    return this.#changes.splice(0);
  }

  async #read(watch: Watch): Promise<void> {
    try {
      for await (const change of watch) this.#changes.push(change);
    } catch (error) {
      this.#failure = error;
    }
  }
}

/** The keys of changes. */
function keysOf(changes: Change[]): Key[] {
  return changes.map((change) => change.type === "clear" ? "clear" : change.key);
}

/** The first word of the value of each set. */
function wordsOf(changes: Change[]): (string | undefined)[] {
  return changes.map((change) => change.type === "set" ? String(change.value).split(" ")[0] : undefined);
}

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
    },
  },
  {
    name: "watch: goes on after every sequence number, across closing and opening",
    async run(context) {
      let store = await context.open(SMALL);
      await writeHistory(store);
      const all = await changesSince(store, 0);
      assertEquals(all.length, CHANGES);
      for (let i = -1; i < all.length; i += 7) {
        if (i % 3 === 0) store = await context.reopen(store, SMALL);
        const since = all[i]?.seq ?? 0;
        const rest = (await changesSince(store, since)).slice(0, all.length - i - 1);
        assertEquals(textsOf(rest), textsOf(all.slice(i + 1)), `since ${since}`);
      }
      for (let since = 0; since <= all.at(-1)!.seq; since++) {
        const watch = store.watch({ since });
        const wanted = all.find(({ seq }) => seq > since);
        if (wanted !== undefined) assertEquals((await watch.next()).value, wanted);
        await watch.return();
      }
    },
  },
  {
    name: "watch: goes on after the death of the process, with numbers that were not used before",
    async run(context) {
      let store = await context.open(SMALL);
      await writeHistory(store);
      const all = await changesSince(store, 0);
      store = await context.reopenAfterKill(SMALL);
      const since = all[20]!.seq;
      const rest = await changesSince(store, since);
      assertEquals(textsOf(rest.slice(0, all.length - 21)), textsOf(all.slice(21)));
      await store.set("new", 1);
      const last = (await changesSince(store, since)).at(-1)!;
      assert(last.seq > 2 ** 32, `${last.seq}`);
    },
  },
  {
    name: "watch: with a compaction at any point, it sees every change from the history floor on, and TRIMMED below it",
    async run(context) {
      for (let point = 0; point <= STEPS; point++) {
        const directory = `${context.root}/${point}`;
        let store = await context.open(SMALL, directory);
        const follower = new Follower(store.watch({ since: 0 }));
        await writeHistory(store, async (step) => {
          if (step === point) await store.compact();
        });
        const all = await follower.news();
        if (point === STEPS) await store.compact();
        assertEquals(all.length, CHANGES);
        const check = async () => {
          const historyFloor = await floorOf(store);
          let trimmed = 0;
          for (let i = -1; i < all.length; i++) {
            const since = all[i]?.seq ?? 0;
            const later = store.watch({ since });
            if (since < historyFloor) {
              trimmed++;
              const error = await assertCode(later.next(), "TRIMMED");
              assertEquals(error.historyFloor, historyFloor);
              assertEquals(await later.next(), { done: true, value: undefined });
              continue;
            }
            assertEquals(textsOf(await take(later, all.length - i - 1)), textsOf(all.slice(i + 1)), `since ${since}`);
            await later.return();
          }
          assert(point < 3 || trimmed > 0, "nothing was trimmed");
        };
        await check();
        store = await closeAndOpen(context, store, directory);
        await check();
      }
    },
    isCostly: true,
  },
  {
    name: "watch: compaction of segments whose ranges overlap leaves the order as it is above the history floor",
    async run(context) {
      const store = await context.open(SMALL);
      // Old and young segments have something stale, those between have not: an output spans all of them.
      const value = "v".repeat(600);
      for (let round = 0; round < 8; round++) {
        for (let i = 0; i < 12; i++) await store.set(`round ${round}, ${i}`, value);
        if (round % 3 === 0) await store.set("hot", `${round}`.repeat(700));
        if (round % 3 === 1) await store.compact();
        if (round === 5) await store.delete("round 0, 3");
      }
      await store.set("hot", "now");
      await store.compact();
      const error = await assertCode(store.watch({ since: 0 }).next(), "TRIMMED");
      const rest = await changesSince(store, error.historyFloor!);
      assert(rest.length > 0);
      rest.forEach(({ seq }, i) => assert(i === 0 || seq > rest[i - 1]!.seq));
    },
  },
  {
    name: "watch: one that is a little behind sees all that compaction drops meanwhile, and then gives it back",
    async run(context) {
      const store = await context.open(SMALL);
      const watch = store.watch();
      for (let i = 0; i < 30; i++) await store.set("a", `${i} `.repeat(100));
      await take(watch, 3);
      await store.compact();
      assert(store.stats().pinnedSegments > 0);
      await store.set("b", 1);
      await store.compact();
      const changes = await take(watch, 28);
      assertEquals(wordsOf(changes), [...Array.from({ length: 27 }, (_, i) => String(i + 3)), "1"]);
      assertEquals(await isSettled(watch.next()), false);
      assertEquals(store.stats().pinnedSegments, 0);
      await store.compact();
      assertEquals(context.segments().length, store.stats().segments);
    },
  },
  {
    name:
      "watch: a set tells when it expires, and the expiry is no change; not even where compaction made a tombstone of it",
    async run(context) {
      const compaction = { auto: true, staleRatio: 0.5, minStaleBytes: 0 };
      const store = await openAt(context, { segmentBytes: 4096, compaction });
      // The tombstone is needed, as the first segment holds an older value and is not worth compacting.
      await store.set("k", "old");
      await store.set("filling", "v".repeat(4000));
      const [watch, prompt] = [store.watch(), new Follower(store.watch())];
      await store.set("k", "young", { ttl: 1000 });
      for (let i = 0; i < 3; i++) await store.set("other", `${i}`.repeat(1200));
      context.clock.nowMs = START + 1000;
      assertEquals(store.has("k"), false);
      await store.set("other", "x".repeat(1200));
      await until(() => store.stats().compactions > 0, "a segment has been compacted");
      const changes = await take(watch, 5);
      const [first] = changes;
      assertEquals({ ...first, seq: 0 }, { seq: 0, type: "set", key: "k", value: "young", expiresAt: START + 1000 });
      const [newest] = await store.history("k");
      assertEquals([newest!.type, newest!.seq], ["delete", first!.seq]);
      assertEquals(textsOf(await prompt.news()), textsOf(changes));
      assertEquals(await isSettled(watch.next()), false);
    },
  },
  {
    name: "watch: one that stands still holds up no writer, pins four segments at most, and ends with TRIMMED",
    async run(context) {
      const store = await context.open(SMALL);
      const watch = store.watch();
      const [fast, idle] = [new Follower(store.watch()), store.watch()];
      await store.set("a", 1);
      await take(watch, 1);
      let seen = 0;
      for (let round = 0; round < 60; round++) {
        await store.set("a", "v".repeat(1900));
        await store.set("b", "v".repeat(1900));
        seen += (await fast.news()).length;
        await store.compact();
        const { diskBytes, pinnedSegments } = store.stats();
        assert(pinnedSegments <= 5 && diskBytes < 8 * 4096, `${pinnedSegments} pinned, ${diskBytes} bytes`);
      }
      assertEquals(seen, 121);
      await assertCode(watch.next(), "TRIMMED");
      await assertCode(idle.next(), "TRIMMED");
      assertEquals(store.stats().pinnedSegments, 0);
    },
  },
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
      for await (const _ of store.watch({ since: 0 })) if (++told === 9000) break;
      isOver = true;
      await rest;
      assert(others >= 3, `${others} turns`);
      const none = store.watch({ since: 0, prefix: "nothing begins so" });
      assertEquals(await isSettled(none.next()), false);
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
    name: "watch: options that there are not, and wrong ones, are refused at once",
    async run(context) {
      const store = await context.open();
      const wrong = (options: unknown) => () => store.watch(options as { since: number });
      for (const options of [{ from: 1 }, 7, null, { prefix: 7 }]) assertThrows(wrong(options), TypeError);
      for (const since of [-1, 0.5, NaN, Infinity, "1"]) assertThrows(wrong({ since }), RangeError);
      await assertRejects(() => store.watch({ since: 0, signal: AbortSignal.abort() }).next(), DOMException);
    },
  },
  {
    name: "watch: a reader's tells what its writer has made durable, and refreshes the reader",
    async run(context) {
      let writer = await context.open(SMALL);
      const reader = await context.open({ readOnly: true, ...SMALL });
      const [all, later] = [new Follower(reader.watch({ since: 0 })), new Follower(reader.watch())];
      const seen = new Map<string, unknown>();
      const look = async () => {
        await reader.refresh();
        const changes = await all.news();
        apply(seen, changes);
        assertEquals((await later.news()).length, changes.length);
      };
      await writeHistory(writer, look);
      writer = await context.reopen(writer, SMALL);
      await look();
      assertEquals(sorted(seen), sorted(stateOf(writer)));
      await writer.compact();
      await look();
      await fill(writer, 30, "new".repeat(40));
      await writer.close();
      await look();
      assertEquals(sorted(seen), sorted(stateOf(reader)));
      assertEquals(contents(reader).length, seen.size);
    },
  },
  {
    name: "watch: a reader's tells nothing that is only written, and all of it once its writer has recovered",
    async run(context) {
      const writer = await context.open(MANUAL);
      await writer.set("a", 1);
      await writer.set("b", 1, { durability: "write" });
      context.kill();
      const reader = await context.open({ readOnly: true });
      const watches = [new Follower(reader.watch({ since: 0 })), new Follower(reader.watch())];
      // The second group told in its mark that the first one is durable.
      assertEquals(keysOf(await watches[0]!.news()), ["a"]);
      assertEquals(keysOf(await watches[1]!.news()), []);
      const next = await context.open(MANUAL);
      await next.set("c", 1);
      await next.close();
      await reader.refresh();
      for (const watch of watches) assertEquals(keysOf(await watch.news()), ["b", "c"]);
    },
  },
  {
    name: "watch: a reader's that is behind keeps what its writer replaces; what it cannot have seen is TRIMMED",
    async run(context) {
      const options: OpenOptions = { ...SMALL, readOnly: true };
      const writer = await context.open(SMALL);
      for (let i = 0; i < 12; i++) await writer.set("a", `${i} `.repeat(100));
      const reader = await context.open(options);
      const watch = reader.watch({ since: 0 });
      await take(watch, 3);
      await writer.close();
      await reader.refresh();
      const again = await context.open(SMALL);
      await again.compact();
      await reader.refresh();
      const follower = new Follower(watch);
      assertEquals(wordsOf(await follower.news()), ["3", "4", "5", "6", "7", "8", "9", "10", "11"]);
      assertEquals(reader.stats().pinnedSegments, 0);
      for (let i = 0; i < 12; i++) await again.set("a", `${i} `.repeat(100));
      await again.compact();
      await reader.refresh();
      await assertCode(follower.news(), "TRIMMED");
    },
  },
];

async function closeAndOpen(context: Context, store: KvStore, directory: string): Promise<KvStore> {
  await store.close();
  return await context.open(SMALL, directory);
}
