/**
 * Whole processes of the command line, as a shell starts them: `kvstore get`, `set`, `import` and `export`; and the
 * shell of SQLite.
 *
 * @module
 */

import { join } from "node:path";
import { run, runOk } from "../scripts/npm/run.ts";
import type { Prepared } from "./prepare.ts";
import type { Collection } from "./report/results.ts";
import { median } from "./report/results.ts";
import type { Figure } from "./workloads/bench.ts";
import { keyOf, missingKeyOf, Order, Values } from "./workloads/data.ts";
import { kvstore } from "./engines/kvstore.ts";

/** Processes of each kind in a round. */
const SAMPLES = 5;
/** So that a line of the import has 160 bytes. */
const VALUE_BYTES = 122;
/** Lines that are written to a file at a time. */
const LINES = 10_000;

/** Times processes that get a key of a store, which is missing in an empty one, and that set one which is new. */
export async function shell({ runtime, command }: Prepared, store: string, keys: number): Promise<Figure[]> {
  const key = keyOf(keys === 0 ? 0 : new Order(keys, 1).at(0));
  const time = async (args: string[], wanted: number) => {
    const times: number[] = [];
    for (let i = 0; i <= SAMPLES; i++) {
      const start = performance.now();
      const { code, stderr } = await run(runtime.program, [...command, "--dir", store, ...args]);
      if (code !== wanted) throw new Error(`kvstore ${args[0]} ended with ${code}: ${stderr}`);
      // the first one fills the caches
      if (i > 0) times.push(performance.now() - start);
    }
    return median(times);
  };
  return [
    { metric: "shell", value: await time(["get", key], keys === 0 ? 1 : 0) },
    { metric: "shell-set", value: await time(["set", missingKeyOf(0), "value"], 0) },
  ];
}

/**
 * Imports the same records into a new store and, by the shell of SQLite, into a new table with a primary key; both are
 * durable when the process ends. Then exports the store. All rates are in bytes of NDJSON.
 */
export async function importAndExport(
  { scratch, collection }: { scratch: string; collection: Collection },
  { runtime, command }: Prepared,
  keys: number,
): Promise<Figure[]> {
  const [lines, tabs] = [join(scratch, `import-${keys}.ndjson`), join(scratch, `import-${keys}.tabs`)];
  const bytes = await Deno.stat(lines).then(({ size }) => size, () => writeRecords({ lines, tabs }, keys));
  const rate = async (metric: string, program: string, args: string[]): Promise<Figure> => {
    await runOk("sync", []);
    const start = performance.now();
    await runOk(program, args);
    return { metric, value: bytes / (performance.now() - start) / 1000 };
  };
  const folder = await Deno.makeTempDir({ dir: scratch, prefix: "import-" });
  try {
    const [store, table, exported] = ["store", "table", "exported"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const figures = [
      await rate("import", runtime.program, [...command, "--dir", store, "import", lines]),
      await rate("export", runtime.program, [...command, "--dir", store, "export", exported]),
    ];
    if ((await Deno.stat(exported)).size !== bytes) throw new Error("what was exported is not what was imported");
    if (!await runOk("sqlite3", ["--version"]).then(() => true, () => false)) {
      const reason = "there is no command sqlite3";
      collection.miss({ runtime: runtime.kind, engine: "sqlite3", part: "import", reason });
      return figures;
    }
    const make = "CREATE TABLE entries (key TEXT PRIMARY KEY, value TEXT)";
    const sqlite = ["-bail", table, "PRAGMA synchronous = FULL", make, ".mode tabs", `.import ${tabs} entries`];
    figures.push(await rate("import-sqlite", "sqlite3", sqlite));
    const count = await runOk("sqlite3", [table, "SELECT count(*) FROM entries"]);
    if (Number(count) !== keys) throw new Error(`SQLite imported ${count.trim()} of ${keys} records`);
    return figures;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes both files, in the order of the keys, as an export has them; returns the bytes of NDJSON. */
async function writeRecords({ lines, tabs }: { lines: string; tabs: string }, keys: number): Promise<number> {
  const values = new Values(VALUE_BYTES, "string", kvstore);
  for (let from = 0; from < keys; from += LINES) {
    const records = Array.from({ length: Math.min(LINES, keys - from) }, (_, i) => ({
      key: keyOf(from + i),
      value: values.of(from + i, 0),
    }));
    const options = { append: from > 0 };
    await Deno.writeTextFile(lines, records.map((record) => `${JSON.stringify(record)}\n`).join(""), options);
    await Deno.writeTextFile(tabs, records.map(({ key, value }) => `${key}\t${value}\n`).join(""), options);
  }
  return (await Deno.stat(lines)).size;
}
