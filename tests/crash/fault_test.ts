/**
 * Faults of the disk at every operation of scenarios: see `fault_sweep.ts`.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { onEmptyDisk, onExpiring, runOf } from "./support/crash_cases.ts";
import { assertExpiries } from "./support/crash_expiring.ts";
import { casesOf, oneIn } from "./support/crash_replay.ts";
import { withSeed } from "./support/disk.ts";
import {
  assertNoticed,
  GONE,
  NO_DESCRIPTOR,
  NO_PERMISSION,
  OF_A_KIND,
  ONCE,
  READ_ONLY,
  SHORT_THEN_FULL,
  SHORT_THEN_NOTHING,
  sweepFaults,
} from "./support/fault_sweep.ts";
import { contentsOf } from "./support/history.ts";
import { assertIntact, DIRECTORY, IMAGES, runSteps, SMALL } from "./support/scenario.ts";

for (const fault of [ONCE, NO_DESCRIPTOR, NO_PERMISSION, SHORT_THEN_FULL, SHORT_THEN_NOTHING]) {
  Deno.test(`every operation meets ${fault.name}, mended at once`, async (t) => {
    assertNoticed(await sweepFaults(await onExpiring(SMALL), casesOf(t), { fault }), fault.name);
  });
}

for (const fault of [OF_A_KIND, READ_ONLY]) {
  Deno.test(`every operation meets ${fault.name}, mended two steps later`, async (t) => {
    assertNoticed(await sweepFaults(await onExpiring(SMALL), casesOf(t), { fault, patience: 2 }), fault.name);
  });
}

Deno.test("every third operation meets EIO of all, mended two steps later", async (t) => {
  const options = { fault: GONE, patience: 2, every: oneIn(3) };
  assertNoticed(await sweepFaults(await onExpiring(SMALL), casesOf(t), options), GONE.name);
});

Deno.test("every fifth operation on an image of the index fails once", async (t) => {
  const fault = { ...ONCE, begins: ({ path }: { path: string }) => path.includes("INDEX") };
  assertNoticed(await sweepFaults(onEmptyDisk(IMAGES), casesOf(t), { fault, every: oneIn(5) }), fault.name);
});

Deno.test("every seventh operation on an image of the index fails from then on", async (t) => {
  const fault = { ...OF_A_KIND, begins: ({ path }: { path: string }) => path.includes("INDEX") };
  assertNoticed(await sweepFaults(onEmptyDisk(IMAGES), casesOf(t), { fault, every: 7 }), fault.name);
});

Deno.test("short reads and writes are gone on with", async () => {
  await withSeed(1, async () => {
    const run = runOf(await onExpiring(SMALL));
    run.platform.onOperation = ({ bytes = 0 }) => bytes > 0 ? Math.ceil(bytes / 3) : undefined;
    await runSteps(run, SMALL);
    assertEquals(contentsOf(run.store!, run.history.keys), run.history.present());
    await run.close();
    await assertIntact(run.platform, "short reads and writes");
    assertExpiries(run.platform, DIRECTORY, "short reads and writes");
  });
});
