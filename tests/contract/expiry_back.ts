/** A clock that was ahead and is put right: what it costs, and what it does not. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { encodeManifest } from "../../src/engine/manifest.ts";
import { readManifest } from "../../src/store/directory.ts";
import { nextTurn } from "../../src/platform/turn.ts";
import type { Key, KvStore } from "../../mod.ts";
import type { Case, Context } from "./support/context.ts";
import { openAt, START } from "./expiry.ts";
import { assertCode, contents, fill, MANUAL, SMALL } from "./support/helpers.ts";

/** When clocks are that are ahead. */
export const YEAR_2100: number = Date.UTC(2100, 0, 1);
/** An hour, in milliseconds. */
export const HOUR = 3_600_000;

/** A store that was open once while the clock was in 2100, and is open again by a clock that is right. */
export async function openedIn2100(context: Context, options = {}): Promise<KvStore> {
  let store = await openAt(context, options);
  await store.set("victim", "v", { ttl: HOUR });
  await store.set("later", "v", { expiresAt: YEAR_2100 + HOUR });
  await store.set("stays", "v");
  await store.close();
  context.clock.nowMs = YEAR_2100;
  store = await context.open(options);
  assertEquals(store.size, 2);
  await store.close();
  context.clock.nowMs = START;
  store = await context.open(options);
  assertEquals([...store.keys()], ["later", "stays"]);
  return store;
}

