/**
 * The suites of the packages that adapters are for, with the exact number of cases or assertions that pass, so that one
 * that silently runs less is noticed. They run on the source, in suites_long.ts, and on the package for npm, in
 * scripts/npm/adapters.ts.
 */

/** A suite. */
export interface Suite {
  /** What it is called in tables. */
  name: string;
  /** The program, which gets a folder to work in, and then `args`. */
  program: string;
  /** More arguments. `PEERS` stands for the folder with what npm installed. */
  args: string[];
  /** How many cases or assertions pass. */
  passed: number;
  /** The cases that fail, by name. */
  failed: string[];
}

/** All suites. */
export const SUITES: Suite[] = [
  { name: "abstract-level 3", program: "level_suite.ts", args: [], passed: 5132, failed: [] },
  { name: "keyv 5", program: "keyv_suite.ts", args: ["5", "PEERS"], passed: 42, failed: [] },
  {
    name: "keyv 6",
    program: "keyv_suite.ts",
    args: ["6", "PEERS"],
    passed: 41,
    // keyv 6 resolves to one boolean a key, whatever is beneath it, and there is no suite for keyv 6 yet
    failed: [".deleteMany([keys]) with nonexistent keys resolves to false"],
  },
  { name: "unstorage 1", program: "unstorage_suite.ts", args: [], passed: 14, failed: [] },
];

/**
 * A package.json for npm to install the suite of keyv by. It names a runner, a coverage tool and a native SQLite among
 * its dependencies, 300 packages in all, and imports none of them: a runner is handed to it.
 */
export const PEERS_MANIFEST = {
  name: "peers",
  private: true,
  dependencies: { "@keyv/test-suite": "2.1.2" },
  overrides: { "vitest": "file:./unused", "@vitest/coverage-v8": "file:./unused", "sqlite3": "file:./unused" },
};

/** What a suite found. */
interface Outcome {
  passed: number;
  failed: string[];
  skipped: number;
}

/** What a suite found, by its output; `undefined` if it did not get to its end. */
export function outcomeOf(output: string): Outcome | undefined {
  const passed = /^# pass +(\d+)$/m.exec(output)?.[1];
  if (passed === undefined) return undefined;
  const failed = [...output.matchAll(/^not ok (?:\d+ )?(.*)$/gm)].map(([, name]) => name!);
  return { passed: Number(passed), failed, skipped: [...output.matchAll(/# (?:SKIP|TODO)\b/g)].length };
}

/** What is not as it should be with a suite, in a few lines; `undefined` if all is well. */
export function problemOf(suite: Suite, output: string): string | undefined {
  const outcome = outcomeOf(output);
  if (outcome === undefined) return `${suite.name}: did not get to its end:\n${output.slice(-3000)}`;
  const wanted = JSON.stringify({ passed: suite.passed, failed: suite.failed, skipped: 0 });
  const found = JSON.stringify(outcome);
  if (found === wanted) return undefined;
  const about = output.split("\n").filter((line) => !/^(ok|#) /.test(line)).slice(0, 60);
  return `${suite.name}: ${found} instead of ${wanted}\n${about.join("\n")}`;
}
