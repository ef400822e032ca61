/**
 * A test runner of forty lines, for suites that are handed one: it runs on every runtime, one case after the other, and
 * prints a line for each and their numbers at the end.
 */

// 29, as the ES module of 30 exports nothing under Bun.
import { expect } from "expect";
import process from "node:process";

type Case = (context: { expect: typeof expect }) => unknown;

/** Collects cases, and runs them. */
export class SuiteRunner {
  readonly #cases: [name: string, run: Case][] = [];
  readonly #before: Case[] = [];
  readonly #after: Case[] = [];

  /** Adds a case. */
  readonly it = (name: string, run: Case): void => void this.#cases.push([name, run]);
  /** Adds what is done before every case. */
  readonly beforeEach = (run: Case): void => void this.#before.push(run);
  /** Adds what is done after every case. */
  readonly afterEach = (run: Case): void => void this.#after.push(run);

  /** Runs all cases; returns the names of those that failed. */
  async run(): Promise<string[]> {
    const failed: string[] = [];
    for (const [name, run] of this.#cases) {
      const problem = await this.#problemOf(run);
      if (problem !== undefined) failed.push(name);
      console.log(problem === undefined ? `ok ${name}` : `not ok ${name}\n${problem}`);
    }
    console.log(`# pass ${this.#cases.length - failed.length}\n# fail ${failed.length}`);
    process.exitCode = failed.length > 0 ? 1 : 0;
    return failed;
  }

  async #problemOf(run: Case): Promise<string | undefined> {
    try {
      for (const step of this.#before) await step({ expect });
      await run({ expect });
      for (const step of this.#after) await step({ expect });
      // A case may have said how many assertions it makes.
      for (const { error } of expect.extractExpectedAssertionsErrors()) throw error;
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.stack : String(error);
    }
  }
}
