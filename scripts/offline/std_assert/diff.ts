import { inspect } from "node:util";

/** A value as people read it, over as many lines as it takes. */
export function format(value: unknown): string {
  return inspect(value, { depth: 20, maxArrayLength: 1000, maxStringLength: 10_000, sorted: true, compact: false });
}

/** Above this many pairs of lines the two texts are shown one after the other: the table would take too long. */
const MAX_PAIRS = 4_000_000;

/** Lines only in `actual` marked with `-`, lines only in `expected` with `+`. */
export function diff(actual: string, expected: string): string {
  const a = actual.split("\n");
  const b = expected.split("\n");
  if (a.length * b.length > MAX_PAIRS) return [...mark("-", a), ...mark("+", b)].join("\n");
  const lengths = commonLengths(a, b);
  const lines = ["    [Diff] Actual / Expected", ""];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push(`    ${a[i]}`);
      i++;
      j++;
    } else if (j === b.length || (i < a.length && lengths[i + 1]![j]! >= lengths[i]![j + 1]!)) {
      lines.push(...mark("-", [a[i++]!]));
    } else {
      lines.push(...mark("+", [b[j++]!]));
    }
  }
  return lines.join("\n");
}

function mark(sign: string, lines: string[]): string[] {
  return lines.map((line) => `${sign}   ${line}`);
}

/** Length of the longest common subsequence of a[i..] and b[j..], for every i and j. */
function commonLengths(a: string[], b: string[]): Uint32Array[] {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i]![j] = a[i] === b[j] ? lengths[i + 1]![j + 1]! + 1 : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
    }
  }
  return lengths;
}
