/** `verify` and `repair`. @module */

import { type Problem, type RepairReport, repairStore, type VerifyReport, verifyStore } from "../../../mod.ts";
import { type Command, hasSwitch } from "../command.ts";
import { EXIT, PipeClosed } from "../errors.ts";
import { counted, grouped } from "../format.ts";
import { keyForm, keyText } from "../notation.ts";
import { waitingForLock } from "../open.ts";
import { withProgress } from "../progress.ts";

/** Checks every byte. */
export const verify: Command = {
  name: "verify",
  args: [],
  options: [],
  summary: "read every byte of the store and check it",
  description:
    `Also where the store cannot be opened any more, and beside an application. Damage is listed with its place
and, where it can be told, its key, and makes the exit status 1. Notes are harmless.`,
  json: '{"problems":[…],"notes":[…]}, each with file, offset, length, reason, and key where it can be told',
  example: ["kvstore verify", "no damage found"],
  run: (context) =>
    waitingForLock(context, async () => {
      const report = await withProgress(context, "verifying", (options) => verifyStore(context.dir, options));
      if (context.json) context.out.add(JSON.stringify(verifyForm(report)) + "\n");
      else context.out.add(verifyText(report, context.quiet));
      const status = report.problems.length > 0 ? EXIT.absent : EXIT.done;
      try {
        await context.out.flush();
      } catch (error) {
        // What was found does not depend on who reads it.
        if (!(error instanceof PipeClosed)) throw error;
      }
      return status;
    }),
};

/** Keeps what can be read. */
export const repair: Command = {
  name: "repair",
  args: [],
  options: [{ name: "dry-run", about: "only say what would be lost" }],
  summary: "make a damaged store usable again, keeping everything that can be read",
  description:
    `Damaged bytes are moved aside, not deleted. Says what was lost: keys whose newest value is damaged, never
silently replaced by an older one, and ranges of sequence numbers of which nothing is known.`,
  json: '{"dryRun":false,"problems":[…],"lostKeys":[…],"lostSequences":[[7,9]],"keptRecords":12,…}',
  example: ["kvstore repair --dry-run", "would keep 12 records and lose 1 key: user:2"],
  endsGently: () => true,
  run: (context) =>
    waitingForLock(context, async () => {
      const dryRun = hasSwitch(context, "dry-run");
      const report = await withProgress(
        context,
        dryRun ? "reading" : "repairing",
        (options) => repairStore(context.dir, { ...options, dryRun }),
      );
      context.out.add(context.json ? JSON.stringify(repairForm(report, dryRun)) + "\n" : repairText(report, dryRun));
      await context.out.flush();
      return EXIT.done;
    }),
};

function verifyForm(report: VerifyReport): unknown {
  return { problems: report.problems.map(problemForm), notes: report.notes.map(problemForm) };
}

function repairForm(report: RepairReport, dryRun: boolean): unknown {
  const { problems, lostKeys, ...plain } = report;
  return { dryRun, problems: problems.map(problemForm), lostKeys: lostKeys.map(keyForm), ...plain };
}

function problemForm({ key, ...problem }: Problem): unknown {
  return key === undefined ? problem : { ...problem, key: keyForm(key) };
}

/** The report for people; under `--quiet` without what is harmless. */
export function verifyText(report: VerifyReport, quiet: boolean): string {
  const lines = report.problems.map((problem) => `damage: ${placeText(problem)}`);
  if (!quiet) lines.push(...report.notes.map((note) => `note: ${placeText(note)}`));
  const found = counted(report.problems.length, "problem");
  if (report.problems.length > 0) lines.push(`${found} found; kvstore repair --dry-run says what could be kept`);
  else if (!quiet) lines.push("no damage found");
  return lines.map((line) => line + "\n").join("");
}

/** What repair did, or would do, for people. */
export function repairText(report: RepairReport, dryRun: boolean): string {
  const lines = report.problems.map((problem) => `damage: ${placeText(problem)}`);
  for (const key of report.lostKeys) lines.push(`lost: the newest value of ${keyText(key)}`);
  for (const [first, last] of report.lostSequences) {
    lines.push(`lost: whatever had the sequence numbers ${grouped(first)} to ${grouped(last)}`);
  }
  for (const file of report.movedAside) lines.push(`${dryRun ? "to be moved" : "moved"} aside: ${file}`);
  if (lines.length === 0) lines.push("no damage found, nothing to repair");
  const kept = counted(report.keptRecords, "record");
  lines.push(dryRun ? `would keep ${kept} and lose ${counted(report.lostKeys.length, "key")}` : `kept ${kept}`);
  return lines.map((line) => line + "\n").join("");
}

function placeText(problem: Problem): string {
  const place = `${problem.file} at ${grouped(problem.offset)}, ${counted(problem.length, "byte")}: ${problem.reason}`;
  if (problem.key === undefined) return place;
  const older = problem.olderVersion ? "; an older version is intact" : "";
  return `${place} (key ${keyText(problem.key)}${older})`;
}
