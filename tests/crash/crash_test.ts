/**
 * Crashes at every operation of scenarios: see `crash_sweep.ts`.
 *
 * @module
 */

import { assert } from "@std/assert";
import { onEmptyDisk, onExpiring, runOf } from "./support/crash_cases.ts";
import { casesOf, oneIn, SEED } from "./support/crash_replay.ts";
import {
  ANY,
  assertRecovers,
  CRUEL,
  CUT,
  goDown,
  isChange,
  KILLED,
  type Moment,
  momentOf,
  sweepCrashes,
  sweepSecondCrashes,
  sweepSuccessors,
  TORN,
} from "./support/crash_sweep.ts";
import { withSeed } from "./support/disk.ts";
import type { Operation } from "../support/memory_platform.ts";
import { IMAGES, LARGE, SMALL } from "./support/scenario.ts";

Deno.test("the process dies at every operation: written records survive", async (t) => {
  const cases = casesOf(t);
  await sweepCrashes(await onExpiring(SMALL), cases, { ways: KILLED });
  console.log(`${cases.count} deaths`);
});

Deno.test("the power fails at every operation: acknowledged writes survive", async (t) => {
  const cases = casesOf(t);
  await sweepCrashes(await onExpiring(SMALL), cases, { ways: { ...CUT, ...TORN } });
  console.log(`${cases.count} power cuts`);
});

Deno.test("what a store acknowledges after the death of its predecessor survives a power cut", async (t) => {
  const cases = casesOf(t);
  await sweepSuccessors(await onExpiring(SMALL), cases);
  console.log(`${cases.count} successors`);
});

Deno.test("a second crash at every operation of recovery", async (t) => {
  const cases = casesOf(t);
  await sweepSecondCrashes(await onExpiring(SMALL), cases, {
    first: { ...KILLED, ...ANY },
    ways: CRUEL,
    every: oneIn(47),
  });
  console.log(`${cases.count} second crashes`);
});

Deno.test("power cuts during a compaction: what made a record stale is durable before it goes", async (t) => {
  const cases = casesOf(t);
  const subject = onEmptyDisk([]);
  const run = runOf(subject);
  const moments: Moment[] = [];
  const keys = Array.from({ length: 24 }, (_, i) => `key ${i}`);
  await withSeed(SEED, async () => {
    await run.open();
    for (const key of keys) run.set(key, key.repeat(80));
    // So that there is something to win in every segment.
    for (let i = 0; i < keys.length; i += 5) run.set(keys[i]!, "overwritten");
    await run.settled();
    run.platform.onOperation = (operation) => {
      if (isChange(operation)) moments.push(momentOf(run, operation));
    };
    // Between the groups of a compaction, keys that it has not come to yet are written: to the page cache only.
    const turn = run.platform.syncTurn;
    run.platform.syncTurn = async () => {
      const key = keys.pop();
      if (key !== undefined) run.set(key, "newer", "write");
      await turn();
    };
    run.compact();
    await run.settled();
    run.platform.syncTurn = turn;
    await run.close();
  });
  assert(keys.length < 23, "compaction had several groups");
  for (const moment of moments) {
    await cases.run(moment.id, (random) => assertRecovers(goDown(moment, "all lost", CUT, random), subject));
  }
});

Deno.test("a crash at every operation while images of the index are written", async (t) => {
  const cases = casesOf(t);
  // Nobody looks at an image before it has its name: of its hundreds of writes some will do.
  const isWanted = ({ kind, path, count }: Operation) =>
    !path.includes("INDEX") || kind !== "write" || count % oneIn(5) === 0;
  await sweepCrashes(onEmptyDisk(IMAGES), cases, { ways: ANY, isWanted, isThorough: false });
  console.log(`${cases.count} crashes`);
});

Deno.test("crashes in a store of a thousand keys", async (t) => {
  const cases = casesOf(t);
  const isWanted = ({ path, count }: { path: string; count: number }) =>
    count % oneIn(path.includes("INDEX") ? 97 : 5) === 0;
  await sweepCrashes(onEmptyDisk(LARGE), cases, { ways: ANY, isWanted, isThorough: false });
  console.log(`${cases.count} crashes`);
});
