/**
 * The list of mutants, in the order of the sentences in docs/safety.md.
 *
 * @module
 */

import { crashPromises } from "./crashes.ts";
import { damagePromises } from "./damage.ts";
import { clockPromises } from "./clock.ts";
import { compactionRules } from "./compaction.ts";
import { expiryPromises } from "./expiry.ts";
import { kvPromises } from "./kv.ts";
import { kvQueuePromises } from "./kv_queue.ts";
import { fileRules } from "./files.ts";
import { lockRules } from "./locks.ts";
import { derivedRules } from "./derived.ts";
import { recoveryRules } from "./recovery.ts";
import { spaceRules } from "./space.ts";
import { stepPromises } from "./steps.ts";
import { callRules } from "./calls.ts";
import { watchPromises } from "./watching.ts";
import { writeRules } from "./writes.ts";
import { type Mutant, mutantsOf, type Promised } from "./types.ts";

/** Every sentence that promises something, with the mutants that break it. */
export const promises: Promised[] = [
  ...crashPromises,
  ...stepPromises,
  ...damagePromises,
  ...expiryPromises,
  ...clockPromises,
  ...watchPromises,
  ...compactionRules,
  ...spaceRules,
  ...recoveryRules,
  ...derivedRules,
  ...fileRules,
  ...lockRules,
  ...writeRules,
  ...callRules,
  ...kvPromises,
  ...kvQueuePromises,
];

/** Every mutant. */
export const mutants: Mutant[] = promises.flatMap(mutantsOf);
