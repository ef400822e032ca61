/**
 * The process that `torture` kills: opens the store, takes the steps of a plan, and says on standard output how far it
 * is, a line of JSON each.
 *
 * @module
 */

import { writeSync } from "node:fs";
import { KvStore, KvStoreError } from "../../../mod.ts";
import { EXIT } from "../command_line/errors.ts";
import { messageOf } from "../input_output/report_error.ts";
import { applyTo, openOptionsOf, Plan } from "./plan.ts";
import process from "node:process";

/** The environment variable that makes `kvstore torture` this process. */
export const TASK_VARIABLE = "KVSTORE_TORTURE";

/** Writes that are begun before the first of them is acknowledged. */
export const IN_FLIGHT = 64;

/** How long to wait for the kill. */
const FREEZE_MS = 30_000;

/** What to do. */
export interface Task {
  directory: string;
  seed: number;
  /** How many steps to take before closing; with none, the store is opened and closed. */
  steps: number;
  /**
   * Stand still as soon as this step or a later one is acknowledged, to be killed just then: whatever is still to be
   * written is not.
   */
  freezesAt?: number | undefined;
}

/** What the process is doing. */
export type Phase = "start" | "open" | "write" | "compact" | "close" | "done";

/** What it says. */
export type Message =
  | { phase: Phase; syncs: number }
  | { acknowledged: number }
  | { error: { code: string; message: string } };

/** The task of this process, if it was started to be killed. */
export function taskOfProcess(): Task | undefined {
  const text = process.env[TASK_VARIABLE];
  return text ? JSON.parse(text) as Task : undefined;
}

/** Does the task and returns the exit status. */
export async function runTask(task: Task): Promise<number> {
  try {
    say({ phase: "open", syncs: 0 });
    const store = await KvStore.open(task.directory, openOptionsOf(task.seed));
    await takeSteps(store, task);
    const { syncs } = store.stats();
    say({ phase: "close", syncs });
    await store.close();
    say({ phase: "done", syncs });
    return EXIT.done;
  } catch (error) {
    const code = error instanceof KvStoreError ? error.code : "UNEXPECTED";
    say({ error: { code, message: messageOf(error) } });
    return EXIT.failed;
  }
}

async function takeSteps(store: KvStore, task: Task): Promise<void> {
  const plan = new Plan(task.seed);
  let flying: Promise<void>[] = [];
  let compaction: Promise<void> | undefined;
  let acknowledged = 0;
  say({ phase: "write", syncs: 0 });
  for (let count = 1; count <= task.steps; count++) {
    const { write, durability, compacts, waits, pauseMs } = plan.next();
    if (compacts && compaction === undefined) {
      say({ phase: "compact", syncs: store.stats().syncs });
      compaction = compact(store).finally(() => compaction = undefined);
      compaction.catch(() => {});
    }
    const done = applyTo(store, write, durability).then(() => {
      // A later write may be acknowledged before an earlier one that has to be synced, and says that both are written.
      acknowledged = Math.max(acknowledged, count);
      say({ acknowledged });
      if (acknowledged >= (task.freezesAt ?? Infinity)) freeze();
    });
    // Waited for later; that it has failed by then must not end the process.
    done.catch(() => {});
    flying.push(done);
    if (waits) {
      await Promise.all(flying);
      flying = [];
    } else if (flying.length === IN_FLIGHT) await flying.shift();
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  await Promise.all([...flying, compaction]);
}

async function compact(store: KvStore): Promise<void> {
  await store.compact();
  say({ phase: "write", syncs: store.stats().syncs });
}

/** Blocks the thread, in which all JavaScript runs and the library writes. Not for ever: the parent may be gone. */
function freeze(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FREEZE_MS);
  process.exit(EXIT.failed);
}

/** In place, so that what was said has been said when the process is killed. */
function say(message: Message): void {
  try {
    writeSync(1, JSON.stringify(message) + "\n");
  } catch (error) {
    // A reader that is behind hears the next one, which says more. Without a reader there is nothing left to do.
    if ((error as { code?: string }).code !== "EAGAIN") process.exit(EXIT.failed);
  }
}
