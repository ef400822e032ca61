/**
 * The test suite: `deno task test`. Two processes run half of it each, side by side: the tests that start programs, which
 * wait for them most of the time, and all others. The last line adds theirs up. With arguments it is `deno test -A` with
 * these.
 *
 * @module
 */

import { join } from "node:path";
import { ROOT } from "./stage.ts";

/** Folders of tests that start programs. */
const STARTS_PROGRAMS = ["adapters", "cli", "docs", "examples", "packaging", "platform", "process", "scripts"];

/** `deno test` ends with it. */
const CLOSING_LINE = /^(?:ok|FAILED) \| (.*) \((?:\d+m)?\d+m?s\)$/gm;

/** The closing line of several runs together, from what they printed; undefined if one of them has none. */
export function closingLine(outputs: string[]): string | undefined {
  const sums = new Map([["passed", 0], ["failed", 0]]);
  for (const output of outputs) {
    const counts = [...output.matchAll(CLOSING_LINE)].at(-1)?.[1];
    if (counts === undefined) return undefined;
    for (const [, count, what] of counts.matchAll(/(\d+) (passed|failed|ignored|filtered out)/g)) {
      sums.set(what!, (sums.get(what!) ?? 0) + Number(count));
    }
  }
  const text = Array.from(sums, ([what, count]) => `${count} ${what}`).join(" | ");
  return `${sums.get("failed") === 0 ? "ok" : "FAILED"} | ${text}`;
}

/** Runs a part of the suite and collects what it prints; `isShown`: it is printed at once, too. */
async function run(args: string[], isShown: boolean): Promise<{ code: number; output: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  const parts: string[] = [];
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      parts.push(text);
      if (isShown) await Deno.stdout.write(new TextEncoder().encode(text));
    }
  };
  const [{ code }] = await Promise.all([child.status, collect(child.stdout), collect(child.stderr)]);
  return { code, output: parts.join("") };
}

async function main(args: string[]): Promise<number> {
  if (args.length > 0) return (await run(args, true)).code;
  const all = Array.from(Deno.readDirSync(join(ROOT, "tests")), ({ name }) => name).filter((name) =>
    name !== "deno.json"
  );
  const isFirst = (name: string) => STARTS_PROGRAMS.includes(name);
  const half = (names: string[]) => names.sort().map((name) => join("tests", name));
  const start = performance.now();
  const second = run(half(all.filter((name) => !isFirst(name))), false);
  const outcomes = [await run(half(all.filter(isFirst)), true), await second];
  console.log(outcomes[1]!.output);
  const line = closingLine(outcomes.map(({ output }) => output));
  if (line === undefined) console.log("FAILED: a half of the suite ended before its end");
  else console.log(`${line} (${Math.round((performance.now() - start) / 1000)}s)`);
  return line === undefined ? 1 : Math.max(...outcomes.map(({ code }) => code));
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
