/**
 * Workers that end while they hold the writer lock and have a file open. Started with a directory and the ways to end,
 * this says for each of them whether the lock is free afterwards, and how many files below the directory are open,
 * where the system tells.
 */

import fs from "node:fs";
import process from "node:process";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { platform } from "../../../src/platform/mod.ts";

/** How a worker may end. */
type End = "exit" | "return" | "throw" | "terminate";

function openFiles(directory: string): number {
  const names = fs.existsSync("/proc/self/fd") ? fs.readdirSync("/proc/self/fd") : [];
  return names.filter((name) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${name}`).startsWith(directory);
    } catch {
      // The descriptor of the listing itself.
      return false;
    }
  }).length;
}

async function watchEnd(directory: string, how: End): Promise<string> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { directory, how } });
  worker.on("error", () => {});
  const ended = new Promise((resolve) => worker.once("exit", resolve));
  const held = new Promise((resolve) => worker.once("message", resolve));
  await Promise.race([held, ended]);
  if (how === "terminate") await worker.terminate();
  await ended;
  const open = openFiles(directory);
  const lock = platform.lock(`${directory}/LOCK`, "main");
  if ("release" in lock) lock.release();
  return `${how}: ${"release" in lock ? "free" : "held"}, ${open} open`;
}

function holdAndEnd({ directory, how }: { directory: string; how: End }): void {
  const lock = platform.lock(`${directory}/LOCK`, "worker");
  if (!("release" in lock)) throw new Error(`the lock is held: ${lock.holder}`);
  const file = platform.open(`${directory}/${how}`, "create");
  // Registered later than those of the platform: it must still find its file open.
  process.on("exit", () => void file.write(Uint8Array.of(1), 0));
  parentPort!.postMessage("held");
  if (how === "return") return;
  setTimeout(() => {
    if (how === "exit") process.exit(0);
    if (how === "throw") throw new Error("as it was to");
  }, how === "terminate" ? 60_000 : 20);
}

if (isMainThread) {
  const [directory = "", ...ways] = process.argv.slice(2);
  for (const how of ways) {
    console.log(await watchEnd(directory, how as End), `${fs.statSync(`${directory}/${how}`).size} written`);
  }
  process.exit(0);
} else holdAndEnd(workerData);
