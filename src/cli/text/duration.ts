/**
 * Durations as they are typed and printed: `500ms`, `10m`, `1h30m`.
 *
 * @module
 */

/** The units, the largest first. */
const UNITS_MS: [unit: string, ms: number][] = [["d", 86_400_000], ["h", 3_600_000], ["m", 60_000], ["s", 1000], [
  "ms",
  1,
]];
const DURATION = new RegExp(`^${UNITS_MS.map(([unit]) => `(?:([0-9]+(?:\\.[0-9]+)?)${unit})?`).join("")}$`);

/**
 * Parses a duration to milliseconds; `NaN` if it is none. It must have units: a bare number could mean seconds or
 * milliseconds.
 */
export function parseDuration(text: string): number {
  const amounts = DURATION.exec(text)?.slice(1);
  if (amounts === undefined || text === "") return NaN;
  return UNITS_MS.reduce((sum, [, ms], i) => sum + Number(amounts[i] ?? 0) * ms, 0);
}

/** Writes a duration so that `parseDuration` takes it: to the second, and one below a second to the millisecond. */
export function durationText(durationMs: number): string {
  if (durationMs < 1000) return `${Math.floor(durationMs)}ms`;
  let rest = durationMs;
  let text = "";
  for (const [unit, ms] of UNITS_MS.slice(0, -1)) {
    const amount = Math.floor(rest / ms);
    if (amount > 0) text += `${amount}${unit}`;
    rest -= amount * ms;
  }
  return text;
}