export const clockBackCases: Case[] = [
  // Once such a store had been open in 2100, a ttl of half a second lasted for seventy years, and a key that was to
  // expire in an hour was gone at once.
  {
    name: "clock: what is set once it is right lives by it, whatever it once said",
    async run(context) {
      for (const isBatch of [false, true]) {
        let store = await openedIn2100(context);
        const [short, named, brief] = [
          { key: "short", value: 1, ttl: 500 },
          { key: "named", value: 1, expiresAt: START + HOUR },
          { key: "brief", value: 1, ttl: 400 },
        ];
        if (isBatch) await store.batch([short, named, brief].map((one) => ({ type: "set" as const, ...one })));
        else for (const { key, value, ...expiry } of [short, named, brief]) await store.set(key, value, expiry);
        assertEquals([store.expiresAt("short"), store.get("short")], [START + 500, 1]);
        assertEquals([...store.keys()], ["brief", "later", "named", "short", "stays"]);
        context.clock.nowMs = START + 400;
        assertEquals([...store.keys()], ["later", "named", "short", "stays"]);
        store = await context.reopen(store);
        context.clock.nowMs = START + 500;
        assertEquals([...store.keys()], ["later", "named", "stays"]);
        context.clock.nowMs = START + HOUR;
        assertEquals([...store.keys()], ["later", "stays"]);
        context.clock.nowMs = YEAR_2100 + HOUR;
        assertEquals([...store.keys()], ["stays"]);
        await store.clear();
        await store.close();
      }
    },
  },
  {
    name: "clock: what expired while it was ahead stays expired, by a delete in the log, after any end",
    needsPowerCut: true,
    async run(context) {
      for (const end of ["close", "kill", "power cut"]) {
        let store = await openedIn2100(context, MANUAL);
        await store.set("young", 1, { ttl: 2 * HOUR });
        const keys = ["later", "stays", "young"];
        assertEquals((await store.history("victim")).map(({ type }) => type), ["delete", "set"]);
        if (end === "close") store = await context.reopen(store, MANUAL);
        else store = await (end === "kill" ? context.reopenAfterKill(MANUAL) : context.reopenAfterPowerCut({}, MANUAL));
        assertEquals([...store.keys()], keys, end);
        await store.compact();
        assertEquals([...store.keys()], keys, end);
        assertEquals((await store.verify()).problems, []);
        await store.clear();
        await store.close();
      }
    },
  },
  {
    name: "clock: a power cut between the manifest with the lower floor and the next record brings no key back",
    needsPowerCut: true,
    async run(context) {
      let store = await openedIn2100(context, MANUAL);
      await store.set("dirty", 1);
      context.platform.onOperation = ({ kind, path }) => {
        // The last step of replacing MANIFEST is done by then.
        const { clockFloor } = readManifest(context.platform.inner, context.directory)!;
        if (kind === "write" && path.endsWith(".seg") && clockFloor < YEAR_2100) throw new Error("the power goes");
      };
      await assertRejects(() => store.set("young", 1, { ttl: HOUR }));
      store = await context.reopenAfterPowerCut({}, MANUAL);
      assertEquals([...store.keys()], ["dirty", "later", "stays"]);
    },
  },
  {
    name: "clock: an import, and a version that is restored, live by it as well",
    async run(context) {
      const store = await openAt(context, MANUAL);
      await store.set("a", "first", { ttl: HOUR });
      const [version] = await store.history("a");
      await store.set("a", "second", { ttl: HOUR });
      context.clock.nowMs = YEAR_2100;
      assertEquals(store.size, 0);
      context.clock.nowMs = START;
      await store.restore("a", version!.seq);
      assertEquals([store.get("a"), store.expiresAt("a")], ["first", START + HOUR]);
    },
  },
  {
    name: "clock: steps back cost nothing where nothing is set to expire in between",
    async run(context) {
      const store = await openAt(context, MANUAL);
      await store.set("goes", 1, { ttl: 1000 });
      context.clock.nowMs = START + 1000;
      assertEquals(store.size, 0);
      for (let ms = 999; ms > 990; ms--) {
        context.clock.nowMs = START + ms;
        await store.set("k", ms, { ttl: 1000 });
      }
      assertEquals((await store.history("goes")).length, 1);
      // Only now, as it ends before what has expired. One tombstone, and no new manifest.
      const manifest = context.readFile("MANIFEST");
      await store.set("brief", 1, { ttl: 1 });
      assertEquals([store.has("brief"), (await store.history("goes")).length], [true, 2]);
      assertEquals(context.readFile("MANIFEST"), manifest);
    },
  },
  {
    name: "clock: forward and back, again and again, it costs the keys that it let expire",
    async run(context) {
      let store = await openAt(context, SMALL);
      await store.set("forever", 1);
      for (let round = 1; round <= 4; round++) {
        context.clock.nowMs = START + round;
        const keys = Array.from({ length: 40 }, (_, i) => `round ${round} key ${i}`);
        await Promise.all(keys.map((key) => store.set(key, "v".repeat(50), { ttl: HOUR })));
        assertEquals(store.size, 41);
        if (round % 2 === 0) await store.compact();
        context.clock.nowMs = YEAR_2100 + HOUR * (3 - round);
        assertEquals(store.size, 1);
        if (round === 2) await store.compact();
        if (round === 3) store = await context.reopen(store, SMALL);
        context.clock.nowMs = START + round;
        await store.set("back", 1, { ttl: HOUR });
        assertEquals([...store.keys()], ["back", "forever"]);
        await store.delete("back");
        assertEquals((await store.verify()).problems, []);
      }
    },
  },
  {
    name: "clock: snapshots and iterators keep their time while it is put right under them",
    async run(context) {
      const store = await openAt(context, MANUAL);
      await store.set("victim", "v", { ttl: HOUR });
      await store.set("stays", "v");
      using before = store.snapshot();
      const iterator = store.keys();
      context.clock.nowMs = YEAR_2100;
      assertEquals(store.size, 1);
      using ahead = store.snapshot();
      context.clock.nowMs = START;
      await store.set("young", 1, { ttl: HOUR });
      await store.set("victim", "again", { ttl: HOUR });
      using after = store.snapshot();
      await store.compact();
      assertEquals(contents(before), [["stays", "v"], ["victim", "v"]]);
      assertEquals([...iterator], ["stays", "victim"]);
      assertEquals(contents(ahead), [["stays", "v"]]);
      assertEquals(contents(after), [["stays", "v"], ["victim", "again"], ["young", 1]]);
      assertEquals([before.size, ahead.size, after.size], [2, 1, 3]);
    },
  },
  {
    name: "clock: a watch is told of the keys that were lost to it as of deletes, once it is right",
    async run(context) {
      const store = await openAt(context, MANUAL);
      await store.set("victim", "v", { ttl: HOUR });
      await using watch = store.watch();
      context.clock.nowMs = YEAR_2100;
      assertEquals(store.size, 0);
      context.clock.nowMs = START;
      await store.set("young", 1, { ttl: HOUR });
      const changes = [await watch.next(), await watch.next()].map(({ value }) =>
        `${value!.type} ${(value as { key: Key }).key}`
      );
      assertEquals(changes, ["delete victim", "set young"]);
    },
  },
  {
    name: "clock: where it cannot be put right, the call rejects, and all is as before",
    async run(context) {
      for (const operation of ["rename", "sync", "write"] as const) {
        const store = await openedIn2100(context, MANUAL);
        context.platform.onOperation = ({ kind }) => {
          if (kind === operation) throw new Error(`no ${operation}`);
        };
        const error = await assertRejects(() => store.set("young", 1, { ttl: 500 }));
        assert(String(error).includes(`no ${operation}`), String(error));
        await assertRejects(() => store.batch([{ type: "set", key: "young", value: 1, ttl: 500 }]));
        assertEquals([...store.keys()], ["later", "stays"]);
        context.platform.onOperation = undefined;
        await store.close().catch(() => {});
        const again = await context.open(MANUAL);
        assertEquals([...again.keys()], ["later", "stays"]);
        await again.set("young", 1, { ttl: 500 });
        assertEquals([...again.keys()], ["later", "stays", "young"]);
        await again.clear();
        await again.close();
      }
    },
  },
  {
    name: "clock: a write that is taken back takes no key back that has expired",
    async run(context) {
      for (const failing of [1, 2]) {
        const store = await openAt(context, MANUAL);
        await store.set("victim", "v", { ttl: HOUR });
        context.clock.nowMs = YEAR_2100;
        assertEquals(store.size, 0);
        context.clock.nowMs = START;
        let writes = 0;
        context.platform.onOperation = ({ kind, path }) => {
          if (kind === "write" && path.endsWith(".seg") && ++writes === failing) throw new Error("no write");
        };
        await assertCode(store.set("young", 1, { ttl: HOUR }), "IO");
        context.platform.onOperation = undefined;
        assertEquals([...store.keys()], [], `write ${failing}`);
        await store.set("young", 1, { ttl: HOUR });
        assertEquals([...store.keys()], ["young"]);
        await store.clear();
        await store.close();
      }
    },
  },
  {
    name: "clock: a compaction that began while it was ahead drops nothing that is set meanwhile",
    async run(context) {
      const store = await openAt(context, SMALL);
      await Promise.all(Array.from({ length: 60 }, (_, i) => store.set(`k${i}`, "v".repeat(100), { ttl: HOUR })));
      await fill(store, 60);
      context.clock.nowMs = YEAR_2100;
      for (let turns = 0; turns < 30; turns++) {
        context.clock.nowMs = YEAR_2100;
        assertEquals(store.size, 60);
        const done = store.compact();
        for (let turn = 0; turn < turns; turn++) await nextTurn();
        context.clock.nowMs = START;
        for (let i = 0; i < 60; i += 2) await store.set(`k${i}`, turns, { ttl: HOUR, durability: "write" });
        await done;
        assertEquals(store.size, 90);
        for (let i = 0; i < 60; i++) assertEquals(store.get(`k${i}`), i % 2 === 0 ? turns : undefined);
      }
    },
  },
  {
    name: "clock: whatever it says, sums stay times, and what it says later counts",
    async run(context) {
      let store = await openAt(context, MANUAL);
      for (const [i, nowMs] of [NaN, -5e15, 0, 1.5, Infinity, -Infinity, 2 ** 53 + 2, 1e300, 8.64e15].entries()) {
        await store.set("k", i, { ttl: HOUR });
        context.clock.nowMs = nowMs;
        assertEquals(store.has("k"), !(nowMs > START && nowMs < Infinity), String(nowMs));
        await store.set("odd", i, { ttl: 0.5 });
        await store.set("long", i, { ttl: 2 ** 52 });
        const times = ["odd", "long"].map((key) => store.expiresAt(key) ?? 1);
        assert(times.every(Number.isSafeInteger), `${nowMs}: ${times}`);
        store = await context.reopen(store, MANUAL);
        store.stats();
        context.clock.nowMs = START;
        await store.set("now", i, { ttl: 10 });
        assertEquals([store.get("now"), store.expiresAt("now")], [i, START + 10], String(nowMs));
        context.clock.nowMs = START + 10;
        assertEquals(store.has("now"), false);
        context.clock.nowMs = START;
      }
    },
  },
  // Such a floor made keys that expire unreadable for good, and a ttl gave a time that no record can hold.
  {
    name: "clock: a floor that is forged costs the keys that expire, and no later ones",
    async run(context) {
      for (const clockFloor of [YEAR_2100, 8.64e15, 8.64e15 + 1, Number.MAX_SAFE_INTEGER]) {
        let store = await openAt(context, MANUAL);
        await store.set("victim", 1, { ttl: HOUR });
        await store.set("stays", 1);
        await store.close();
        const manifest = readManifest(context.platform, context.directory)!;
        context.overwrite("MANIFEST", 0, encodeManifest({ ...manifest, clockFloor }));
        store = await context.open(MANUAL);
        assertEquals([...store.keys()], ["stays"]);
        await store.set("young", 1, { ttl: 500 });
        await store.set("last", 1, { expiresAt: Number.MAX_SAFE_INTEGER });
        assertEquals([...store.keys()], ["last", "stays", "young"]);
        assertEquals(store.expiresAt("young"), START + 500);
        store = await context.reopen(store, MANUAL);
        assertEquals([...store.keys()], ["last", "stays", "young"]);
        await store.clear();
        await store.close();
      }
    },
  },
];
