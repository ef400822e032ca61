/**
 * Runs processes for `deno task bench:names` and measures them.
 *
 * @module
 */

import { join } from "node:path";
import { ROOT } from "../../scripts/repository.ts";

/** How often the memory of a process is looked at. */
const POLL_MS = 10;

/** What a process did. */
export interface Outcome {
  /** Its standard output. */
  output: string;
  /** From start to end, in milliseconds. */
  wallMs: number;
  /** The most memory it had at once, resident; 0 where the system does not say. */
  peakBytes: number;
}

/** Runs `kvstore` as a process of its own. Throws unless it exits with 0. */
export function kvstore(store: string, args: readonly string[]): Promise<Outcome> {
  return run(["cli.ts", "--dir", store, ...args]);
}

/** Runs a job of worker.ts as a process of its own; what it prints is JSON. */
export async function worker<T>(job: string, args: readonly string[]): Promise<Outcome & { result: T }> {
  const outcome = await run(["bench/names/worker.ts", job, ...args]);
  return { ...outcome, result: JSON.parse(outcome.output) };
}

async function run(args: readonly string[]): Promise<Outcome> {
  const start = performance.now();
  const child = spawn(args);
  const memory = watchMemory(child.pid);
  const { code, stdout, stderr } = await child.output();
  const wallMs = performance.now() - start;
  const peakBytes = memory.stop();
  const output = new TextDecoder().decode(stdout);
  if (code !== 0) {
    throw new Error(`${args.join(" ")} exited with ${code}: ${output}${new TextDecoder().decode(stderr)}`);
  }
  return { output, wallMs, peakBytes };
}

/**
 * Runs `kvstore import --json`, and kills it as soon as it has acknowledged `lines` lines. Returns the last number it
 * acknowledged.
 */
export async function killedImport(store: string, file: string, lines: number): Promise<number> {
  const child = spawn(["cli.ts", "--dir", store, "--json", "import", file]);
  child.stderr.cancel();
  let acknowledged = 0;
  let isKilled = false;
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const complete = (rest + text).split("\n");
    rest = complete.pop()!;
    for (const line of complete) acknowledged = JSON.parse(line).acknowledged;
    if (isKilled || acknowledged < lines) continue;
    isKilled = true;
    child.kill("SIGKILL");
  }
  const { signal } = await child.status;
  if (signal !== "SIGKILL") throw new Error("the import ended before it was killed");
  return acknowledged;
}

function spawn(args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ...args],
    cwd: ROOT,
    env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Looks at the high-water mark of a process again and again until `stop`, which returns the last one. */
function watchMemory(pid: number): { stop(): number } {
  let peakBytes = 0;
  const look = () => {
    try {
      const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`)) ?? [];
      peakBytes = Math.max(peakBytes, 1024 * Number(kibibytes ?? 0));
    } catch {
      // It has ended, or this is not Linux.
    }
  };
  const timer = setInterval(look, POLL_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return peakBytes;
    },
  };
}

/** Bytes of all files in a store's directory. */
export function diskBytes(store: string): number {
  return Array.from(Deno.readDirSync(store), ({ name }) => Deno.statSync(join(store, name)).size)
    .reduce((sum, size) => sum + size, 0);
}
