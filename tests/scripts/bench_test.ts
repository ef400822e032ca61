import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Engine, EngineKind, Payload } from "../../bench/engine.ts";
import { ENGINES } from "../../bench/engines/mod.ts";
import { optionsOf, UsageError } from "../../bench/options.ts";
import { verdicts } from "../../bench/report/goals.ts";
import { page } from "../../bench/report/markdown.ts";
import { metricOf, shown } from "../../bench/report/metrics.ts";
import { Collection, find, median, merge, type Run } from "../../bench/report/results.ts";
import { keysFor } from "../../bench/keys.ts";
import { Bench, type Job } from "../../bench/workloads/bench.ts";
import { keyOf, missingKeyOf, numberOf, Order, Values } from "../../bench/workloads/data.ts";
import { work } from "../../bench/worker.ts";
import { canUseDisk } from "../support/permissions.ts";

const RUN: Run = { date: "2026-01-02T03:04:05Z", machine: "one core", versions: { Deno: "2" } };

Deno.test("an order has every number once, and another one with another seed", () => {
  for (const count of [1, 2, 3, 100, 1000, 4097]) {
    const numbers = Array.from({ length: count }, (_, i) => new Order(count, 1).at(i));
    assertEquals(numbers.toSorted((a, b) => a - b), Array.from({ length: count }, (_, i) => i), `${count}`);
  }
  const [one, other] = [new Order(1000, 1), new Order(1000, 2)];
  const same = Array.from({ length: 1000 }, (_, i) => one.at(i) === other.at(i)).filter(Boolean).length;
  assert(same < 20, `${same} are in the same place`);
});

Deno.test("keys sort as their numbers do, and missing keys lie among them", () => {
  assertEquals([keyOf(0), keyOf(1234567890123456)], ["0000000000000000", "1234567890123456"]);
  assertEquals(missingKeyOf(12345), "000000000001234x");
  assertEquals(numberOf(keyOf(20_000_000)), 20_000_000);
});

Deno.test("values tell keys and versions apart", () => {
  for (const payload of ["bytes", "string"] as const) {
    const values = new Values(100, payload, ENGINES[0]!);
    assertEquals(values.of(7, 0).length, 100);
    assert(values.isRight(7, 0, values.of(7, 0)));
    assert(!values.isRight(7, 0, values.of(7, 1)) && !values.isRight(7, 0, values.of(8, 0)));
    assert(!values.isRight(7, 0, undefined) && !values.isRight(7, 0, values.of(7, 0).slice(1)));
  }
});

/** An engine in memory that may lie. */
function lying(get: (map: Map<string, Payload>, key: string) => Payload | undefined): EngineKind {
  const open = (): Engine => {
    const map = new Map<string, Payload>();
    return {
      set: (key, value) => map.set(key, value),
      setMany: (keys, values) => keys.forEach((key, i) => map.set(key, values[i]!)),
      get: (key) => get(map, key),
      close: () => {},
    };
  };
  const writes = { write: "", sync: "" };
  return { name: "liar", role: "script", runtimes: ["deno"], writes, refuses: {}, open };
}

