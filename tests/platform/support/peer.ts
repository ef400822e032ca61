/**
 * The other process of the platform tests, in Deno, Node or Bun.
 *
 * - `suite DIR`: runs every check of suite.ts, each in a directory of its own below DIR.
 * - `hold LOCK TEXT`: says "held", or "refused: " and the holder's text, on one line; releases at the end of its input.
 * - `use DIR`: every call of the platform once.
 */

import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import process from "node:process";
import { platform } from "../../../src/platform/mod.ts";
import { KvStoreError } from "../../../src/errors.ts";
import type { Lock } from "../../../src/platform/types.ts";
import { nextTurn, startTimer } from "../../../src/platform/turn.ts";
import { checks } from "./suite.ts";

async function runSuite(directory: string): Promise<void> {
  for (const [i, { name, run }] of checks.entries()) {
    mkdirSync(`${directory}/${i}`);
    await run(platform, `${directory}/${i}`);
    console.log(name);
  }
}

/** Takes the lock; returns the error of a lock that cannot be asked for. */
function lockOrError(path: string, text: string): Lock | { holder: string } | KvStoreError {
  try {
    return platform.lock(path, text);
  } catch (error) {
    if (KvStoreError.is(error)) return error;
    throw error;
  }
}

async function hold(path: string, text: string): Promise<void> {
  const lock = lockOrError(path, text);
  if (KvStoreError.is(lock)) return console.log(`${lock.code}: ${lock.message}`);
  console.log("holder" in lock ? `refused: ${lock.holder}` : "held");
  if ("holder" in lock) return;
  // Must not inherit the lock: it outlives this process when that is killed. (In Deno it would need a permission.)
  if (process.versions.deno === undefined) spawn("/bin/sleep", ["5"], { stdio: "ignore" }).unref();
  for await (const _ of process.stdin);
  lock.release();
}

async function use(directory: string): Promise<void> {
  const lock = platform.lock(`${directory}/LOCK`, "peer");
  if ("holder" in lock || !lock.isCurrent()) throw new Error("not locked");
  platform.makeDirectory(`${directory}/d`);
  const handle = platform.open(`${directory}/d/a`, "create");
  handle.write(new Uint8Array(10), 0);
  await handle.syncData();
  handle.syncDataNow();
  handle.close();
  // Deno does not tell without a permission, for which nobody is asked.
  const isKnown = platform.availableBytes(directory) !== undefined;
  if (isKnown !== (process.versions.deno === undefined)) throw new Error(`space is ${isKnown ? "" : "not "}known`);
  platform.rename(`${directory}/d/a`, `${directory}/d/b`);
  platform.syncDirectory(`${directory}/d`);
  const again = platform.open(`${directory}/d/b`, "write");
  again.read(new Uint8Array(again.size()), 0);
  again.close();
  platform.remove(`${directory}/d/b`);
  platform.syncDirectory(directory);
  // An hour's timer must not hold the process up.
  startTimer(3_600_000, () => {});
  await nextTurn();
  lock.release();
  console.log(platform.absolute(directory), platform.list(directory).sort().join(" "));
}

const [command, path = "", text = ""] = process.argv.slice(2);
if (command === "suite") await runSuite(path);
else if (command === "hold") await hold(path, text);
else await use(path);
