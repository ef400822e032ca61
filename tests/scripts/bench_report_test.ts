import { assert, assertEquals, assertThrows } from "@std/assert";
import { ENGINES } from "../../bench/engines/mod.ts";
import { verdicts } from "../../bench/report/goals.ts";
import { page } from "../../bench/report/markdown.ts";
import { shown } from "../../bench/report/metrics.ts";
import { Collection, find, isSettled, median, merge, type Run } from "../../bench/report/results.ts";
import { percentile } from "../../bench/workloads/bench.ts";

const RUN: Run = { date: "2026-01-02T03:04:05Z", machine: "one core", versions: { Deno: "2" } };

Deno.test("a median lies in the middle, and other shares lie where they should", () => {
  assertEquals([median([3, 1, 2]), median([4, 1, 2, 3]), median([5])], [2, 2.5, 5]);
  assertThrows(() => median([]));
  const hundred = Array.from({ length: 100 }, (_, i) => 99 - i);
  assertEquals([percentile(hundred, 0.5), percentile(hundred, 0.99), percentile(hundred, 1)], [50, 99, 99]);
});

Deno.test("rounds that hardly differ are enough", () => {
  const settled = (...values: number[]) =>
    isSettled(resultsOf(values.map((value) => ["kvstore", "fill", 10, value])).measurements[0]!);
  assertEquals([settled(100), settled(100, 109), settled(100, 120), settled(100, 109, 120)], [
    false,
    true,
    false,
    false,
  ]);
});

function resultsOf(figures: [engine: string, metric: string, keys: number, value: number][], run: Run = RUN) {
  const collection = new Collection(run);
  for (const [engine, metric, keys, value] of figures) {
    collection.add({ runtime: "node", engine, keys }, { metric, value });
  }
  return collection.results();
}

Deno.test("rounds are collected, and newer figures replace older ones of the same", () => {
  const older = resultsOf([["kvstore", "fill", 10, 1], ["kvstore", "fill", 10, 3], ["lmdb", "fill", 10, 5]]);
  const place = { runtime: "node", engine: "kvstore", metric: "fill", keys: 10 } as const;
  assertEquals(find(older, place)?.rounds, [1, 3]);
  assertEquals(find(older, place)?.median, 2);
  const newer = resultsOf([["kvstore", "fill", 10, 7]], { ...RUN, date: "2027", versions: { Node: "20" } });
  const merged = merge(older, newer);
  assertEquals(merged.measurements.map(({ engine, median }) => [engine, median]), [["kvstore", 7], ["lmdb", 5]]);
  assertEquals([merged.run.date, merged.run.versions], ["2027", { Deno: "2", Node: "20" }]);
  const last = merge(merged, resultsOf([], { ...RUN, versions: { Deno: "2", Node: "24" } }));
  assertEquals(last.run.versions, { Deno: "2", Node: "20 and 24" });
  const added = merge(older, newer, { adds: true });
  const [ours] = added.measurements;
  const rounds = [older, newer].flatMap(({ measurements }) => measurements[0]!.rounds);
  assertEquals([ours!.rounds, ours!.median], [rounds, median(rounds)]);
});

Deno.test("goals are met, missed, or not measured", () => {
  const results = resultsOf([
    ["kvstore", "fill", 10, 300],
    ["lmdb", "fill", 10, 90],
    ["rocksdb", "fill", 10, 101],
    ["Map", "fill", 10, 400],
    ["kvstore", "open", 10, 30],
    ["classic-level", "open", 10, 29],
    ["kvstore", "growth-get", 100_000, 500],
    ["kvstore", "growth-get", 20_000_000, 990],
    ["kvstore", "scan", 10, 119],
    ["lmdb", "scan", 10, 90],
    ["classic-level", "scan", 10, 100],
    ["KvLevel", "queue", 10, 7],
    ["classic-level", "queue", 10, 6],
    ["openKv", "kv-list", 10, 15],
    ["openKv", "kv-list", 20, 14],
    ["@deno/kv", "kv-list", 10, 10],
    ["@deno/kv", "kv-list", 20, 10],
    ["kvstore", "prefix-first", 10, 59],
    ["kvstore", "range-open", 10, 16],
    ["kvstore", "memory-known", 10, 49],
    ["kvstore", "shell", 0, 40],
    ["kvstore", "shell", 1000, 70],
    ["kvstore", "shell", 10_000, 50],
  ]);
  const found = verdicts(results, "node").filter(({ isMet }) => isMet !== undefined);
  assertEquals(found.map(({ workload, isMet }) => [workload, isMet]), [
    // against the best native peer, then against the Map
    ["fill, random order", false],
    ["fill, random order", true],
    ["open in a new process, to the first get", false],
    ["sorted scan of everything", false],
    ["queue: push, read the first, delete it; KvLevel", true],
    ["Kv: lists of 1,000 entries, beside few; openKv", true],
    ["Kv: lists of 1,000 entries, beside many; openKv", false],
    ["first scan of a prefix with 100 keys", true],
    ["first range of 100 keys after opening, which had its order", false],
    ["memory beyond the key's bytes", true],
    ["time of a get as the store grows", true],
    ["`kvstore get` in a shell", false],
  ]);
  assertEquals(verdicts(results, "deno").filter(({ isMet }) => isMet !== undefined), []);
});

