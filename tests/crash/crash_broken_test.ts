/**
 * The sweeps catch stores that are broken on purpose, and find nothing in one that is not.
 *
 * @module
 */

import { AssertionError, assertRejects } from "@std/assert";
import {
  ACKNOWLEDGING_EARLY,
  BELIEVING_RENAMES,
  BELIEVING_WRITES,
  SOUND,
  TRYING_AGAIN,
  WITHOUT_BARRIER,
  WITHOUT_DIRECTORY_SYNC,
  WITHOUT_MANIFEST_SYNC,
  WITHOUT_SEGMENT_SYNC,
} from "./support/crash_broken.ts";
import { CASES_IN_TURN } from "../support/sweep.ts";
import { Cases, onExpiring, type Subject } from "./support/crash_cases.ts";
import { SEED } from "./support/crash_replay.ts";
import { ANY, CUT, KILLED, sweepCrashes, TORN } from "./support/crash_sweep.ts";
import { ONCE, SHORT_THEN_NOTHING, sweepFaults } from "./support/fault_sweep.ts";
import { sweepSyncFailures } from "./support/fault_sync_sweep.ts";
import { SMALL } from "./support/scenario.ts";

type Sweep = (subject: Subject, cases: Cases) => Promise<unknown>;

const powerCuts: Sweep = (subject, cases) => sweepCrashes(subject, cases, { ways: { ...CUT, ...TORN } });
const writeFaults: Sweep = (subject, cases) => sweepFaults(subject, cases, { fault: SHORT_THEN_NOTHING });
// There are few renames: no case is left out.
const renameFaults: Sweep = (subject) =>
  sweepFaults(subject, new Cases(SEED), { fault: { ...ONCE, begins: ({ kind }) => kind === "rename" } });
const lost = "no prefix of the history|does not open|verify before opening";

/** What is broken, the sweep that catches it, and what it says. */
const BROKEN: [name: string, wrap: Subject["wrap"], sweep: Sweep, says: string][] = [
  ["without syncs of directories", WITHOUT_DIRECTORY_SYNC, powerCuts, lost],
  ["without a sync of the manifest before its rename", WITHOUT_MANIFEST_SYNC, powerCuts, lost],
  ["without a sync of segments before the manifest lists them", WITHOUT_SEGMENT_SYNC, powerCuts, lost],
  ["without the sync before a rotation", WITHOUT_BARRIER, powerCuts, lost],
  ["that acknowledges before the sync", ACKNOWLEDGING_EARLY, powerCuts, lost],
  ["that tries a failed sync again", TRYING_AGAIN, sweepSyncFailures, lost],
  ["that takes every write for whole", BELIEVING_WRITES, writeFaults, "Values are not equal|CORRUPT|damaged"],
  [
    "that takes every rename for done",
    BELIEVING_RENAMES,
    renameFaults,
    "Values are not equal|CORRUPT|damaged|NOT_FOUND",
  ],
];

for (const [name, wrap, sweep, says] of BROKEN) {
  Deno.test(`a store ${name} is caught`, async () => {
    const subject = { ...await onExpiring(SMALL), wrap: wrap! };
    const error = await assertRejects(() => sweep(subject, new Cases(SEED, { oneIn: CASES_IN_TURN })), AssertionError);
    if (!new RegExp(says).test(error.message)) throw error;
    console.log(error.message.split("\n").slice(0, 2).join("\n"));
  });
}

Deno.test("a store with a sound platform between it and its disk is not", async () => {
  const subject = { ...await onExpiring(SMALL.slice(0, 6)), wrap: SOUND };
  await sweepCrashes(subject, new Cases(SEED, { oneIn: CASES_IN_TURN }), { ways: { ...KILLED, ...ANY } });
});
