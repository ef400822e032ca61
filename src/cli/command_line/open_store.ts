/**
 * Opening the store for a command, and closing it however the command ends.
 *
 * @module
 */

import { KvStore, KvStoreError, type OpenOptions } from "../../../mod.ts";
import { unlessAborted } from "../input_output/output.ts";
import type { Context } from "./definition.ts";

/** `read` needs no lock; `write` wants an existing store; `create` makes one where there is none. */
export type Access = "read" | "write" | "create";

/** How often a locked store is tried again. */
const POLL_MS = 50;

/** Opens the store, runs `action`, and closes the store again whether or not that went well. */
export async function withStore<T>(
  context: Context,
  access: Access,
  action: (store: KvStore) => Promise<T> | T,
): Promise<T> {
  const store = await openWaiting(context, access);
  let result: T;
  try {
    reportRecovery(context, store, access);
    result = await action(store);
  } catch (error) {
    // What went wrong first is what to tell.
    await store.close().catch(() => {});
    throw error;
  }
  await store.close();
  return result;
}

async function openWaiting(context: Context, access: Access): Promise<KvStore> {
  const options: OpenOptions = access === "read" ? { readOnly: true } : { create: access === "create" };
  return await waitingForLock(context, () => KvStore.open(context.dir, options));
}

/** Runs `attempt`, and again as long as the store is locked and `--wait` allows. */
export async function waitingForLock<T>(context: Context, attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + context.waitMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof KvStoreError)) throw error;
      if (error.code === "NOT_FOUND") throw noStore(context, error);
      if (error.code !== "LOCKED" || Date.now() >= deadline) throw error;
    }
    await unlessAborted(new Promise((resolve) => setTimeout(resolve, POLL_MS)), context.signal);
  }
}

/** The library says what it did not find; here we know how to go on from there. */
export function noStore(context: Context, error: KvStoreError): KvStoreError {
  const message =
    `there is no store in ${context.dir}; "set" and "import" create one, --dir or KVSTORE_DIR name another`;
  return new KvStoreError("NOT_FOUND", message, { cause: error });
}

/** Nothing is discarded silently. */
function reportRecovery(context: Context, store: KvStore, access: Access): void {
  const { clean, discardedBytes, discardedRecords, recoveredRecords, segment, reason } = store.recovery;
  if (clean || access === "read" || discardedBytes + discardedRecords === 0) return;
  const left = `${discardedBytes} bytes (${discardedRecords} intact records) at the end of ${segment} were left behind`;
  context.note(`recovered from an unclean stop: ${left}: ${reason}; ${recoveredRecords} records were carried over`);
}
