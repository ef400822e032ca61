/**
 * Commits on the simulated disk: the process dies, or the power fails, at every operation. What is left holds the first
 * so many commits, each as a whole, with all that were acknowledged, and versionstamps go on above all that were given
 * out. And where the disk fails a write, no read has ever shown what was taken back.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { Database } from "../../src/kv/database.ts";
import { Kv } from "../../src/kv/kv.ts";
import { mark } from "../../src/kv/mark.ts";
import { casesOf, SEED } from "../crash/support/crash_replay.ts";
import { CUT, isChange, KILLED, TORN } from "../crash/support/crash_sweep.ts";
import { brokenDisk, newMachine, withSeed } from "../crash/support/disk.ts";
import { assertIntact, DIRECTORY, OPTIONS } from "../crash/support/scenario.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";

const WAYS = { ...KILLED, ...CUT, ...TORN };
/** Enough that a few take a segment. */
const TEXT = "x".repeat(300);

async function open(platform: MemoryPlatform): Promise<Kv> {
  const store = await KvStore.openOn<Uint8Array>(platform, DIRECTORY, OPTIONS);
  await mark(store);
  return new Kv(new Database(store, {}, () => store.close()));
}

/** The commit of a number: keys that come and go, a counter, an index. Every fourth one changes nothing. */
function commit(kv: Kv, i: number): Promise<{ ok: boolean; versionstamp?: string }> {
  if (i % 4 === 3) return kv.atomic().check({ key: ["none"], versionstamp: null }).delete(["none"]).commit();
  return kv.atomic().set(["entry", i], TEXT).set(["number"], i).sum(["count"], 1n).delete(["entry", i - 3]).commit();
}

/** What there is once all commits up to a number are made, by key. */
function expected(last: number): Map<string, unknown> {
  const made = Array.from({ length: last + 1 }, (_, i) => i).filter((i) => i % 4 !== 3);
  const state = new Map<string, unknown>();
  for (const i of made) {
    state.set(`entry,${i}`, TEXT).set("number", i).set("count", BigInt(made.indexOf(i) + 1));
    state.delete(`entry,${i - 3}`);
  }
  return state;
}

async function contents(kv: Kv): Promise<{ state: Map<string, unknown>; versionstamps: Set<string> }> {
  const state = new Map<string, unknown>();
  const versionstamps = new Set<string>();
  for await (const { key, value, versionstamp } of kv.list({ prefix: [] })) {
    state.set(key.join(), key[0] === "count" ? (value as { value: bigint }).value : value);
    versionstamps.add(versionstamp);
  }
  return { state, versionstamps };
}

/** What was promised by a moment. */
interface Promised {
  last: number;
  versionstamp: string;
}

/** What is left holds a number of commits; the next one has a versionstamp above all that there were. */
async function assertLeft(left: MemoryPlatform, promised: Promised, where: string): Promise<void> {
  const kv = await open(left);
  const { state, versionstamps } = await contents(kv);
  const last = state.get("number") as number | undefined ?? -1;
  // A commit without effect shows nowhere.
  assert(last >= promised.last - (promised.last % 4 === 3 ? 1 : 0), `${where}: ${last} of ${promised.last}`);
  assertEquals(state, expected(last), where);
  // One without effect first: its versionstamp must be new, too.
  for (const i of [3, 4]) {
    const { versionstamp } = await commit(kv, i);
    for (const former of [...versionstamps, promised.versionstamp]) {
      assert(versionstamp! > former, `${where}: ${versionstamp} after ${former}`);
    }
    versionstamps.add(versionstamp!);
  }
  await kv[Symbol.asyncDispose]();
  await assertIntact(left, where);
}

