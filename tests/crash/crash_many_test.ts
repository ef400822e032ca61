/**
 * The same sweeps on a store of more than a hundred segments, with every setting at its smallest: each operation of an
 * open is swept, of the rest every so many.
 *
 * @module
 */

import { assert } from "@std/assert";
import { onManySegments, type Subject } from "./support/crash_cases.ts";
import { casesOf, oneIn } from "./support/crash_replay.ts";
import { ANY, CRUEL, momentsOf, sweepCrashes, sweepSecondCrashes } from "./support/crash_sweep.ts";
import { assertNoticed, GONE, ONCE, sweepFaults } from "./support/fault_sweep.ts";
import { MANY } from "./support/scenario.ts";

/** The store after a crash in the middle of the steps: to be opened and nothing else. */
async function crashed(): Promise<Subject> {
  const subject = await onManySegments(MANY);
  const moments = await momentsOf(subject);
  const { platform, history } = moments[moments.length >> 1]!;
  return { steps: [], machine: platform, history };
}

/** All compaction there is: two segments are rewritten as soon as a byte can be won. */
const EAGER = { compaction: { auto: true, staleRatio: 0.000_001, minStaleBytes: 0 } };

Deno.test("many segments: crashes", async (t) => {
  const cases = casesOf(t);
  const subject = await onManySegments(MANY);
  assert(subject.machine.files().filter((path) => path.endsWith(".seg")).length >= 100);
  const isWanted = ({ count }: { count: number }) => count % oneIn(6) === 0;
  await sweepCrashes(subject, cases, { ways: ANY, isWanted, isThorough: false });
  console.log(`${cases.count} crashes`);
});

Deno.test("many segments: crashes while compaction runs by itself", async (t) => {
  const cases = casesOf(t);
  const isWanted = ({ count }: { count: number }) => count % oneIn(9) === 0;
  await sweepCrashes({ ...await onManySegments(MANY), open: EAGER }, cases, { ways: ANY, isWanted, isThorough: false });
  console.log(`${cases.count} crashes`);
});

Deno.test("many segments: a second crash at every operation of recovery", async (t) => {
  const cases = casesOf(t);
  await sweepSecondCrashes(await onManySegments(MANY), cases, { first: ANY, ways: CRUEL, every: oneIn(60) });
  console.log(`${cases.count} second crashes`);
});

for (const fault of [ONCE, GONE]) {
  Deno.test(`many segments: operations of an open meet ${fault.name}`, async (t) => {
    const every = fault === ONCE ? 1 : oneIn(3);
    assertNoticed(await sweepFaults(await crashed(), casesOf(t), { fault, every }), fault.name);
  });

  Deno.test(`many segments: operations meet ${fault.name}`, async (t) => {
    assertNoticed(await sweepFaults(await onManySegments(MANY), casesOf(t), { fault, every: oneIn(61) }), fault.name);
  });
}