Deno.test("goals compare at the most keys that both sides have figures of, with the peer that is closest then", () => {
  const results = resultsOf([
    ["kvstore", "fill", 1000, 300],
    ["kvstore", "fill", 100, 500],
    ["classic-level", "fill", 1000, 90],
    ["classic-level", "fill", 100, 490],
    ["lmdb", "fill", 100, 200],
    ["rocksdb", "fill", 10, 1000],
    ["kvstore", "open", 1000, 30],
    ["kvstore", "open", 100, 20],
    ["classic-level", "open", 100, 10],
  ]);
  const found = verdicts(results, "node").filter(({ isMet }) => isMet !== undefined);
  assertEquals(found.map(({ found, isMet }) => [found, isMet]), [
    ["500 to lmdb's 200 operations/s at 100 keys", false],
    ["20.0 to classic-level's 10.0 ms at 100 keys", false],
  ]);
});

Deno.test("goals are ratios of our own figures, or compare one of ours with another of a peer", () => {
  const results = resultsOf([
    ["kvstore", "batch-turn", 10, 149],
    ["kvstore", "single-turn", 10, 100],
    ["kvstore", "shell-set", 0, 40],
    ["kvstore", "shell-set", 1000, 59],
    ["kvstore", "batch", 10, 449],
    ["lmdb", "batch", 10, 140],
    ["kvstore", "durable-batch", 10, 20],
    ["classic-level", "durable-many", 10, 11],
    ["kvstore", "first-get", 10, 1],
    ["kvstore", "first-new", 10, 2.9],
    ["kvstore", "first-get", 20, 1],
    ["kvstore", "first-new", 20, 3.1],
    ["kvstore", "import", 10, 30],
    ["kvstore", "import-sqlite", 10, 31],
    ["kvstore", "export", 10, 61],
    ["kvstore", "crash-open", 10, 19],
    ["kvstore", "crash-read", 10, 10],
    ["kvstore", "set-slowest", 10, 2.1],
    ["kvstore", "reopen", 10, 3],
    ["classic-level", "reopen", 10, 1],
  ]);
  const found = verdicts(results, "node").filter(({ isMet }) => isMet !== undefined);
  assertEquals(found.map(({ workload, isMet }) => [workload, isMet]), [
    // against the best native peer, then against single sets
    ["atomic batches of 1,000", true],
    ["synced sets, in batches of 1,000 of the caller's", false],
    ["atomic batches of 1,000", false],
    ["first set after opening, of a new key, beside fewer", true],
    ["first set after opening, of a new key, beside more", false],
    ["open behind a crash", true],
    ["`kvstore import`", false],
    ["`kvstore export` of NDJSON", true],
    ["`kvstore set` in a shell", true],
    ["slowest call of `set` in a fill", false],
  ]);
  const onDeno = verdicts(results, "deno").map(({ workload }) => workload);
  assert(onDeno.includes("open, get, close in a process that holds 2 GB"));
});

Deno.test("the page has every figure, and says what is missing and why", () => {
  const collection = new Collection(RUN);
  collection.add({ runtime: "node", engine: "kvstore", keys: 1000 }, { metric: "fill", value: 654_321 });
  collection.add({ runtime: "node", engine: "lmdb", keys: 100 }, { metric: "fill", value: 12.345 });
  collection.miss({ runtime: "node", engine: "medea", part: "all", reason: "does | not\nrun" });
  const text = page(collection.results(), [{ file: "fill.svg", title: "fill" }]);
  for (const wanted of ["654,000", "12.3", " 1,000 |", " 100 |", "does \\| not run", "one core", "(fill.svg)"]) {
    assert(text.includes(wanted), wanted);
  }
  for (const { name } of ENGINES) assert(text.includes(name), name);
});

Deno.test("numbers are shown with three digits that count", () => {
  assertEquals([1234567, 999, 12.345, 0.012345, 0].map(shown), ["1,230,000", "999", "12.3", "0.0123", "0"]);
});
