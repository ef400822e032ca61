/**
 * Rotation without blocking. `Log.rotate` goes on in a new segment in place: it waits for five syncs, tens of
 * milliseconds on a busy disk. This does the same while the event loop goes on; records that come meanwhile have their
 * places in the new segment, and are written after it.
 *
 * @module
 */
import { asFsync, asNamesSync } from "../errors.ts";
import type { Log } from "../engine/log.ts";
import type { Segment } from "../engine/segment.ts";

/**
 * Ends a rotation, unless `Log.rotate` ends it first. Nothing may be appended meanwhile. Whatever goes wrong is left to
 * that call: it tries again, and tells whom it concerns.
 */
export async function rotate(log: Log): Promise<void> {
  const { active, successor: next } = log;
  if (next === undefined) return;
  const sync = async ({ name, handle }: Segment) => await asFsync(name, () => handle.syncData(), log.fail);
  try {
    // All of it must be durable before the manifest gets its name, in whatever order.
    const steps = [log.prepare({ add: [next], active: next }), active && sync(active), sync(next)] as const;
    // Nothing is left to run behind the first that fails.
    await Promise.allSettled(steps);
    const [prepared] = await Promise.all(steps);
    await asNamesSync(() => log.platform.syncDirectoryLater(log.directory), log.fail);
    if (log.successor !== next) return;
    log.continueIn(next, prepared);
    await log.syncNames();
    if (log.successor !== next) return;
    log.successor = undefined;
    log.noteSynced(next.endBytes);
  } catch {
    // A sync that failed has failed the log.
  }
}