async function use(kind: EngineKind): Promise<void> {
  const directory = Deno.makeTempDirSync();
  try {
    const job: Job = { engine: kind.name, work: "", directory, project: "", keys: 3000, limitSeconds: 10 };
    const bench = new Bench(kind, job, { valueBytes: 100, payload: "bytes" });
    const engine = await bench.open("store", "write");
    const order = new Order(3000, 1);
    const { operations } = await bench.write(engine, { order, count: 3000, version: 0, how: "many" });
    assertEquals(operations, 3000);
    await bench.read(engine, { order, count: 3000 });
    await bench.read(engine, { order, count: 3000, missing: true });
    await bench.check(engine, order, { count: 3000, version: 0 });
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test({ name: "an engine that gives wrong values has no figures", ignore: !canUseDisk }, async () => {
  await use(lying((map, key) => map.get(key)));
  const nothing = lying((map, key) => key === keyOf(17) ? undefined : map.get(key));
  await assertRejects(() => use(nothing), Error, "bytes were read instead of");
  const swapped = lying((map, key) => map.get(map.has(key) ? keyOf(numberOf(key) ^ 1) : key));
  await assertRejects(() => use(swapped), Error, "is wrong");
  await assertRejects(() => use(lying(() => new Uint8Array(100))), Error, "bytes were read instead of 0");
});

Deno.test({ name: "the main parts run on our engine and on the floors", ignore: !canUseDisk }, async () => {
  const parts: [string, string[]][] = [
    ["kvstore", ["basic", "strings", "durable", "batch", "large4k", "large1m"]],
    ["Map", ["basic", "strings"]],
    ["raw file", ["basic", "durable", "batch", "large4k"]],
  ];
  for (const [engine, names] of parts) {
    for (const name of names) {
      const directory = Deno.makeTempDirSync();
      const keys = name.startsWith("large") ? 20 : name === "durable" ? 100 : 2000;
      const job = { engine, work: name, directory, project: "", keys, limitSeconds: 10 };
      const figures = await work(job);
      Deno.removeSync(directory, { recursive: true });
      assert(figures.length > 0, `${engine}, ${name}`);
      for (const { metric, value } of figures) {
        metricOf(metric);
        assert(value > 0 && Number.isFinite(value), `${engine}, ${name}, ${metric}: ${value}`);
      }
    }
  }
});

Deno.test({
  name: "ranges and the Kv interface are measured on a store that is kept for all rounds",
  ignore: !canUseDisk,
}, async () => {
  for (
    const [engine, part, metrics] of [
      ["kvstore", "ranges", ["range-open", "queue", "feed"]],
      ["KvLevel", "ranges", ["range-open", "queue", "feed"]],
      ["openKv", "kv", ["kv-get", "kv-many", "kv-serial", "kv-list", "kv-index"]],
    ] as const
  ) {
    const directory = Deno.makeTempDirSync();
    const job = { engine, directory, project: "", keys: 2000, limitSeconds: 0.1 };
    assertEquals(await work({ ...job, work: `fill-${part}` }), []);
    for (let round = 0; round < 2; round++) {
      const figures = await work({ ...job, work: part });
      assertEquals(figures.map(({ metric }) => metricOf(metric).name), [...metrics]);
      for (const { metric, value } of figures) assert(value > 0 && Number.isFinite(value), `${engine}, ${metric}`);
    }
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("a median lies in the middle", () => {
  assertEquals([median([3, 1, 2]), median([4, 1, 2, 3]), median([5])], [2, 2.5, 5]);
  assertThrows(() => median([]));
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
    ["kvstore", "memory-known", 10, 56],
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

Deno.test("the page has every figure, and says what is missing and why", () => {
  const collection = new Collection(RUN);
  collection.add({ runtime: "node", engine: "kvstore", keys: 1000 }, { metric: "fill", value: 654_321 });
  collection.add({ runtime: "node", engine: "lmdb", keys: 1000 }, { metric: "fill", value: 12.345, cutAt: 77 });
  collection.miss({ runtime: "node", engine: "medea", part: "all", reason: "does | not\nrun" });
  const text = page(collection.results(), [{ file: "fill.svg", title: "fill" }]);
  for (const wanted of ["654,000", "12.3*", "lmdb, fill, Node: 77", "does \\| not run", "one core", "(fill.svg)"]) {
    assert(text.includes(wanted), wanted);
  }
  for (const { name } of ENGINES) assert(text.includes(name), name);
});

Deno.test("numbers are shown with three digits that count", () => {
  assertEquals([1234567, 999, 12.345, 0.012345, 0].map(shown), ["1,230,000", "999", "12.3", "0.0123", "0"]);
});

Deno.test("options name what there is, and only whole runs write to docs/bench", () => {
  const all = optionsOf([]);
  assertEquals([all.on, all.rounds, all.keys, all.engines.length], [["deno", "node"], 3, 1_000_000, ENGINES.length]);
  assert(all.out!.endsWith("bench"));
  const part = optionsOf(["--on", "node", "--engines", "raw file,kvstore", "--workloads", "open,basic", "--keys", "5"]);
  assertEquals([part.on, part.engines, part.workloads], [["node"], ["kvstore", "raw file"], ["basic", "open"]]);
  assertEquals([part.keys, part.out], [5, undefined]);
  assert(optionsOf(["--keys", "5", "--merge"]).out !== undefined);
  const quick = optionsOf(["--quick", "--keys", "7"]);
  assertEquals([quick.engines.slice(0, 4), quick.keys], [["kvstore", "openKv", "Map", "raw file"], 7]);
  assertEquals(quick.out, undefined);
  for (
    const wrong of [["--on", "bun"], ["--engines", "redis"], ["--rounds", "0"], ["--keys", "x"], ["--fast"], ["all"]]
  ) {
    assertThrows(() => optionsOf(wrong), UsageError);
  }
});

Deno.test("the largest stores are ours and the Map's", () => {
  assertEquals(keysFor("growth", "kvstore", 1_000_000), [20_000_000]);
  assertEquals(keysFor("memory", "kvstore", 1_000_000), [1_000_000, 10_000_000]);
  assertEquals(keysFor("memory", "lmdb", 1_000_000), [1_000_000]);
  assertEquals(keysFor("shell", "kvstore", 1_000_000), [0, 1_000_000, 10_000_000]);
});