Deno.test("kv: a commit is there as a whole after a crash, and its versionstamp is never given out again", async (t) => {
  const crashes = casesOf(t);
  const moments: { platform: MemoryPlatform; promised: Promised; id: string }[] = [];
  await withSeed(SEED, async () => {
    const platform = newMachine();
    const promised = { last: -1, versionstamp: "" };
    platform.onOperation = (operation) => {
      if (!isChange(operation)) return;
      moments.push({ platform: platform.fork(), promised: { ...promised }, id: String(operation.count) });
    };
    const note = (i: number) => ({ ok, versionstamp }: { ok: boolean; versionstamp?: string }) => {
      assert(ok && versionstamp! > promised.versionstamp);
      Object.assign(promised, { last: i, versionstamp });
    };
    // One after the other, several at a time, and with the store closed and opened in between.
    for (const round of [0, 1]) {
      const kv = await open(platform);
      for (let i = 12 * round; i < 12 * round + 4; i++) await commit(kv, i).then(note(i));
      const group = Array.from({ length: 8 }, (_, i) => 12 * round + 4 + i);
      await Promise.all(group.map((i) => commit(kv, i).then(note(i))));
      await kv[Symbol.asyncDispose]();
    }
    assertEquals(promised.last, 23);
  });
  for (const { platform, promised, id } of moments) {
    for (const [way, goDown] of Object.entries(WAYS)) {
      await crashes.run(`${id} ${way}`, async (random) => {
        await assertLeft(goDown(platform, random), promised, `${id} ${way}`);
      });
    }
  }
  assert(moments.length > 30, `${moments.length} moments`);
});

Deno.test("kv: no read and no check shows what is taken back", async () => {
  const platform = newMachine();
  const kv = await open(platform);
  await kv.set(["a"], "old");
  for (const round of [1, 2, 3]) {
    // From here on the handle knows that all is durable.
    assertEquals((await kv.get(["b"])).value, null);
    platform.onOperation = (operation) => {
      if (operation.kind === "write" && operation.path.endsWith(".seg")) throw brokenDisk(operation);
    };
    const list = kv.list({ prefix: [] });
    const failing = [
      kv.atomic().set(["a"], "new").set(["b"], round).commit(),
      kv.delete(["a"]),
      kv.atomic().sum(["n"], 1n).commit(),
    ].map((promise) => assertRejects(() => promise, Error, "injected"));
    const reads = [
      kv.get(["a"]).then(({ value }) => value),
      kv.get(["b"]).then(({ value }) => value),
      kv.getMany([["n"], ["a"]]).then((entries) => entries.map(({ value }) => value)),
      list.next().then(({ value }) => value?.key),
      list.next().then(({ done }) => done),
    ];
    assertEquals(await Promise.all(reads), ["old", null, [null, "old"], ["a"], true]);
    await Promise.all(failing);
    platform.onOperation = undefined;
  }
  // What a check or a sum fails on may be pending: they fail only if that lasts.
  const setting = kv.atomic().set(["c"], 1).set(["e"], "no number").commit();
  platform.onOperation = (operation) => {
    if (operation.kind !== "write" || !operation.path.endsWith(".seg")) return;
    platform.onOperation = undefined;
    throw brokenDisk(operation);
  };
  const checking = kv.atomic().check({ key: ["c"], versionstamp: null }).set(["d"], 1).commit();
  const adding = kv.atomic().sum(["e"], 1n).commit();
  await assertRejects(() => setting, Error, "injected");
  assert((await checking).ok);
  assert((await adding).ok);
  assertEquals((await kv.get(["d"])).value, 1);
  await kv[Symbol.asyncDispose]();
});

Deno.test("kv: once a sync has failed, only what is known to be durable is shown", async () => {
  const platform = newMachine();
  const kv = await open(platform);
  await kv.set(["a"], "old");
  platform.onOperation = (operation) => {
    if (operation.kind === "sync") throw brokenDisk(operation);
  };
  await assertRejects(() => kv.set(["b"], "new"));
  assertEquals((await kv.get(["a"])).value, "old");
  await assertRejects(() => kv.get(["b"]));
  await assertRejects(() => kv.list({ prefix: [] }).next());
  await assertRejects(() => kv[Symbol.asyncDispose]());
});
