/**
 * `deno task long:fuzz`: mutated files for the decoders and for whole stores, for as long as it is told to.
 *
 * Options: `--seconds N` (default 60), `--seed N` (of the first round; each further one adds 1), `--rounds N`.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import type { Message } from "./support/worker.ts";

/** A round takes a tenth of a second; one that takes so much longer never ends. */
const ROUND_LIMIT_MS = 60_000;
const REPORT_MS = 30_000;

/** Runs a round in a worker. */
function run(worker: Worker, seed: number): Promise<Message> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => {
      const failure = `the round does not end; run it again with: deno task long:fuzz --seed ${seed} --rounds 1`;
      resolve({ seed, failure });
    }, ROUND_LIMIT_MS);
    worker.onmessage = ({ data }) => {
      clearTimeout(limit);
      resolve(data);
    };
    worker.postMessage(seed);
  });
}

const newWorker = () => new Worker(new URL("support/worker.ts", import.meta.url), { type: "module" });

async function main(args: string[]): Promise<number> {
  const options = parseArgs(args.filter((arg) => arg !== "--"), {
    string: ["seconds", "seed", "rounds"],
    default: { seconds: "60", seed: String(Date.now() % 2 ** 31), rounds: "Infinity" },
    unknown: (name) => {
      throw new Error(`unknown option ${name}; there are --seconds N, --seed N, --rounds N`);
    },
  });
  const [seconds, first, rounds] = [Number(options.seconds), Number(options.seed), Number(options.rounds)];
  if (!(seconds > 0 && rounds > 0) || !Number.isSafeInteger(first)) throw new Error("options are numbers above 0");
  console.log(`${seconds} s, first seed ${first}`);
  const totals = new Map<string, number>();
  const start = performance.now();
  let [done, failed, reportAt] = [0, 0, REPORT_MS];
  let worker = newWorker();
  for (let elapsed = 0; elapsed < 1000 * seconds && done < rounds; elapsed = performance.now() - start) {
    const message = await run(worker, first + done++);
    if ("failure" in message) {
      failed++;
      console.log(`\nFAILED, seed ${message.seed}: ${message.failure}`);
      worker.terminate();
      worker = newWorker();
    } else for (const [name, count] of message.outcomes) totals.set(name, (totals.get(name) ?? 0) + count);
    if (elapsed < reportAt) continue;
    reportAt += REPORT_MS;
    console.log(`${done} rounds, ${(done / elapsed * 1000).toFixed(1)} a second, ${failed} failed`);
  }
  worker.terminate();
  for (const [name, count] of [...totals].sort(([, a], [, b]) => b - a)) {
    console.log(`${String(count).padStart(8)} ${name}`);
  }
  const elapsed = (performance.now() - start) / 1000;
  console.log(`${done} rounds in ${elapsed.toFixed(0)} s, ${(done / elapsed).toFixed(1)} a second, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
