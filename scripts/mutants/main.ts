/**
 * Breaks the code in many small ways, one at a time, each against one sentence of docs/safety.md, and sees that a test
 * notices. `deno task long:mutants [--list] [NAME…]`
 *
 * @module
 */

import type { SourceText } from "../checks/source.ts";
import { declarationsIn, filesByTitle, killersOf, mutate, readSources } from "./anchors.ts";
import { mutants, promises } from "./list.ts";
import { copyRepository, type Outcome, runKiller, runMutant } from "./run.ts";
import { type Killer, type Mutant, mutantsOf } from "./types.ts";
import { ROOT } from "../repository.ts";

/** Copies of the repository that are worked in at the same time. */
const WORKERS = Math.min(2, navigator.hardwareConcurrency);

/** Works through a list, in several copies of the repository at a time; the results are in the order of the list. */
async function eachInCopies<T, R>(
  folders: string[],
  list: T[],
  work: (folder: string, one: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(list.length);
  let next = 0;
  await Promise.all(folders.map(async (folder) => {
    for (let i = next++; i < list.length; i = next++) results[i] = await work(folder, list[i]!);
  }));
  return results;
}

/** A mutant, the file that it changes with the change in it, and the tests that are to notice. */
interface Plan {
  mutant: Mutant;
  changed: SourceText;
  killers: Killer[];
}

async function planFor(wanted: Mutant[]): Promise<Plan[]> {
  const declarations = (await readSources(ROOT, "src/")).flatMap(declarationsIn);
  const files = filesByTitle(await readSources(ROOT, "tests/"));
  return wanted.map((mutant) => ({
    mutant,
    changed: mutate(declarations, mutant),
    killers: killersOf(files, mutant),
  }));
}

/** What the tests say that do not pass over the code as it is: those notice nothing. */
async function brokenKillers(folders: string[], plans: Plan[]): Promise<Map<string, string>> {
  const killers = new Map(plans.flatMap((plan) => plan.killers.map((killer) => [killer.title, killer])));
  console.log(`${killers.size} tests over the code as it is`);
  const outcomes = await eachInCopies(folders, [...killers.values()], runKiller);
  const broken = new Map<string, string>();
  [...killers.keys()].forEach((title, i) => {
    const { verdict, detail } = outcomes[i]!;
    if (verdict !== "survived") broken.set(title, `${verdict}: ${detail}`);
  });
  return broken;
}

function show(list: string[][]): void {
  const widths = list[0]!.map((_, i) => Math.max(...list.map((row) => row[i]!.length)));
  for (const row of list) console.log(row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ").trimEnd());
}

function shortened(text: string, length: number): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}

function sentenceOf(mutant: Mutant): string {
  return promises.find((promised) => mutantsOf(promised).includes(mutant))!.sentence;
}

function list(): void {
  for (const promised of promises) {
    console.log(promised.sentence);
    if ("none" in promised) console.log(`  none: ${promised.none}`);
    for (const { id, in: name } of mutantsOf(promised)) console.log(`  ${id} (${name})`);
  }
}

async function run(wanted: Mutant[]): Promise<number> {
  const start = performance.now();
  const plans = await planFor(wanted);
  const folders: string[] = [];
  try {
    for (let i = 0; i < Math.min(WORKERS, wanted.length); i++) folders.push(await copyRepository());
    const broken = await brokenKillers(folders, plans);
    for (const [title, detail] of broken) console.log(`the test does not pass as it is: ${title}: ${detail}`);
    console.log(`${wanted.length} mutants`);
    const outcomes = await eachInCopies(
      folders,
      plans,
      async (folder, { mutant, changed, killers }): Promise<Outcome> => {
        const outcome = await runMutant(folder, changed, killers.filter(({ title }) => !broken.has(title)));
        if (outcome.verdict !== "killed") console.log(`${mutant.id}: ${outcome.verdict}: ${outcome.detail}`);
        return outcome;
      },
    );
    const rows = wanted.map((mutant, i) => {
      const { verdict, detail, seconds } = outcomes[i]!;
      const by = verdict === "killed" ? shortened(detail, 90) : verdict.toUpperCase();
      return [mutant.id, shortened(sentenceOf(mutant), 60), by, seconds.toFixed(1)];
    });
    show([["mutant", "sentence", "killed by", "seconds"], ...rows]);
    const killed = outcomes.filter(({ verdict }) => verdict === "killed").length;
    const seconds = Math.round((performance.now() - start) / 1000);
    console.log(`\n${killed} of ${wanted.length} mutants killed, ${seconds} s`);
    return killed === wanted.length ? 0 : 1;
  } finally {
    for (const folder of folders) await Deno.remove(folder, { recursive: true });
  }
}

async function main(args: string[]): Promise<number> {
  if (args.includes("--list")) {
    list();
    return 0;
  }
  const unknown = args.find((arg) => !mutants.some(({ id }) => id === arg));
  if (unknown !== undefined) throw new Error(`no mutant "${unknown}"; --list shows them`);
  return await run(args.length === 0 ? mutants : mutants.filter(({ id }) => args.includes(id)));
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
