/**
 * Runs the conformance suite on Deno's own KV, which needs a flag, and prints the names of the cases that fail.
 *
 * @module
 */
import { cases, runCase } from "./conformance.ts";

const { openKv, KvU64 } = Deno as unknown as {
  openKv(path: string): Promise<unknown>;
  KvU64: new (value: bigint) => { value: bigint };
};

const failed: [name: string, error: string][] = [];
for (const one of cases) {
  try {
    await runCase({ open: () => openKv(":memory:"), KvU64 }, one);
  } catch (error) {
    failed.push([one.name, String(error)]);
  }
}
console.log(JSON.stringify(failed));
