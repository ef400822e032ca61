/**
 * The soak: random histories, crashes, faults and damaged files, one round after the other, for as long as it is told
 * to. It runs on every runtime; `deno task long:soak` starts it, on Node compiled against the installed package.
 *
 * Options: `--seconds N`, `--seed N` (of the first round; each further one adds 1), `--only KIND`.
 *
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { soakRound as crash } from "./crash_round.ts";
import { soakRound as fuzz } from "./fuzz_round.ts";
import { soakRound as model } from "./model_round.ts";
import type { SoakFigures, SoakRound } from "./round.ts";

/** The kinds of rounds. */
const KINDS: Record<string, SoakRound> = { model, crash, fuzz };
/** No round takes longer unless it hangs, busy as the machine may be. */
const ROUND_LIMIT_MS = 120_000;
const REPORT_MS = 60_000;

/** What the rounds of one kind did. */
interface Sum extends SoakFigures {
  kind: string;
  rounds: number;
  failures: number;
  milliseconds: number;
}

/** Runs a round; one that does not end counts as failed. */
async function limited(round: SoakRound, seed: number): Promise<SoakFigures> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const isOver = new Promise<never>((_, reject) => {
    const error = new Error(`the round does not end within ${ROUND_LIMIT_MS / 1000} s`);
    timer = setTimeout(() => reject(error), ROUND_LIMIT_MS);
  });
  try {
    return await Promise.race([round(seed), isOver]);
  } finally {
    clearTimeout(timer);
  }
}

/** The kind that has had the least time so far: each gets the same. */
function next(sums: Sum[]): Sum {
  return sums.reduce((least, sum) => sum.milliseconds < least.milliseconds ? sum : least);
}

function table(sums: Sum[]): string {
  const head = ["kind", "rounds", "faults injected", "states checked", "failures"];
  const rows = sums.map(({ kind, rounds, faults, states, failures }) => [kind, rounds, faults, states, failures]);
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { seconds: { type: "string" }, seed: { type: "string" }, only: { type: "string" } },
  });
  const seconds = Number(values.seconds ?? 60);
  const firstSeed = Number(values.seed ?? Date.now() % 2 ** 31);
  const isWanted = (kind: string) => values.only === undefined || values.only === kind;
  const sums: Sum[] = Object.keys(KINDS).filter(isWanted).map((kind) => {
    return { kind, rounds: 0, faults: 0, states: 0, failures: 0, milliseconds: 0 };
  });
  if (!(seconds > 0) || !Number.isSafeInteger(firstSeed) || sums.length === 0) {
    throw new TypeError(`--seconds N and --seed N are numbers, --only is one of ${Object.keys(KINDS).join(", ")}`);
  }
  console.log(`${seconds} s, first seed ${firstSeed}`);
  const end = performance.now() + 1000 * seconds;
  let seed = firstSeed;
  let reportAt = performance.now() + REPORT_MS;
  for (let now = performance.now(); now < end; seed++) {
    const sum = next(sums);
    try {
      const { faults, states } = await limited(KINDS[sum.kind]!, seed);
      sum.faults += faults;
      sum.states += states;
    } catch (error) {
      sum.failures++;
      console.log(
        `\nFAILED ${sum.kind}, seed ${seed}: deno task long:soak --minutes 0.01 --only ${sum.kind} --seed ${seed}`,
      );
      console.log(error instanceof Error ? error.stack ?? error.message : error);
    }
    sum.rounds++;
    const after = performance.now();
    sum.milliseconds += after - now;
    now = after;
    if (now < reportAt) continue;
    reportAt = now + REPORT_MS;
    const done = sums.map(({ kind, rounds, failures }) => `${kind} ${rounds} (${failures} failed)`).join(", ");
    console.log(`${Math.round((end - now) / 1000)} s left: ${done}`);
  }
  console.log(`\n${table(sums)}`);
  const failed = sums.reduce((sum, { failures }) => sum + failures, 0);
  console.log(`${sums.reduce((sum, { rounds }) => sum + rounds, 0) - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

await main();
