/**
 * Runs the conformance suite on Deno's own KV, which needs a flag, and histories on both. Prints the names of the cases
 * that fail and where histories differ.
 *
 * @module
 */
import * as ours from "../../../src/kv/mod.ts";
import { cases, runCase } from "./conformance.ts";
import type { Subject } from "./cases.ts";
import { compareHistories } from "./histories.ts";

const { openKv, KvU64 } = Deno as unknown as { openKv(path: string): Promise<unknown>; KvU64: Subject["KvU64"] };
const { inspect } = Deno;
const denos: Subject = { open: () => openKv(":memory:"), KvU64, inspect };
const subjects: [Subject, Subject] = [denos, { open: () => ours.openKv(":memory:"), KvU64: ours.KvU64, inspect }];

const failed: [name: string, error: string][] = [];
for (const one of cases) {
  await runCase(denos, one).catch((error) => failed.push([one.name, String(error)]));
}
const differences: string[] = [];
for (let seed = 1; seed <= 200; seed++) {
  const difference = await compareHistories(subjects, { seed, length: 60 });
  if (difference !== undefined) differences.push(difference);
}
console.log(JSON.stringify({ failed, differences }));
