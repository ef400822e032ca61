/**
 * Handles that have a queue on the simulated disk.
 *
 * @module
 */
import { KvStore } from "../../../mod.ts";
import { Database } from "../../../src/kv/database.ts";
import { Kv } from "../../../src/kv/kv.ts";
import { mark } from "../../../src/kv/mark.ts";
import { assertIntact, DIRECTORY, OPTIONS } from "../../crash/support/scenario.ts";
import type { MemoryPlatform } from "../../support/memory_platform.ts";
import type { FakeTime } from "./queue_time.ts";

/** Longer than any message can wait. */
const LONG_MS = 31 * 24 * 60 * 60 * 1000;

/** Handles of one process on one store, which the last one closes. */
export async function openHandles(platform: MemoryPlatform, count: number = 1): Promise<[Kv, ...Kv[]]> {
  const store = await KvStore.openOn<Uint8Array>(platform, DIRECTORY, OPTIONS);
  await mark(store);
  let open = count;
  const release = () => --open === 0 ? store.close() : Promise.resolve();
  return Array.from({ length: count }, () => new Kv(new Database(store, {}, release))) as [Kv];
}

/** Listens with a handler that never ends. Returns what it was called with. */
export function hold(kv: Kv): unknown[] {
  const got: unknown[] = [];
  kv.listenQueue((message) => {
    got.push(message);
    return new Promise(() => {});
  }).catch(() => {});
  return got;
}

/** Opens the store once more, and lets all that is left succeed. Returns what was delivered. */
export async function drain(platform: MemoryPlatform, time: FakeTime): Promise<unknown[]> {
  const [kv] = await openHandles(platform);
  const got: unknown[] = [];
  const listener = kv.listenQueue((message) => void got.push(message));
  await time.pass(LONG_MS);
  await kv[Symbol.asyncDispose]();
  await listener;
  await assertIntact(platform, "drained");
  return got;
}
