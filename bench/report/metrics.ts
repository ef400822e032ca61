/**
 * What figures are called, their units, and whether more is better.
 *
 * @module
 */

/** A kind of figure. */
export interface Metric {
  /** As in the JSON. */
  name: string;
  /** As in tables. */
  title: string;
  /** Of the values. */
  unit: "operations/s" | "entries/s" | "MB/s" | "ms" | "µs" | "ns" | "bytes a key" | "bytes a byte";
  /** Whether it has a plot of its own, or one over the number of keys. */
  plot?: "bars" | "lines";
}

/** All kinds, in the order of the tables. */
export const METRICS: Metric[] = [
  { name: "fill", title: "fill, random order", unit: "operations/s", plot: "bars" },
  { name: "overwrite", title: "overwrite, random order", unit: "operations/s", plot: "bars" },
  { name: "batch", title: "atomic batches of 1,000", unit: "operations/s" },
  { name: "get", title: "get, hot, bytes", unit: "operations/s", plot: "bars" },
  { name: "get-string", title: "get, hot, strings", unit: "operations/s", plot: "bars" },
  { name: "get-missing", title: "get of a missing key", unit: "operations/s", plot: "bars" },
  { name: "durable-serial", title: "synced sets, one after the other", unit: "operations/s", plot: "bars" },
  { name: "durable-many", title: "synced sets, 1,000 in flight", unit: "operations/s", plot: "bars" },
  { name: "scan", title: "sorted scan of everything", unit: "entries/s", plot: "bars" },
  { name: "prefix-first", title: "first scan of a prefix with 100 keys", unit: "ms" },
  { name: "prefix", title: "scans of prefixes with 100 keys, nothing changing", unit: "operations/s", plot: "bars" },
  { name: "range-open", title: "first range of 100 keys after opening, which had its order", unit: "ms" },
  { name: "queue", title: "queue: push, read the first, delete it", unit: "operations/s", plot: "bars" },
  { name: "feed", title: "feed: set, then read the latest 10", unit: "operations/s", plot: "bars" },
  { name: "kv-get", title: "Kv: get, awaited", unit: "operations/s" },
  { name: "kv-many", title: "Kv: commits, 1,000 in flight", unit: "operations/s" },
  { name: "kv-serial", title: "Kv: commits, one after the other", unit: "operations/s" },
  { name: "kv-list", title: "Kv: lists of 1,000 entries", unit: "entries/s" },
  {
    name: "kv-index",
    title: "Kv: a commit that keeps an index, then a list of 10, 1,000 in flight",
    unit: "operations/s",
  },
  { name: "set-4k", title: "set, 4 KiB", unit: "MB/s", plot: "bars" },
  { name: "get-4k", title: "get, 4 KiB", unit: "MB/s", plot: "bars" },
  { name: "set-1m", title: "set, 1 MiB", unit: "MB/s" },
  { name: "get-1m", title: "get, 1 MiB", unit: "MB/s" },
  { name: "open", title: "open in a new process, to the first get", unit: "ms", plot: "bars" },
  { name: "shell", title: "`kvstore get` in a shell", unit: "ms" },
  { name: "disk", title: "on disk after the fill", unit: "bytes a byte" },
  { name: "memory-known", title: "memory, JavaScript's objects and buffers", unit: "bytes a key", plot: "bars" },
  { name: "memory-resident", title: "memory, growth of the resident set", unit: "bytes a key" },
  { name: "compaction", title: "compaction of a half-stale store", unit: "MB/s" },
  { name: "compaction-copy", title: "sequential copy of the same files", unit: "MB/s" },
  { name: "compaction-stall", title: "longest stall during compaction", unit: "ms" },
  { name: "compaction-stall-quiet", title: "longest stall in 2 s without compaction", unit: "ms" },
  { name: "compaction-p99", title: "p99 of gets during compaction", unit: "µs" },
  { name: "compaction-p99-quiet", title: "p99 of gets without compaction", unit: "µs" },
  { name: "growth-get", title: "time of a get", unit: "ns", plot: "lines" },
  { name: "growth-set", title: "time of a set", unit: "ns", plot: "lines" },
];

/** A metric by its name. */
export function metricOf(name: string): Metric {
  const metric = METRICS.find((metric) => metric.name === name);
  if (metric === undefined) throw new Error(`no metric "${name}"`);
  return metric;
}

/** A number for people: three digits that count, thousands set apart. */
export function shown(value: number): string {
  if (value === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  if (digits > 0) return value.toFixed(Math.min(digits, 4));
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 2);
  return (Math.round(value / unit) * unit).toLocaleString("en-US", { maximumFractionDigits: 0 });
}
