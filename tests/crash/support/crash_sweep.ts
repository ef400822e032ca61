/**
 * The process dies, or the power fails, before every operation that changes something on the disk, and half-way through
 * every write: afterwards the store opens, holds a prefix of the history with everything that was acknowledged, and
 * goes on.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type Durability, KvStore, KvStoreError } from "../../../mod.ts";
import { verifyOn } from "../../../src/check/verify.ts";
import type { MemoryPlatform, Operation, PowerCut } from "../../support/memory_platform.ts";
import { type Cases, runOf, type Subject } from "./crash_cases.ts";
import { assertExpiries } from "./crash_expiring.ts";
import { CHANGES, KEEP_ALL, LOSE_ALL, randomCut } from "./disk.ts";
import { codeOf, contentsOf, type History } from "./history.ts";
import { assertIntact, type Backup, DIRECTORY, OPTIONS, runSteps } from "./scenario.ts";

/** A moment of a run: what its process had written by then, and what its callers knew. */
export interface Moment {
  /** The machine as the death of the process at this moment leaves it. */
  platform: MemoryPlatform;
  history: History;
  backups: Backup[];
  /** What the history is to be held against: that of the death of a process, unless there was a power cut before. */
  after: Durability;
  /** Number of the operation that was about to happen. */
  id: string;
  name: string;
}

/** Ways to go down: what is left of the machine at a moment. */
export type Ways = Record<string, (platform: MemoryPlatform, random: () => number) => MemoryPlatform>;

const cutting = (cut: (random: () => number) => PowerCut): Ways[string] => (platform, random) =>
  platform.image(cut(random));

/** The process dies. */
export const KILLED: Ways = { killed: (platform) => platform.fork() };
/** The power fails, with nothing or everything of the unsynced on the disk. */
export const CUT: Ways = { "all lost": cutting(() => LOSE_ALL), "all kept": cutting(() => KEEP_ALL) };
/** The power fails while the disk is writing. */
export const TORN: Ways = {
  "torn 512": cutting((random) => randomCut(random(), 512)),
  "torn 4096": cutting((random) => randomCut(random(), 4096)),
};
/** The death of the process and the two cruellest cuts. */
export const CRUEL: Ways = { ...KILLED, "all lost": CUT["all lost"]!, "torn 512": TORN["torn 512"]! };
/** One of them all. */
export const ANY: Ways = {
  any: (platform, random) => {
    const way = random() % 5;
    return way === 0 ? platform.fork() : platform.image(way === 1 ? LOSE_ALL : randomCut(random()));
  },
};

/** Whether an operation may change what a crash leaves: a crash before any other is one before the next of these. */
export function isChange({ kind, path, mode }: Operation): boolean {
  return CHANGES.includes(kind) && mode !== "read" && !path.endsWith("/LOCK");
}

/** Runs a subject once and notes its moments; every write goes in two halves, so that it can be met half-way. */
export async function momentsOf(
  subject: Subject,
  isWanted: (operation: Operation) => boolean = () => true,
): Promise<Moment[]> {
  const run = runOf(subject);
  const moments: Moment[] = [];
  let isRest = false;
  run.platform.onOperation = (operation) => {
    if (isChange(operation) && isWanted(operation)) moments.push(momentOf(run, operation));
    // The hundreds of writes of an image need not be cut in half: nobody looks at it before it has its name.
    if (operation.kind !== "write" || operation.bytes! < 2 || operation.path.includes("INDEX")) return;
    isRest = !isRest;
    if (isRest) return operation.bytes! >> 1;
  };
  await runSteps(run, subject.steps);
  await run.close();
  return moments;
}

/** A moment of a run that goes on. */
export function momentOf(
  { platform, history, backups }: { platform: MemoryPlatform; history: History; backups: Backup[] },
  { kind, path, count }: Operation,
): Moment {
  return {
    platform: platform.fork(),
    history: history.copy(),
    backups: backups.map((backup) => ({ ...backup })),
    after: "write",
    id: String(count),
    name: `before ${kind} of ${path} (operation ${count})`,
  };
}

/** What is left after going down at a moment. */
export function goDown(moment: Moment, way: string, ways: Ways, random: () => number): Moment {
  const isKill = way in KILLED;
  const { history, platform, name } = moment;
  return {
    ...moment,
    platform: ways[way]!(platform, random),
    history: history.copy(),
    // One of any kind is held against what holds for all of them.
    after: isKill ? moment.after : "sync",
    name: `${way} ${name}`,
  };
}

/** Goes down at every moment, in each of those ways. */
export async function sweepCrashes(
  subject: Subject,
  cases: Cases,
  options: { ways: Ways; isWanted?: (operation: Operation) => boolean; isThorough?: boolean },
): Promise<void> {
  const { ways, isWanted, isThorough = true } = options;
  for (const moment of await momentsOf(subject, isWanted)) {
    for (const way of Object.keys(ways)) {
      await cases.run(`${moment.id} ${way}`, async (random) => {
        await assertRecovers(goDown(moment, way, ways, random), subject, isThorough);
      });
    }
  }
}

