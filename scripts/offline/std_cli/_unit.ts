const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];

/** `value` of `max`, both in the largest binary unit that `max` fills: `0.40/97.66 KiB`. */
export function formatUnitFraction(value: number, max: number): string {
  let power = 1;
  while (power < UNITS.length && 1024 ** (power + 1) <= max) power++;
  const rate = 1024 ** power;
  return `${(value / rate).toFixed(2)}/${(max / rate).toFixed(2)} ${UNITS[power - 1]}`;
}
