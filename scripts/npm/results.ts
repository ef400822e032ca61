/**
 * What passed and what failed, and the tables that say so.
 *
 * @module
 */

import type { Runtime } from "./runtimes.ts";

/** Passed and failed cases. */
export interface Count {
  /** Cases that passed. */
  passed: number;
  /** Cases that did not, or that are missing. */
  failed: number;
}

/** How the runners say how many cases passed, and how many did not. */
const CLOSING_LINES: Record<Runtime["kind"], { passed: RegExp; failed: RegExp[] }> = {
  deno: { passed: /^(?:ok|FAILED) \| (\d+) passed/m, failed: [/^(?:ok|FAILED) \|.* (\d+) failed/m] },
  node: { passed: /^# pass (\d+)$/m, failed: [/^# fail (\d+)$/m, /^# cancelled (\d+)$/m, /^# skipped (\d+)$/m] },
  bun: { passed: /^ *(\d+) pass$/m, failed: [/^ *(\d+) fail$/m, /^ *(\d+) skip$/m] },
};

/** The numbers in a runner's output; undefined if it did not get that far. */
export function countOf(kind: Runtime["kind"], output: string): Count | undefined {
  const { passed, failed } = CLOSING_LINES[kind];
  const number = (pattern: RegExp) => pattern.exec(output)?.[1];
  if (number(passed) === undefined) return undefined;
  return { passed: Number(number(passed)), failed: failed.reduce((sum, one) => sum + Number(number(one) ?? 0), 0) };
}

/** More of a message is not shown: the rest would be a whole store. */
const MESSAGE_CHARACTERS = 3000;

/** Collects what checks find. */
export class Results {
  readonly #counts = new Map<string, Count>();
  /** What failed, a line each. */
  readonly failures: string[] = [];

  /** The count of a row and column of the tables. */
  count(row: string, column: string): Count {
    const name = `${row}\n${column}`;
    const count = this.#counts.get(name) ?? { passed: 0, failed: 0 };
    this.#counts.set(name, count);
    return count;
  }

  /** Notes a check that passed. */
  pass(row: string, column: string, count: number = 1): void {
    this.count(row, column).passed += count;
  }

  /** Notes a check that failed. */
  fail(row: string, column: string, message: string, count: number = 1): void {
    this.count(row, column).failed += count;
    const line = `${row}, ${column}: ${message}`;
    this.failures.push(line.length > MESSAGE_CHARACTERS ? `${line.slice(0, MESSAGE_CHARACTERS)} …` : line);
    console.log(`FAILED ${line.split("\n")[0]!.slice(0, MESSAGE_CHARACTERS / 10)}`);
  }

  /** Runs a check: it fails if it throws. */
  async check(row: string, column: string, name: string, action: () => void | Promise<void>): Promise<void> {
    try {
      await action();
      this.pass(row, column);
    } catch (error) {
      this.fail(row, column, `${name}: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** All counts added up. */
  total(): Count {
    const counts = [...this.#counts.values()];
    const sum = (key: keyof Count) => counts.reduce((total, count) => total + count[key], 0);
    return { passed: sum("passed"), failed: sum("failed") };
  }
}

/** A Markdown table. Columns of numbers are set to the right. */
export function table(head: string[], rows: (string | number)[][]): string {
  const isNumber = head.map((_, i) => rows.every((row) => /^([\d.,]+( (kB|ms))?)?$/.test(String(row[i]))));
  const all = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, i) => Math.max(3, ...all.map((row) => row[i]!.length)));
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  const pad = (cell: string, i: number) => isNumber[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!);
  const rule = widths.map((width, i) => isNumber[i] ? `${"-".repeat(width - 1)}:` : "-".repeat(width));
  return [line(all[0]!.map(pad)), line(rule), ...all.slice(1).map((row) => line(row.map(pad)))].join("\n");
}

/** Throws unless the two are equal as JSON. */
export function assertSame(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: ${a} instead of ${b}`);
}
