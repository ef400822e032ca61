/**
 * The process that `torture` kills. It opens the store, takes the steps of a plan, and reports its progress on standard
 * output, as lines of JSON.
 *
 * @module
 */

import { writeSync } from "node:fs";
import { KvStore, KvStoreError } from "../../../mod.ts";
import { EXIT } from "../command_line/errors.ts";
import { messageOf } from "../input_output/report_error.ts";
import { applyTo, openOptionsOf, Plan } from "./plan.ts";
import process from "node:process";

/** The environment variable with the task. With it, `kvstore torture` is the process to be killed. */
export const TASK_VARIABLE = "KVSTORE_TORTURE";

/** The most writes that are not acknowledged yet. */
export const IN_FLIGHT = 64;

/** How long to wait for the kill. */
const FREEZE_MS = 30_000;

/** What the process has to do. */
export interface Task {
  directory: string;
  seed: number;
  /** How many steps to take before closing the store. */
  steps: number;
  /**
   * The step at whose acknowledgement, or a later one's, the process freezes until it is killed. Whatever it has not
   * written by then is lost.
   */
  freezesAt?: number | undefined;
}

/** What the process is doing. */
export type Phase = "start" | "open" | "write" | "compact" | "close" | "done";

/** What the process reports. */
export type Message =
  | { phase: Phase; syncs: number }
  | { acknowledged: number }
  | { error: { code: string; message: string } };

/** Returns the task of this process, if it has one. */
export function taskOfProcess(): Task | undefined {
  const text = process.env[TASK_VARIABLE];
  return text ? JSON.parse(text) as Task : undefined;
}

/** Runs the task and returns the exit status. */
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
      // A write may be acknowledged before an earlier one that waits for a sync. Both are written by then.
      acknowledged = Math.max(acknowledged, count);
      say({ acknowledged });
      if (acknowledged >= (task.freezesAt ?? Infinity)) freeze();
    });
    // Awaited later. Until then a rejection must not end the process.
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

/** Blocks the only thread, in which the library writes. Ends after a while, as the parent may be gone. */
function freeze(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FREEZE_MS);
  process.exit(EXIT.failed);
}

/** Reports synchronously, so that the message is out before the process is killed. */
function say(message: Message): void {
  try {
    writeSync(1, JSON.stringify(message) + "\n");
  } catch (error) {
    // If the pipe is full, a later message says more. If it is closed, there is nothing left to do.
    if ((error as { code?: string }).code !== "EAGAIN") process.exit(EXIT.failed);
  }
}
