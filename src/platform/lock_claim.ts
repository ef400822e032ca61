/**
 * A writer lock for where the operating system's cannot be had: Node on a Linux without the command `flock`.
 *
 * Each process that wants the lock puts a file beside LOCK, whose name says who it is, and then looks for others. Of two,
 * at least one sees the other, and who sees another gives way; that both may is the price. A claim counts as left behind
 * by the dead only if that is certain: this boot of this machine and this process namespace, and no process of that id
 * and start time. In doubt it holds, and a person has to remove it.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import fs from "node:fs";
import { basename } from "node:path";
import process from "node:process";
import { claimsBeside, readTextAt } from "./lock.ts";
import type { Lock, Platform } from "./types.ts";

/** Takes the lock on the file at `path` by a claim, or returns the text of who has it. */
export function claimLock(platform: Platform, path: string, text: string): Lock | { holder: string } {
  // In the name rather than in the file, so that no claim is ever seen half-written.
  const self = [bootId(), namespaceId(), process.pid, startTime(process.pid), randomUUID().slice(0, 8)];
  const claim = `${path}.${self.join("_")}`;
  const handle = platform.open(claim, "create");
  let held = false;
  try {
    handle.write(new TextEncoder().encode(`${text} (holds it by ${basename(claim)})\n`), 0);
    const others = claimsBeside(platform, path).filter((other) => other !== claim);
    const living = others.find((other) => !isDead(other));
    // A text in LOCK itself is of a holder by flock(2) that has not released it: living or not, this process cannot tell.
    const holder = living === undefined ? readTextAt(platform, path) : readTextAt(platform, living) || basename(living);
    if (holder !== "") return { holder };
    for (const dead of others) platform.remove(dead);
    held = true;
    return new ClaimedLock(platform, claim);
  } finally {
    handle.close();
    if (!held) platform.remove(claim);
  }
}

class ClaimedLock implements Lock {
  readonly #platform: Platform;
  readonly #claim: string;
  #released = false;

  constructor(platform: Platform, claim: string) {
    this.#platform = platform;
    this.#claim = claim;
  }

  isCurrent(): boolean {
    return !this.#released && fs.existsSync(this.#claim);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#platform.remove(this.#claim);
  }
}

/** Whether the process that made a claim is certainly gone. */
function isDead(claim: string): boolean {
  const [, boot, namespace, pid, start] = /\.([^_.]+)_([^_.]+)_(\d+)_(\d+)_[^_.]+$/.exec(claim) ?? [];
  if (boot === undefined) return false;
  if (boot !== bootId()) return true;
  if (namespace !== namespaceId()) return false;
  try {
    // Unlike /proc, signal 0 tells a process that is hidden from one that is not there.
    process.kill(Number(pid), 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
  try {
    return startTime(Number(pid)) !== start;
  } catch {
    return false;
  }
}

function bootId(): string {
  return fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** Process ids mean nothing outside their namespace. */
function namespaceId(): string {
  return fs.readlinkSync("/proc/self/ns/pid").replace(/\D/g, "");
}

/** When a process started, in clock ticks since boot: field 22, counted behind the name, which may hold anything. */
function startTime(pid: number): string {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
  const start = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  if (start === undefined) throw new Error(`/proc/${pid}/stat is cut short`);
  return start;
}