/** Goes down at moments, and again at every moment of the recovery that follows. */
export async function sweepSecondCrashes(
  subject: Subject,
  cases: Cases,
  options: { ways: Ways; first: Ways; every: number },
): Promise<void> {
  const moments = await momentsOf(subject);
  for (const [i, moment] of moments.entries()) {
    if (i % options.every !== 0) continue;
    for (const way of Object.keys(options.first)) {
      let seconds: Moment[] = [];
      await cases.run(`${moment.id} ${way}`, async (random) => {
        seconds = await momentsOfOpening(goDown(moment, way, options.first, random), subject);
        for (const second of seconds) {
          for (const secondWay of Object.keys(options.ways)) {
            cases.count++;
            await assertRecovers(goDown(second, secondWay, options.ways, random), subject, false);
          }
        }
      });
    }
  }
}

async function momentsOfOpening(moment: Moment, subject: Subject): Promise<Moment[]> {
  const { platform, history, backups, after, name } = moment;
  const moments: Moment[] = [];
  platform.onOperation = (operation) => {
    if (!isChange(operation)) return;
    const then = momentOf({ platform, history, backups }, operation);
    moments.push({ ...then, after, name: `${name}, then ${then.name} of recovery` });
  };
  const store = await open(platform, subject, name);
  platform.onOperation = undefined;
  await store.close();
  return moments;
}

/** A store opened after a death, and written to: what it acknowledges, and what it found, survives a power cut. */
export async function sweepSuccessors(subject: Subject, cases: Cases): Promise<void> {
  for (const moment of await momentsOf(subject)) {
    await cases.run(`${moment.id} successor`, async (random) => {
      const { platform, history, name } = goDown(moment, "killed", KILLED, random);
      const store = await open(platform, subject, name);
      history.settle(contentsOf(store, history.keys), "write", name);
      await history.write(store.set("~", name), "sync", ["~"], (contents) => void contents.set("~", name));
      for (const cut of [LOSE_ALL, randomCut(random())]) {
        const left = platform.image(cut);
        const after = `${name}, opened, then a power cut`;
        await assertRecovers(
          { ...moment, platform: left, history: history.copy(), after: "sync", name: after },
          subject,
        );
      }
      platform.crash();
      await store.close().catch(codeOf);
    });
  }
}

/** A store that opens, holds what it may, and goes on working. */
export async function assertRecovers(moment: Moment, subject: Subject, isThorough: boolean = false): Promise<void> {
  const { platform, history, backups, after, name } = moment;
  try {
    assertEquals((await verifyOn(platform, DIRECTORY, {})).problems, [], `${name}: verify before opening`);
  } catch (error) {
    const isMissing = KvStoreError.is(error) && error.code === "NOT_FOUND";
    assert(isMissing && history.isPossible("", after), `${name}: ${error}`);
  }
  let expected: string | undefined;
  for (let round = 0; round < (isThorough ? 2 : 1); round++) {
    const store = await open(platform, subject, name);
    const found = contentsOf(store, history.keys);
    if (expected === undefined) history.settle(found, after, name);
    else assertEquals(found, expected, `${name}: opened again`);
    assertEquals((await store.verify()).problems, [], `${name}: verify of the open store`);
    if (round === 0 && isThorough) {
      await store.batch([{ type: "set", key: "~", value: name }, { type: "delete", key: "big2" }]);
      await store.compact();
    }
    expected = contentsOf(store, history.keys);
    await store.close();
  }
  await assertIntact(platform, name);
  assertExpiries(platform, DIRECTORY, name);
  for (const backup of backups) await assertBackup(platform, backup, name);
}

/** A backup that was done is there; one that was not does not open, or is as whole. */
export async function assertBackup(platform: MemoryPlatform, backup: Backup, name: string): Promise<void> {
  const where = `${name}: ${backup.directory}`;
  let store: KvStore;
  try {
    store = await KvStore.openOn(platform, backup.directory, { create: false });
  } catch (error) {
    const isHalf = ["NOT_FOUND", "CORRUPT"].includes(codeOf(error));
    return assert(!backup.isDone && isHalf, `${where} does not open: ${error}`);
  }
  assertEquals(contentsOf(store), backup.contents, `${where} is a copy`);
  await store.close();
  await assertIntact(platform, where, backup.directory);
  assertExpiries(platform, backup.directory, where);
}

/** Opens the store that is left. */
export async function open(platform: MemoryPlatform, subject: Subject, name: string): Promise<KvStore> {
  try {
    return await KvStore.openOn(subject.wrap?.(platform) ?? platform, DIRECTORY, { ...OPTIONS, ...subject.open });
  } catch (error) {
    throw new Error(`${name}: the store does not open: ${error instanceof Error ? error.message : error}`);
  }
}
