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
  /** Whether it has a chart. */
  hasChart?: true;
}

/** All kinds, in the order of the tables. */
export const METRICS: Metric[] = [
  { name: "fill", title: "fill, random order", unit: "operations/s" },
  { name: "overwrite", title: "overwrite, random order", unit: "operations/s" },
  { name: "batch", title: "atomic batches of 1,000", unit: "operations/s" },
  { name: "batch-turn", title: "atomic batches of 1,000, in turns with single sets", unit: "operations/s" },
  { name: "single-turn", title: "single sets, 1,000 in flight, in turns with batches", unit: "operations/s" },
  { name: "get", title: "get, hot, bytes", unit: "operations/s", hasChart: true },
  { name: "get-string", title: "get, hot, strings", unit: "operations/s" },
  { name: "get-missing", title: "get of a missing key", unit: "operations/s" },
  { name: "durable-serial", title: "synced sets, one after the other", unit: "operations/s" },
  { name: "durable-many", title: "synced sets, 1,000 in flight", unit: "operations/s", hasChart: true },
  { name: "durable-batch", title: "synced sets, in batches of 1,000 of the caller's", unit: "operations/s" },
  { name: "scan", title: "sorted scan of everything", unit: "entries/s" },
  { name: "prefix-first", title: "first scan of a prefix with 100 keys", unit: "ms" },
  { name: "prefix", title: "scans of prefixes with 100 keys, nothing changing", unit: "operations/s" },
  { name: "range-open", title: "first range of 100 keys after opening, which had its order", unit: "ms" },
  { name: "queue", title: "queue: push, read the first, delete it", unit: "operations/s" },
  { name: "feed", title: "feed: set, then read the latest 10", unit: "operations/s" },
  { name: "kv-get", title: "Kv: get, awaited", unit: "operations/s" },
  { name: "kv-many", title: "Kv: commits, 1,000 in flight", unit: "operations/s" },
  { name: "kv-serial", title: "Kv: commits, one after the other", unit: "operations/s" },
  { name: "kv-list", title: "Kv: lists of 1,000 entries", unit: "entries/s" },
  {
    name: "kv-index",
    title: "Kv: a commit that keeps an index, then a list of 10, 1,000 in flight",
    unit: "operations/s",
  },
  { name: "set-4k", title: "set, 4 KiB", unit: "MB/s" },
  { name: "get-4k", title: "get, 4 KiB", unit: "MB/s" },
  { name: "set-1m", title: "set, 1 MiB", unit: "MB/s" },
  { name: "get-1m", title: "get, 1 MiB", unit: "MB/s" },
  { name: "open", title: "open in a new process, to the first get", unit: "ms" },
  { name: "first-get", title: "first get after opening, in a new process", unit: "ms" },
  { name: "first-set", title: "first set after opening, of a key that is there", unit: "ms" },
  { name: "first-new", title: "first set after opening, of a new key", unit: "ms" },
  { name: "crash-open", title: "open behind a crash", unit: "ms" },
  { name: "crash-read", title: "reading the same files from the page cache", unit: "ms" },
  { name: "reopen", title: "open, get, close in a process that holds 2 GB", unit: "operations/s" },
  { name: "shell", title: "`kvstore get` in a shell", unit: "ms" },
  { name: "shell-set", title: "`kvstore set` in a shell", unit: "ms" },
  { name: "import", title: "`kvstore import` of NDJSON", unit: "MB/s" },
  { name: "import-sqlite", title: "`.import` of the same records by sqlite3", unit: "MB/s" },
  { name: "export", title: "`kvstore export` of NDJSON", unit: "MB/s" },
  { name: "disk", title: "on disk after the fill", unit: "bytes a byte" },
  { name: "memory-known", title: "memory, JavaScript's objects and buffers", unit: "bytes a key" },
  { name: "memory-resident", title: "memory, growth of the resident set", unit: "bytes a key" },
  { name: "compaction", title: "compaction of a half-stale store", unit: "MB/s" },
  { name: "compaction-copy", title: "sequential copy of the same files", unit: "MB/s" },
  { name: "compaction-stall", title: "longest stall during compaction", unit: "ms" },
  { name: "compaction-stall-quiet", title: "longest stall in 2 s without compaction", unit: "ms" },
  { name: "compaction-p99", title: "p99 of gets during compaction", unit: "µs" },
  { name: "compaction-p99-quiet", title: "p99 of gets without compaction", unit: "µs" },
  { name: "growth-get", title: "time of a get", unit: "ns" },
  { name: "growth-set", title: "time of a set", unit: "ns" },
  { name: "set-slowest", title: "slowest call of `set` in a fill", unit: "ms" },
  { name: "set-p9999", title: "p99.99 of the calls of `set` in a fill", unit: "µs" },
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
