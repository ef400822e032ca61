import { join } from "node:path";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Engine, EngineKind, Payload } from "../../bench/engine.ts";
import { ENGINES } from "../../bench/engines/mod.ts";
import { optionsOf, UsageError } from "../../bench/options.ts";
import type { Prepared } from "../../bench/prepare.ts";
import { metricOf } from "../../bench/report/metrics.ts";
import { Collection } from "../../bench/report/results.ts";
import { keysFor } from "../../bench/keys.ts";
import { Bench, type Job } from "../../bench/workloads/bench.ts";
import { keyOf, missingKeyOf, numberOf, Order, shuffled, Values } from "../../bench/workloads/data.ts";
import { work } from "../../bench/worker.ts";
import { canStartProcesses, canUseDisk } from "../support/permissions.ts";

Deno.test("an order has every number once, and another one with another seed", () => {
  for (const count of [1, 2, 3, 100, 1000, 4097]) {
    const numbers = Array.from({ length: count }, (_, i) => new Order(count, 1).at(i));
    assertEquals(numbers.toSorted((a, b) => a - b), Array.from({ length: count }, (_, i) => i), `${count}`);
  }
  const [one, other] = [new Order(1000, 1), new Order(1000, 2)];
  const same = Array.from({ length: 1000 }, (_, i) => one.at(i) === other.at(i)).filter(Boolean).length;
  assert(same < 20, `${same} are in the same place`);
});

