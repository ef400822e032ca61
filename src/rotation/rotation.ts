/**
 * Rotation without blocking. `Log.rotate` goes on in a new segment in place: it waits for five syncs, tens of
 * milliseconds on a busy disk. This does the same while the event loop goes on; records that come meanwhile have their
 * places in the new segment, and are written after it.
 *
 * @module
 */
import { asFsync, asNamesSync, isDiskFull, type KvStoreError } from "../errors.ts";
import type { Log } from "../engine/log.ts";
import type { Segment } from "../engine/segment.ts";
import type { Writer } from "../engine/writer.ts";

/**
 * Ends a rotation, unless `Log.rotate` ends it first. Nothing may be appended meanwhile. If it fails, refuses the records
 * that wait for it and returns the error; on a full disk leaves it to `Log.rotate`, which has the reserve.
 */
export async function rotate(log: Log, writer: Writer): Promise<KvStoreError | undefined> {
  const { active, successor: next } = log;
  if (next === undefined) return undefined;
  const sync = async ({ name, handle }: Segment) => await asFsync(name, () => handle.syncData(), log.fail);
  try {
    // All of it must be durable before the manifest gets its name, in whatever order.
    const steps = [log.prepare({ add: [next], active: next }), active && sync(active), sync(next)] as const;
    // Nothing is left to run behind the first that fails.
    await Promise.allSettled(steps);
    const [prepared] = await Promise.all(steps);
    await asNamesSync(() => log.platform.syncDirectoryLater(log.directory), log.fail);
    if (log.successor !== next) return undefined;
    log.continueIn(next, prepared);
    await log.syncNames();
    if (log.successor !== next) return undefined;
    log.successor = undefined;
    log.noteSynced(next.endBytes);
    return undefined;
  } catch (error) {
    if (log.successor !== next || isDiskFull(error)) return undefined;
    try {
      // Whoever has the lock now removes files that no manifest lists, such as the new segment.
      log.checkLock();
    } catch {
      // The log has failed.
    }
    return writer.refuse(log.failure ?? error as KvStoreError);
  }
}
