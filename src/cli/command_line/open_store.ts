/**
 * Opens the store for a command, and closes it however the command ends.
 *
 * @module
 */

import { KvStore, KvStoreError, type OpenOptions, type Snapshot } from "../../../mod.ts";
import { unlessAborted } from "../input_output/output.ts";
import type { Context } from "./definition.ts";

/**
 * How to open the store: `read` takes no lock, `write` needs an existing store, `create` creates one if there is none.
 */
export type Access = "read" | "write" | "create";

/** The pause between attempts to open a locked store. */
const POLL_MS = 50;

/** Opens the store, runs `action` and closes the store, also if the action fails. A shell keeps its store open. */
export async function withStore<T>(
  context: Context,
  access: Access,
  action: (store: KvStore) => Promise<T> | T,
): Promise<T> {
  if (context.session !== undefined) return await context.session.use(context, access, action);
  const store = await openStore(context, access);
  let result: T;
  try {
    result = await action(store);
  } catch (error) {
    // The first error is the one to report.
    await store.close().catch(() => {});
    throw error;
  }
  await store.close();
  return result;
}

/** Runs `action` on a snapshot. In the store itself, a key might expire between its value and its time. */
export function withSnapshot<T>(context: Context, action: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  return withStore(context, "read", async (store) => {
    const snapshot = store.snapshot();
    try {
      return await action(snapshot);
    } finally {
      snapshot.close();
    }
  });
}

/** Opens the store, and reports what recovery has discarded. */
export async function openStore(context: Context, access: Access): Promise<KvStore> {
  const options: OpenOptions = access === "read"
    ? { readOnly: true }
    : { create: access === "create", lock: !context.options.has("nolock") };
  const store = await waitingForLock(context, () => KvStore.open(context.dir, options));
  reportRecovery(context, store, access);
  return store;
}

/** Runs `attempt`, and repeats it while the store is locked, for as long as `--wait` says. */
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

/** Runs `open`. If the directory has no store, the error says how to create or name one. */
export function openExisting<T>(context: Context, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw error instanceof KvStoreError && error.code === "NOT_FOUND" ? noStore(context, error) : error;
  }
}

function noStore(context: Context, error: KvStoreError): KvStoreError {
  const message =
    `there is no store in ${context.dir}; "set" and "import" create one, --dir or KVSTORE_DIR names another`;
  return new KvStoreError("NOT_FOUND", message, { cause: error });
}

function reportRecovery(context: Context, store: KvStore, access: Access): void {
  const { clean, discardedBytes, discardedRecords, recoveredRecords, segment, reason } = store.recovery;
  if (clean || access === "read" || discardedBytes + discardedRecords === 0) return;
  const left = `${discardedBytes} bytes (${discardedRecords} intact records) at the end of ${segment} were left behind`;
  context.note(`recovered from an unclean stop: ${left}: ${reason}; ${recoveredRecords} records were carried over`);
}