Deno.test("a shuffled sequence has the same numbers", () => {
  const numbers = [7, 3, 9, 1, 5];
  const other = shuffled({ count: numbers.length, at: (place) => numbers[place]! }, 1);
  assertEquals(numbers.map((_, i) => other.at(i)).toSorted(), numbers.toSorted());
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

Deno.test({ name: "what a fill had no time for is set in the order of the keys", ignore: !canUseDisk }, async () => {
  const directory = Deno.makeTempDirSync();
  const set: number[] = [];
  const kind = lying((map, key) => map.get(key));
  const open = (): Engine => ({
    ...kind.open({} as never) as Engine,
    setMany: (keys) => void set.push(...keys.map(numberOf)),
  });
  // no time is left once a block of 20,000 was set, except for the last one
  const job: Job = { engine: kind.name, work: "", directory, project: "", keys: 40_000, limitSeconds: 1e-9 };
  const bench = new Bench({ ...kind, open }, job, { valueBytes: 100, payload: "bytes" });
  const engine = await bench.open("store", "write");
  const order = new Order(40_000, 1);
  const writing = { order, count: 40_000, version: 0, how: "many" } as const;
  const { operations } = await bench.write(engine, { ...writing, isSample: true });
  assertEquals([operations, bench.isCut], [20_000, false]);
  assert(await bench.fillUp(engine, order, operations));
  const rest = set.slice(20_000);
  assertEquals(rest, rest.toSorted((a, b) => a - b));
  assertEquals([set.length, new Set(set).size, bench.isCut], [40_000, 40_000, false]);
  await bench.write(engine, writing);
  assertEquals([set.length, bench.isCut], [60_000, true]);
  Deno.removeSync(directory, { recursive: true });
});

Deno.test({ name: "what there was no time to write has no figures", ignore: !canUseDisk }, async () => {
  const reads = ["get", "get-missing", "prefix-first", "prefix", "scan"];
  // no time is left once a block of 20,000 was set: in random order, and then in that of the keys
  for (
    const [part, keys, wanted] of [
      ["basic", 40_000, reads],
      ["basic", 60_000, []],
      ["strings", 40_000, ["get-string"]],
      ["batch", 40_000, []],
      ["fill", 60_000, []],
    ] as const
  ) {
    const directory = Deno.makeTempDirSync();
    const job = { engine: "kvstore", work: part, directory, project: "", keys, limitSeconds: 1e-9 };
    const { figures, isCut } = await work(job);
    Deno.removeSync(directory, { recursive: true });
    assertEquals(
      [figures.map(({ metric }) => metric), isCut],
      [[...wanted], part !== "strings" || keys > 40_000],
      part,
    );
  }
});

Deno.test(
  { name: "an engine that has no time for all keys gets a tenth of them", ignore: !canStartProcesses },
  async () => {
    // what it imports needs permissions
    const { measure } = await import("../../bench/schedule.ts");
    const scratch = Deno.makeTempDirSync();
    // answers as a worker does, and notes the job
    const worker = `
    const { engine, keys } = JSON.parse(Deno.args[0]);
    Deno.writeTextFileSync(${JSON.stringify(join(scratch, "jobs"))}, engine + " " + keys + "\\n", { append: true });
    const isCut = engine === "raw file" && keys > 2000;
    const figures = isCut ? [] : [{ metric: "batch", value: keys }];
    console.log(JSON.stringify({ figures, isCut }));`;
    const prepared: Prepared = {
      runtime: { kind: "deno", name: "Deno", program: Deno.execPath(), folder: "" },
      worker: ["eval", worker],
      command: [],
    };
    const peers = { folder: "", cache: "", node: prepared.runtime };
    const options = optionsOf([
      "--engines",
      "kvstore,raw file",
      "--workloads",
      "batch",
      "--keys",
      "20000",
      "--rounds",
      "2",
    ]);
    const collection = new Collection({ date: "", machine: "", versions: {} });
    await measure({ options, prepared: [prepared], collection, peers, scratch }, async () => {});
    const jobs = Deno.readTextFileSync(join(scratch, "jobs")).trimEnd().split("\n");
    Deno.removeSync(scratch, { recursive: true });
    assertEquals(jobs, [
      "kvstore 20000",
      "kvstore 2000",
      // once it is known that there is no time, it is not tried again
      "raw file 20000",
      "raw file 2000",
      "raw file 2000",
      "kvstore 20000",
      "kvstore 2000",
    ]);
    const found = collection.results().measurements.map(({ engine, keys, rounds }) => [engine, keys, rounds.length]);
    assertEquals(found, [["kvstore", 20_000, 2], ["kvstore", 2000, 2], ["raw file", 2000, 2]]);
  },
);

Deno.test({ name: "the main parts run on our engine and on the floors", ignore: !canUseDisk }, async () => {
  const parts: [string, string[]][] = [
    ["kvstore", ["basic", "strings", "durable", "batch", "large4k", "large1m", "growth"]],
    ["Map", ["basic", "strings"]],
    ["raw file", ["basic", "durable", "batch", "large4k"]],
  ];
  for (const [engine, names] of parts) {
    for (const name of names) {
      const directory = Deno.makeTempDirSync();
      const keys = name.startsWith("large") ? 20 : name === "durable" ? 100 : name === "growth" ? 10_000 : 2000;
      const job = { engine, work: name, directory, project: "", keys, limitSeconds: 10 };
      const { figures, isCut } = await work(job);
      assert(!isCut, `${engine}, ${name}`);
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
  name: "what opens a store is measured on one that is kept for all rounds",
  ignore: !canUseDisk,
}, async () => {
  for (
    const [engine, filling, part, metrics] of [
      ["kvstore", "fill", "open", ["open"]],
      ["kvstore", "fill", "first-get", ["first-get"]],
      ["kvstore", "fill", "first-set", ["first-set"]],
      ["kvstore", "fill", "first-new", ["first-new"]],
      ["kvstore", "fill-ranges", "ranges", ["range-open", "queue", "feed"]],
      ["KvLevel", "fill-ranges", "ranges", ["range-open", "queue", "feed"]],
      ["openKv", "fill-kv", "kv", ["kv-get", "kv-many", "kv-serial", "kv-list", "kv-index"]],
    ] as const
  ) {
    const directory = Deno.makeTempDirSync();
    const job = { engine, directory, project: "", keys: 2000, limitSeconds: 0.1 };
    assertEquals(await work({ ...job, work: filling }), { figures: [], isCut: false });
    for (let round = 0; round < 2; round++) {
      const { figures } = await work({ ...job, work: part });
      assertEquals(figures.map(({ metric }) => metricOf(metric).name), [...metrics]);
      for (const { metric, value } of figures) assert(value > 0 && Number.isFinite(value), `${engine}, ${metric}`);
    }
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("options name what there is, and only whole runs write to docs/bench", () => {
  const all = optionsOf([]);
  assertEquals([all.on, all.rounds, all.keys, all.engines.length], [["deno", "node"], 3, 1_000_000, ENGINES.length]);
  assert(all.out!.endsWith("bench"));
  assertEquals([all.node, optionsOf(["--node", "26"]).node], ["24", "26"]);
  assertEquals([all.everyRound, optionsOf(["--rounds", "2"]).everyRound], [false, true]);
  const part = optionsOf(["--on", "node", "--engines", "raw file,kvstore", "--workloads", "open,basic", "--keys", "5"]);
  assertEquals([part.on, part.engines, part.workloads], [["node"], ["kvstore", "raw file"], ["open", "basic"]]);
  assertEquals([part.keys, part.out], [5, undefined]);
  assert(optionsOf(["--keys", "5", "--merge"]).out !== undefined);
  const quick = optionsOf(["--quick", "--keys", "7"]);
  assertEquals([quick.engines.slice(0, 4), quick.keys], [["kvstore", "openKv", "Map", "raw file"], 7]);
  assertEquals([quick.out, quick.rounds], [undefined, 2]);
  for (
    const wrong of [["--on", "bun"], ["--engines", "redis"], ["--rounds", "0"], ["--keys", "x"], ["--fast"], ["all"]]
  ) {
    assertThrows(() => optionsOf(wrong), UsageError);
  }
});

Deno.test("the largest stores are ours and the Map's, and those with the keys of slower engines", () => {
  assertEquals(keysFor("basic", "kvstore", 1_000_000), [1_000_000, 100_000]);
  assertEquals(keysFor("basic", "lmdb", 1_000_000), [1_000_000]);
  assertEquals(keysFor("growth", "kvstore", 1_000_000), [20_000_000]);
  assertEquals(keysFor("memory", "kvstore", 1_000_000), [1_000_000, 100_000, 10_000_000]);
  assertEquals(keysFor("memory", "lmdb", 1_000_000), [1_000_000]);
  assertEquals(keysFor("shell", "kvstore", 1_000_000), [0, 10_000_000]);
  assertEquals(keysFor("first", "kvstore", 1_000_000), [100_000, 1_000_000]);
});
