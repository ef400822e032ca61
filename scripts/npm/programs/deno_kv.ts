/**
 * Runs the conformance suite of the Kv interface on a package that has it, whose name is the argument: prints the cases
 * that fail and why, or why the package's native module cannot be loaded. scripts/npm compiles it.
 *
 * @module
 */

import process from "node:process";
import { inspect } from "node:util";
import type { Case, Subject } from "../../../tests/kv/support/cases.ts";
import { cases, runCase } from "../../../tests/kv/support/conformance.ts";
import { FAILING } from "../../../tests/kv/support/deno_kv_package.ts";

/** What it prints. */
export type Output = { missing: string } | { failed: [name: string, error: string][] };

/** So many cases run side by side: those that hang wait together. */
const SIDE_BY_SIDE = 16;
/** A case that fails may never end: it is cut off. */
const FAILING_MILLISECONDS = 5000;
/** Those that pass take less than a second; a machine that is busy may take its time. */
const PASSING_MILLISECONDS = 60_000;
/** More of a message is not shown. */
const MESSAGE_CHARACTERS = 300;

// A watch or a queue that ends at a bad moment rejects a promise that nobody has. Which case it was cannot be told.
process.on("unhandledRejection", () => {});

const subject: Subject & { open(): Promise<Disposable> } = await (async () => {
  const { openKv, KvU64 } = await import(process.argv[2]!);
  return { open: () => openKv(":memory:"), KvU64, inspect };
})();

/** Why a case fails. */
async function failureOf(one: Case): Promise<string | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => {
    const limit = FAILING.has(one.name) ? FAILING_MILLISECONDS : PASSING_MILLISECONDS;
    timer = setTimeout(() => resolve("does not end"), limit);
  });
  const ended = runCase(subject, one).then(() => undefined, (error) => String(error).slice(0, MESSAGE_CHARACTERS));
  const failure = await Promise.race([ended, late]);
  clearTimeout(timer);
  return failure;
}

async function run(): Promise<Output> {
  try {
    (await subject.open())[Symbol.dispose]();
  } catch (error) {
    const { message, cause } = error as Error;
    if (message.startsWith("No default napi interface")) return { missing: String(cause ?? message) };
    throw error;
  }
  const failed: [name: string, error: string][] = [];
  const queue = [...cases];
  const work = async () => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      const failure = await failureOf(one);
      if (failure !== undefined) failed.push([one.name, failure]);
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
  return { failed };
}

const output = await run();
// what hangs would keep the process running
process.stdout.write(JSON.stringify(output), () => process.exit(0));
