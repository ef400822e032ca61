/**
 * Failed syncs: see `fault_sync_sweep.ts`.
 *
 * @module
 */

import { assert } from "@std/assert";
import { onExpiring } from "./support/crash_cases.ts";
import { casesOf } from "./support/crash_replay.ts";
import { sweepSyncFailures } from "./support/fault_sync_sweep.ts";
import { SMALL } from "./support/scenario.ts";

Deno.test("every sync fails once, for good", async (t) => {
  const cases = casesOf(t);
  const failures = await sweepSyncFailures(await onExpiring(SMALL), cases);
  console.log(`${cases.count} syncs failed, ${failures} stores with them`);
  assert(failures > 0 || cases.count <= 1, "there was nothing to fail");
});
