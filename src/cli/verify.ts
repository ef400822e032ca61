/** `verify`. @module */

import { type Problem, type VerifyReport, verifyStore } from "../../mod.ts";
import type { Command } from "./command_line/definition.ts";
import { EXIT, PipeClosed } from "./command_line/errors.ts";
import { waitingForLock } from "./command_line/open_store.ts";
import { withProgress } from "./input_output/progress_bar.ts";
import { counted, grouped } from "./text/format.ts";
import { keyForm, keyText } from "./text/notation.ts";
import { escaped } from "./text/printable.ts";

/** Of more problems, the last entry says how many are left out. */
const MOST_PROBLEMS = 1000;

/** Checks every byte. */
export const verify: Command = {
  name: "verify",
  elsewhere: ["check", "fsck"],
  args: [],
  options: [],
  summary: "read and check every byte of the store",
  description:
    `Works while an application has the store open, and on stores that do not open any more. Lists damage with its
place and, if possible, its key. Exits with 1 if there is damage. Notes are harmless.`,
  json: '{"problems":[…],"notes":[…]}, each with file, offset, length, reason, and key if possible',
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
        // The exit status is the finding, whoever reads the output.
        if (!(error instanceof PipeClosed)) throw error;
      }
      return status;
    }),
};

function verifyForm(report: VerifyReport): unknown {
  return { problems: report.problems.map(problemForm), notes: report.notes.map(problemForm) };
}

/** Converts a problem to its JSON form. */
export function problemForm({ key, ...problem }: Problem): unknown {
  return key === undefined ? problem : { ...problem, key: keyForm(key) };
}

/** Writes the report as text. Leaves out notes if `quiet`. */
export function verifyText(report: VerifyReport, quiet: boolean): string {
  const lines = report.problems.map((problem) => `damage: ${placeText(problem)}`);
  if (!quiet) lines.push(...report.notes.map((note) => `note: ${placeText(note)}`));
  const { length } = report.problems;
  const found = length > MOST_PROBLEMS ? `more than ${counted(MOST_PROBLEMS, "problem")}` : counted(length, "problem");
  if (length > 0) lines.push(`${found} found; kvstore repair --dry-run says what can be kept`);
  else if (!quiet) lines.push("no damage found");
  return lines.map((line) => line + "\n").join("");
}

/** Writes a problem on one line. */
export function placeText(problem: Problem): string {
  const { file, offset, length, reason } = problem;
  const place = `${escaped(file)} at ${grouped(offset)}, ${counted(length, "byte")}: ${escaped(reason)}`;
  if (problem.key === undefined) return place;
  const older = problem.olderVersion ? "; an older version is intact" : "";
  return `${place} (key ${keyText(problem.key)}${older})`;
}
