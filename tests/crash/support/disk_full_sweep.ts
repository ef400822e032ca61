/**
 * The disk is full from some write on: the calls concerned reject, reads go on, and so does writing once there is
 * space.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { MemoryPlatform } from "../../support/memory_platform.ts";
import { type Cases, runOf, type Subject } from "./crash_cases.ts";
import { assertBackup } from "./crash_sweep.ts";
import { codeOf, contentsOf } from "./history.ts";
import { assertIntact, runSteps } from "./scenario.ts";

const PLENTY = 1e9;

/** How much the files on a disk without limit hold. */
export function usedBytes(platform: MemoryPlatform): number {
  platform.capacityBytes = PLENTY;
  const used = PLENTY - platform.freeBytes;
  platform.capacityBytes = Infinity;
  return used;
}

/**
 * Runs the scenario; the disk is full from the `n`th write on, of which `share` still fits, until a step has failed
 * for it.
 */
export async function runUntilFull(subject: Subject, n: number, share: number): Promise<boolean> {
  const run = runOf(subject, { isFaulty: true });
  const { platform } = run;
  run.heal = () => platform.capacityBytes = Infinity;
  let writes = 0;
  let isFull = false;
  platform.onOperation = ({ kind, bytes = 0 }) => {
    if (kind !== "write" || ++writes !== n) return;
    platform.capacityBytes = usedBytes(platform) + Math.floor(bytes * share);
    isFull = true;
  };
  const where = `the disk is full in write ${n} (${share} of it fits)`;
  await runSteps(run, subject.steps, async () => {
    if (!isFull || run.history.rejections === 0 || platform.capacityBytes === Infinity) return;
    const { history } = run;
    assertEquals(contentsOf(run.store!, history.keys), history.present(), `${where}: reads go on`);
    // What still fails leaves everything as it is.
    const isRefused = await run.store!.set("~", "x".repeat(2000)).then(() => false, (error) => codeOf(error) === "IO");
    if (isRefused) assertEquals(contentsOf(run.store!, history.keys), history.present(), where);
    platform.capacityBytes = Infinity;
    if (!isRefused) await run.store!.delete("~");
    await run.store!.set("~", 1);
    await run.store!.delete("~");
    assertEquals(contentsOf(run.store!, history.keys), history.present(), `${where}: writing goes on`);
    assertEquals((await run.store!.verify()).problems, [], where);
  });
  platform.capacityBytes = Infinity;
  await run.close();
  await assertIntact(platform, where);
  await run.open();
  assertEquals(contentsOf(run.store!, run.history.keys), run.history.present(), `${where}: opened again`);
  await run.close();
  for (const backup of run.backups) await assertBackup(platform, backup, where);
  return isFull;
}

/** Lets the disk be full in every write of the scenario. */
export async function sweepFull(subject: Subject, cases: Cases, share: number): Promise<void> {
  let isOver = false;
  for (let n = 1; !isOver && n < 1e4; n++) {
    await cases.run(`write ${n}`, async () => {
      isOver = !await runUntilFull(subject, n, share);
    });
  }
}
