/**
 * A round of the soak: random steps, and with them crashes, one after the other, faults, failed syncs and full disks at
 * random operations, checked as in the sweeps.
 *
 * @module
 */

import type { Durability, Value } from "../../../mod.ts";
import { Random } from "../../support/random.ts";
import type { SoakFigures } from "./round.ts";
import { Cases, onEmptyDisk, onExpiring, type Subject } from "../../crash/support/crash_cases.ts";
import { ANY, assertRecovers, goDown, KILLED, type Moment, momentsOf, open } from "../../crash/support/crash_sweep.ts";
import { runUntilFull } from "../../crash/support/disk_full_sweep.ts";
import {
  GONE,
  NO_DESCRIPTOR,
  NO_PERMISSION,
  OF_A_KIND,
  ONCE,
  READ_ONLY,
  runWithFault,
  SHORT_THEN_FULL,
  SHORT_THEN_NOTHING,
} from "../../crash/support/fault_sweep.ts";
import { runWithSyncFailure } from "../../crash/support/fault_sync_sweep.ts";
import { contentsOf } from "../../crash/support/history.ts";
import { reopen, type Run, type Step, withSnapshot } from "../../crash/support/scenario.ts";

const FAULTS = [
  ONCE,
  OF_A_KIND,
  GONE,
  READ_ONLY,
  NO_DESCRIPTOR,
  NO_PERMISSION,
  SHORT_THEN_FULL,
  SHORT_THEN_NOTHING,
];
/** Crashes one after the other, each with some steps between. */
const LIVES = 3;
/** Crashes at other moments of each life, each looked at by itself. */
const CRASHES = 5;
const MAX_OPERATIONS = 300;

type Act = (run: Run) => void;

function durabilityFrom(random: Random): Durability {
  return random.chance(0.5) ? "sync" : "write";
}

function keyFrom(random: Random): string {
  return random.chance(0.1) ? `e${random.below(6)}` : `k${random.below(16)}`;
}

function valueFrom(random: Random): Value {
  const length = random.pick([0, 8, 8, 60, 300, 700, 1200, 5000]);
  if (random.chance(0.2)) return { n: random.below(1000), list: [length] };
  return random.chance(0.5) ? random.bytes(length) : String(random.below(10)).repeat(length);
}

/** One call that writes. All that is random is settled before the run, so that every run of a round is the same. */
function writeFrom(random: Random): Act {
  const durability = durabilityFrom(random);
  const key = keyFrom(random);
  const value = valueFrom(random);
  if (random.chance(0.02)) return (run) => run.clear();
  if (random.chance(0.003)) {
    const many = Array.from({ length: 1000 }, (_, i) => `i${i}`);
    return (run) => run.batch(many, "", durability);
  }
  if (random.chance(0.25)) return (run) => run.delete(key, durability);
  if (random.chance(0.7)) return (run) => run.set(key, value, durability);
  const names = new Set(Array.from({ length: random.between(1, 14) }, () => keyFrom(random)));
  const keys = Array.from(names, (name) => random.chance(0.3) ? `${name}!` : name);
  return (run) => run.batch(keys, value, durability);
}

/** Some calls that are made without waiting for one another. */
function actFrom(random: Random, most: number): Act {
  const acts = Array.from({ length: random.between(1, most) }, () => writeFrom(random));
  return (run) => acts.forEach((act) => act(run));
}

function stepFrom(random: Random): Step {
  const before = actFrom(random, 4);
  const after = actFrom(random, 4);
  const isCompacting = random.chance(0.5);
  switch (random.below(9)) {
    case 0:
      return reopen;
    case 1:
      return (run) => {
        before(run);
        run.compact();
        after(run);
      };
    case 2:
      return (run) => {
        before(run);
        run.backup();
        after(run);
        if (isCompacting) run.compact();
      };
    case 3:
      return (run) =>
        withSnapshot(run, () => {
          before(run);
          if (isCompacting) run.compact();
          after(run);
        });
    case 4:
      return (run) => {
        before(run);
        run.flush();
      };
    default:
      return actFrom(random, 9);
  }
}

function stepsFrom(random: Random): Step[] {
  return Array.from({ length: random.between(3, 10) }, () => stepFrom(random));
}

async function subjectFrom(random: Random): Promise<Subject> {
  const steps = stepsFrom(random);
  const compaction = random.chance(0.3)
    ? { auto: true, staleRatio: 0.1 + random.fraction() / 2, minStaleBytes: random.below(3000) }
    : { auto: false };
  const open = { segmentBytes: random.pick([4096, 4096, 5000, 20_000]), compaction };
  return { ...(random.chance(0.5) ? onEmptyDisk(steps) : await onExpiring(steps)), open };
}

/** What is left after a crash of a life, opened once; the next life begins without its having been closed. */
async function nextLife(subject: Subject, moment: Moment, random: Random): Promise<Subject> {
  const { platform, history, after, name } = moment;
  const store = await open(platform, subject, name);
  history.settle(contentsOf(store, history.keys), after, name);
  const machine = random.chance(0.5) ? platform.fork() : platform.image();
  await store.close();
  return { ...subject, steps: stepsFrom(random), machine, history };
}

/** Several crashes, one after the other; what every moment of each life would leave is looked at, too. */
async function crashes(first: Subject, cases: Cases, random: Random): Promise<void> {
  let subject = first;
  for (let life = 1; life <= LIVES; life++) {
    const moments = await momentsOf(subject, () => random.chance(0.15));
    if (moments.length === 0) return;
    for (let i = 0; i < CRASHES; i++) {
      const moment = random.pick(moments);
      await cases.run(`life ${life}, ${moment.id} ${i}`, async (numbers) => {
        await assertRecovers(goDown(moment, "any", ANY, numbers), subject, random.chance(0.5));
      });
    }
    const last = random.pick(moments);
    const ways = random.chance(0.5) ? KILLED : ANY;
    await cases.run(`life ${life}, its end`, async (numbers) => {
      subject = await nextLife(subject, goDown(last, Object.keys(ways)[0]!, ways, numbers), random);
    });
  }
}

async function faults(subject: Subject, cases: Cases, random: Random): Promise<void> {
  for (let i = 0; i < 3; i++) {
    const fault = random.pick(FAULTS);
    const n = random.between(1, MAX_OPERATIONS);
    const patience = random.below(4);
    const tally = { rejected: 0, reported: 0, unnoticed: [] };
    await cases.run(`${fault.name} ${n} ${patience}`, async () => {
      await runWithFault(subject, { fault, n, patience }, tally);
    });
  }
  const n = random.between(1, MAX_OPERATIONS / 5);
  const isLate = random.chance(0.5);
  await cases.run(`sync ${n}`, async (numbers) => {
    await runWithSyncFailure(subject, { n, isLate, random: numbers });
  });
  const write = random.between(1, MAX_OPERATIONS / 4);
  const share = random.fraction();
  await cases.run(`full ${write}`, async () => {
    await runUntilFull(subject, write, share);
  });
}

/** A round: see above. */
export async function soakRound(seed: number): Promise<SoakFigures> {
  const random = new Random(seed);
  const cases = new Cases(seed, {
    command: (id) => `deno run -A tests/soak/support/rounds.ts --only crash --seconds 0.001 --seed ${seed}   (${id})`,
  });
  const subject = await subjectFrom(random);
  await crashes(subject, cases, random);
  await faults(subject, cases, random);
  // Each case compares what is there when the store is opened, and again after it was written to and closed.
  return { faults: cases.count, states: 2 * cases.count };
}
