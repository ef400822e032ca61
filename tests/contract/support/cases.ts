/**
 * The contract of the library as a list of cases. They use nothing of the runtime, so that the same list runs over
 * every platform and in every runtime.
 *
 * @module
 */

import { backupCases } from "../backups.ts";
import { batchCases } from "../batch.ts";
import { callCases } from "../calls.ts";
import type { Case } from "./context.ts";
import { iteratorCases } from "../iterators.ts";
import { oneStepCases } from "../one_step.ts";
import { orderCases } from "../order.ts";
import { rangeCases } from "../ranges.ts";
import { snapshotCases } from "../snapshots.ts";
import { failedWriteCases } from "../failed_writes.ts";
import { durabilityCases } from "../durability.ts";
import { closingCases } from "../closing.ts";
import { lockCases } from "../locking.ts";
import { openingCases } from "../opening.ts";
import { readOnlyCases } from "../read_only.ts";
import { compactionCases } from "../compaction.ts";
import { figureCases } from "../figures.ts";
import { recoveryCases } from "../recovery.ts";
import { expiryCases } from "../expiry.ts";
import { clockBackCases } from "../expiry_back.ts";
import { readerClockCases } from "../expiry_back_readers.ts";
import { clockCases } from "../expiry_clock.ts";
import { keptExpiryCases } from "../expiry_kept.ts";
import { faultCases } from "../faults.ts";
import { flushSyncCases } from "../flush_sync.ts";
import { garbageCases } from "../garbage.ts";
import { handedOverCases } from "../handed_over.ts";
import { jsonCases } from "../json.ts";
import { historyCases } from "../history.ts";
import { keyCases } from "../keys.ts";
import { turnCases } from "../turns.ts";
import { refusedCases } from "../refused_values.ts";
import { valueCases } from "../values.ts";
import { watchCases } from "../watching.ts";
import { watchEndCases } from "../watching_ends.ts";
import { watchReaderCases } from "../watching_readers.ts";
import { watchSinceCases } from "../watching_since.ts";

export { type Case, Context, type Disk, runCase } from "./context.ts";

/** Every case. */
export const cases: Case[] = [
  ...callCases,
  ...keyCases,
  ...valueCases,
  ...refusedCases,
  ...batchCases,
  ...oneStepCases,
  ...snapshotCases,
  ...rangeCases,
  ...orderCases,
  ...iteratorCases,
  ...failedWriteCases,
  ...durabilityCases,
  ...flushSyncCases,
  ...turnCases,
  ...backupCases,
  ...closingCases,
  ...openingCases,
  ...lockCases,
  ...readOnlyCases,
  ...compactionCases,
  ...figureCases,
  ...recoveryCases,
  ...garbageCases,
  ...expiryCases,
  ...keptExpiryCases,
  ...clockCases,
  ...clockBackCases,
  ...readerClockCases,
  ...faultCases,
  ...watchCases,
  ...watchSinceCases,
  ...watchEndCases,
  ...watchReaderCases,
  ...historyCases,
  ...handedOverCases,
  ...jsonCases,
];
