/**
 * Every case of the contract, in memory and on the disk, and of the interface of Deno KV, as tests of `node:test`, which
 * Node and Bun run alike: the same cases as tests/contract/contract_test.ts and tests/kv/conformance_test.ts have under
 * Deno. scripts/npm compiles it against the installed package.
 *
 * @module
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { assertEquals } from "@std/assert";
import { KvStore, repairStore, verifyStore } from "../../../mod.ts";
import { KvU64, openKv } from "../../../src/kv/mod.ts";
import { platform } from "../../../src/platform/mod.ts";
import { cases, runCase } from "../../../tests/contract/support/cases.ts";
import { cases as kvCases, runCase as runKvCase } from "../../../tests/kv/support/conformance.ts";
import { MemoryPlatform } from "../../../tests/support/memory_platform.ts";

/** Runs a test in a folder of its own. */
async function inFolder(action: (root: string) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "kvstore-contract-"));
  try {
    await action(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

for (const one of kvCases) {
  test(`kv: ${one.name}`, () => runKvCase({ open: () => openKv(":memory:"), KvU64, inspect }, one));
}

for (const one of cases) {
  test(`contract, in memory: ${one.name}`, async () => {
    let memory = new MemoryPlatform();
    memory.makeDirectory("/root");
    memory.syncDirectory("/");
    await runCase(one, { platform: memory, root: "/root", powerCut: (cut) => memory = memory.crash(cut) });
  });

  if (one.needsPowerCut || one.isCostly) continue;
  test(`contract, on disk: ${one.name}`, () => inFolder((root) => runCase(one, { platform, root })));
}

test("contract, on disk: the functions that programs import do the same on the runtime's own files", () =>
  inFolder(async (root) => {
    const directory = join(root, "store");
    const store = await KvStore.open<number>(directory);
    await store.set("a", 1);
    await store.close();
    assertEquals(await verifyStore(pathToFileURL(directory)), { problems: [], notes: [] });
    assertEquals((await repairStore(directory, { dryRun: true })).problems, []);
    await using reader = await KvStore.open<number, string>(pathToFileURL(directory), { readOnly: true });
    assertEquals([...reader], [["a", 1]]);
  }));
