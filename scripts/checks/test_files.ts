/**
 * Where files of tests are: name and folder tell what runs from what helps.
 *
 * @module
 */

import type { Finding, SourceText } from "./source.ts";

/** `deno test` finds `*_test.ts`, the gate runs `*_long.ts`, and a task starts `main.ts`. */
const RUNS = /(_test|_long|\/main)\.ts$/;
/** The modules beside the test of the contract are lists of cases, and a corpus is data. */
const HELPS = /\/support\/|^tests\/contract\/|\/corpus\//;
/** What `deno test` takes for a test. */
const FOUND = /(^|[/_.])test\.[cm]?[jt]sx?$/;

/** Finds modules in tests/ that are neither tests nor in support/, and tests in other places. */
export function checkTestFiles(files: { path: SourceText["path"] }[]): Finding[] {
  const findings: Finding[] = [];
  for (const { path } of files) {
    const isTest = path.startsWith("tests/") && !path.includes("/support/");
    if (FOUND.test(path) && !isTest) {
      findings.push({
        path,
        line: 1,
        message: "deno test takes this for a test: those are in tests/, outside support/",
      });
    } else if (path.startsWith("tests/") && !RUNS.test(path) && !HELPS.test(path)) {
      const message = "neither *_test.ts nor *_long.ts: what helps tests is in a folder support/";
      findings.push({ path, line: 1, message });
    }
  }
  return findings;
}
