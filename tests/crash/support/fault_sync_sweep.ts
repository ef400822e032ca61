/**
 * An fsync fails, once: whoever waited for it, and all who are queued, hear `FAILED`; nothing is tried again and
 * acknowledged; reads go on; closing rejects and writes nothing. What the failed sync was to save is not trusted after
 * reopening unless it was written anew: the simulated disk loses it at the next power cut, whatever later syncs say.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../../mod.ts";
import { decodeManifest } from "../../../src/engine/manifest.ts";
import { segmentName } from "../../../src/engine/segment.ts";
import { nextTurn } from "../../../src/platform/turn.ts";
import type { MemoryPlatform, Operation } from "../../support/memory_platform.ts";
import { type Cases, runOf, type Subject } from "./crash_cases.ts";
import { assertRecovers, isChange } from "./crash_sweep.ts";
import { brokenDisk, LOSE_ALL, randomCut } from "./disk.ts";
import { codeOf, contentsOf } from "./history.ts";
import { DIRECTORY, OPTIONS, type Run, runSteps } from "./scenario.ts";

/** Ends the steps of a run: what follows is of no interest. */
class Enough extends Error {}

/** Fails each sync of files and of directories, at once or after a while. Returns how often that failed the store. */
export async function sweepSyncFailures(subject: Subject, cases: Cases): Promise<number> {
  let failures = 0;
  for (const isLate of [false, true]) {
    let isOver = false;
    for (let n = 1; !isOver && n < 1e4; n++) {
      await cases.run(`sync ${n} ${isLate ? "late" : "at once"}`, async (random) => {
        const outcome = await runWithSyncFailure(subject, { n, isLate, random });
        isOver = outcome === "none";
        if (outcome === "failed") failures++;
      });
    }
  }
  return failures;
}

/** Runs the steps with one failed sync, and says whether there was one, and whether it failed the store. */
export async function runWithSyncFailure(
  subject: Subject,
  { n, isLate, random }: { n: number; isLate: boolean; random: () => number },
): Promise<"none" | "failed" | "survived"> {
  const run = runOf(subject, { isFaulty: true });
  const failure = failSync(run, n, isLate);
  const hasFailed = await untilFailed(run, subject, failure);
  if (hasFailed) await assertFailed(run, subject, failure, random);
  return failure.where === "" ? "none" : hasFailed ? "failed" : "survived";
}

interface SyncFailure {
  where: string;
  /** What was done to the store's files since then. */
  since: string[];
}

function failSync(run: Run, n: number, isLate: boolean): SyncFailure {
  const failure: SyncFailure = { where: "", since: [] };
  const { platform } = run;
  const turn = platform.syncTurn;
  let count = 0;
  let hasFailed = false;
  let isHeardOf = false;
  let made: string | undefined;
  platform.onOperation = (operation: Operation) => {
    const { kind, path } = operation;
    if (operation.mode === "create" && path.endsWith(".seg")) made = path;
    // A file that was being made, and that no manifest lists yet, may be given up; before the store hears of the
    // failure, a turn later, it may even be finished, and something else synced.
    const isBeingMade = path.endsWith("/INDEX.tmp") || (path === made && !isListed(platform, path));
    const isHarmless = isHeardOf ? isBeingMade && kind === "remove" : isBeingMade || kind.startsWith("sync");
    const isOfStore = path === DIRECTORY || path.startsWith(`${DIRECTORY}/`);
    if (hasFailed && isOfStore && isChange(operation) && !isHarmless) failure.since.push(`${kind} of ${path}`);
    if (failure.where !== "" || !kind.startsWith("sync") || ++count !== n) return;
    failure.where = `${kind} ${n} (of ${path}) fails ${isLate ? "late" : "at once"}`;
    const fail = () => {
      hasFailed = true;
      nextTurn().then(() => isHeardOf = true);
      throw brokenDisk(operation);
    };
    if (!isLate) fail();
    platform.syncTurn = async () => {
      platform.syncTurn = turn;
      await nextTurn();
      fail();
    };
  };
  return failure;
}

function isListed(platform: MemoryPlatform, path: string): boolean {
  const { segments } = decodeManifest(platform.readFile(`${DIRECTORY}/MANIFEST`));
  return segments.some(({ number }) => path.endsWith(`/${segmentName(number)}`));
}

/**
 * Runs the steps until one of them has failed the store. False if none did: then a sync that failed was that of
 * something else, a backup, and what was acknowledged in the step in which it failed is durable nevertheless.
 */
async function untilFailed(run: Run, subject: Subject, failure: SyncFailure): Promise<boolean> {
  const { history, platform, backups } = run;
  let isLooked = false;
  try {
    await runSteps(run, subject.steps, async () => {
      if (failure.where === "" || isLooked) return;
      const isFailed = await run.store!.flush().then(() => false, (error) => codeOf(error) === "FAILED");
      if (isFailed) throw new Enough();
      isLooked = true;
      const name = `${failure.where}, then a power cut`;
      const left = { platform: platform.image(LOSE_ALL), history: history.copy(), backups, after: "sync" as const };
      await assertRecovers({ ...left, id: "", name }, subject);
    });
    await run.close();
    return false;
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
    return true;
  }
}

async function assertFailed(run: Run, subject: Subject, failure: SyncFailure, random: () => number): Promise<void> {
  const { history, platform } = run;
  const { where } = failure;
  const store = run.store!;
  const before = contentsOf(store, history.keys);
  history.assertPossible(before, "sync", `${where}: reads go on`);
  const calls = [
    () => store.set("~", 1),
    () => store.set("~", 1, { durability: "write" }),
    () => store.delete("a1"),
    () => store.delete("never there"),
    () => store.batch([]),
    () => store.clear(),
    () => store.flush(),
    () => store.compact(),
  ];
  for (const call of calls) assertEquals(await call().then(() => "done", codeOf), "FAILED", `${where}: ${call}`);
  assertEquals(contentsOf(store, history.keys), before, `${where}: reads go on`);
  assertEquals(await store.close().then(() => "done", codeOf), "FAILED", `${where}: close`);
  assertEquals(failure.since, [], `${where}: nothing is written any more`);
  platform.onOperation = undefined;
  const moment = { backups: run.backups, id: "", after: "sync" as const };
  for (const cut of [LOSE_ALL, randomCut(random())]) {
    const left = {
      ...moment,
      platform: platform.image(cut),
      history: history.copy(),
      name: `${where}, then a power cut`,
    };
    await assertRecovers(left, subject);
  }
  const machine = platform.kill();
  const again = await KvStore.openOn(subject.wrap?.(machine) ?? machine, DIRECTORY, { ...OPTIONS, ...subject.open });
  history.settle(contentsOf(again, history.keys), "write", `${where}, then opened again`);
  await history.write(again.set("~", 1), "sync", ["~"], (contents) => void contents.set("~", 1));
  assert(history.length > 0);
  for (const cut of [LOSE_ALL, randomCut(random())]) {
    const name = `${where}, then opened again, then a power cut`;
    await assertRecovers({ ...moment, platform: machine.image(cut), history: history.copy(), name }, subject);
  }
  await again.close();
}
