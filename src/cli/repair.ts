/** `repair`. @module */

import { type RepairReport, repairStore } from "../../mod.ts";
import { hasSwitch } from "./command_line/arguments.ts";
import type { Command } from "./command_line/definition.ts";
import { EXIT } from "./command_line/errors.ts";
import { waitingForLock } from "./command_line/open_store.ts";
import { withProgress } from "./input_output/progress_bar.ts";
import { counted, grouped } from "./text/format.ts";
import { keyForm, keyText } from "./text/notation.ts";
import { escaped } from "./text/printable.ts";
import { placeText, problemForm } from "./verify.ts";

/** Repairs a damaged store. */
export const repair: Command = {
  name: "repair",
  args: [],
  options: [{ name: "dry-run", about: "only say what would be lost; needs no lock" }],
  summary: "make a damaged store usable again, keeping everything that can be read",
  description:
    `Moves damaged bytes aside and deletes nothing. Says what was lost: keys whose newest value is damaged (an older
value never silently takes its place), and sequence numbers whose records are unknown.`,
  json: '{"dryRun":false,"problems":[…],"lostKeys":[…],"lostSequences":[[7,9]],"keptRecords":12,…}',
  example: ["kvstore repair --dry-run", "would keep 12 records and lose 1 key: user:2"],
  endsGently: () => true,
  run: async (context) => {
    // A shell may have the store open for writing.
    await context.session?.release();
    return await waitingForLock(context, async () => {
      const dryRun = hasSwitch(context, "dry-run");
      const report = await withProgress(
        context,
        dryRun ? "reading" : "repairing",
        (options) => repairStore(context.dir, { ...options, dryRun, lock: !hasSwitch(context, "nolock") }),
      );
      context.out.add(context.json ? JSON.stringify(repairForm(report, dryRun)) + "\n" : repairText(report, dryRun));
      await context.out.flush();
      return EXIT.done;
    });
  },
};

function repairForm(report: RepairReport, dryRun: boolean): unknown {
  const { problems, lostKeys, ...plain } = report;
  return { dryRun, problems: problems.map(problemForm), lostKeys: lostKeys.map(keyForm), ...plain };
}

/** Writes the report as text. */
export function repairText(report: RepairReport, dryRun: boolean): string {
  const lines = report.problems.map((problem) => `damage: ${placeText(problem)}`);
  for (const key of report.lostKeys) lines.push(`lost: the newest value of ${keyText(key)}`);
  for (const [first, last] of report.lostSequences) {
    lines.push(`lost: the records with the sequence numbers ${grouped(first)} to ${grouped(last)}`);
  }
  for (const file of report.movedAside) lines.push(`${dryRun ? "to be moved" : "moved"} aside: ${escaped(file)}`);
  if (lines.length === 0) lines.push("no damage found, nothing to repair");
  const kept = counted(report.keptRecords, "record");
  lines.push(dryRun ? `would keep ${kept} and lose ${counted(report.lostKeys.length, "key")}` : `kept ${kept}`);
  return lines.map((line) => line + "\n").join("");
}
