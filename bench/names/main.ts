/**
 * A session with millions of names, as docs/session.md shows it: `deno task bench:names [--docs] [NAMES.json]`. Every
 * step is a process of its own, most of them the command line as a user runs it; what each does is checked, timed, and
 * printed as a table. Exits with 1 if anything is not as it should be.
 *
 * NAMES.json is an array of distinct strings; without it the names are made of English words. `--docs` puts the table
 * into docs/session.md.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { cpus } from "node:os";
import { join } from "node:path";
import { lineOf, readNames, writeLines } from "./input.ts";
import type { Prefix } from "./worker.ts";
import { ROOT } from "../../scripts/repository.ts";
import { diskBytes, killedImport, kvstore, type Outcome, worker } from "./process.ts";

/** A single `get` is short: the median of so many. */
const GETS = 9;
/** Bytes compared at a time. */
const PIECE_BYTES = 1024 * 1024;
/** Where an import is killed: after these shares of its lines. */
const KILLED_AT = [0.25, 0.5, 0.75];

/** Other work on the machine makes the figures worse: whoever reads them should know. */
const loadBefore = Deno.loadavg()[0]!.toFixed(1);

interface Row {
  step: string;
  ms: number;
  peakBytes?: number;
  diskBytes?: number;
  found: string;
}

/** The names, and where everything lies. */
interface Session {
  names: string[];
  lines: string;
  scratch: string;
  store: string;
  rows: Row[];
}

function check(isRight: boolean, what: string): void {
  if (!isRight) throw new Error(`not as it should be: ${what}`);
}

async function fill({ names, lines, store, rows }: Session): Promise<void> {
  const imported = await kvstore(store, ["import", lines]);
  const { indexBytes } = JSON.parse((await kvstore(store, ["stats", "--json"])).output);
  const perKey = `index ${(indexBytes / names.length).toFixed(1)} bytes a key`;
  addRow(rows, "`kvstore import`", imported, `${count(names.length)} names stored, ${perKey}`, store);
  await checkCount(store, names.length, rows);
}

async function checkCount(store: string, keys: number, rows: Row[]): Promise<void> {
  const counted = await kvstore(store, ["count"]);
  check(counted.output === `${keys}\n`, `count prints ${counted.output}, not ${keys}`);
  addRow(rows, "`kvstore count`", counted, count(keys));
}

async function read({ names, lines, store, rows }: Session): Promise<void> {
  const { result, peakBytes } = await worker<{ openMs: number; keys: number }>("open", [store]);
  check(result.keys === names.length, `an open store has ${result.keys} keys`);
  rows.push({ step: "`KvStore.open`", ms: result.openMs, peakBytes, found: `${count(result.keys)} keys` });
  const runs: Outcome[] = [];
  for (let i = 0; i < GETS; i++) {
    const at = Math.floor(names.length * (i + 0.5) / GETS);
    // Behind `--`, as a name may begin with a dash.
    const got = await kvstore(store, ["get", "--", names[at]!]);
    check(got.output === `${at}\n`, `get ${names[at]} prints ${got.output}`);
    runs.push(got);
  }
  runs.sort((a, b) => a.wallMs - b.wallMs);
  addRow(rows, "`kvstore get`, process and all", runs[GETS >> 1]!, `median of ${GETS}`);
  const { result: gets } = await worker<{ getMs: number; right: number }>("get", [store, lines]);
  check(gets.right === 1000, `${gets.right} of 1,000 names came back with their positions`);
  rows.push({ step: "1,000 random names by `store.get`", ms: gets.getMs, found: "each with its position" });
}

async function deleteHalf({ names, lines, store, rows }: Session): Promise<void> {
  const half = names.length >> 1;
  const removed = await worker<{ deleted: number }>("deleteHalf", [store, lines]);
  check(removed.result.deleted === half, `${removed.result.deleted} names were deleted, not ${half}`);
  addRow(rows, "half of them by `store.delete`", removed, `${count(half)} deleted`, store);
  const compacted = await kvstore(store, ["compact"]);
  const { diskBytes: logBytes, liveBytes } = JSON.parse((await kvstore(store, ["stats", "--json"])).output);
  const share = (logBytes / liveBytes - 1) * 100;
  check(share < 1, `after compaction the log has ${logBytes} bytes, of which ${liveBytes} are live`);
  addRow(rows, "`kvstore compact`", compacted, `log ${share.toFixed(2)} % above live bytes`, store);
  await checkCount(store, names.length - half, rows);
}

/** The export must be the names at even positions, in the order of their bytes, and not a byte more. */
async function exportRest({ names, scratch, store, rows }: Session): Promise<void> {
  const [actual, expected] = [join(scratch, "export.ndjson"), join(scratch, "expected.ndjson")];
  const exported = await kvstore(store, ["export", actual]);
  const kept = names.map((name, at) => ({ key: Buffer.from(name), name, at })).filter(({ at }) => at % 2 === 0);
  kept.sort((a, b) => a.key.compare(b.key));
  const bytes = await writeLines(expected, kept.length, (i) => lineOf(kept[i]!.name, kept[i]!.at));
  check(await areEqual(actual, expected), "the export differs from what it should be");
  addRow(rows, "`kvstore export`", exported, `${count(bytes)} bytes, each as expected`);
  const verified = await kvstore(store, ["verify", "--json"]);
  check(verified.output === '{"problems":[],"notes":[]}\n', `verify prints ${verified.output}`);
  addRow(rows, "`kvstore verify`", verified, "no problem, no note");
}

async function areEqual(one: string, other: string): Promise<boolean> {
  if ((await Deno.stat(one)).size !== (await Deno.stat(other)).size) return false;
  using files = new DisposableStack();
  const [a, b] = [files.use(await Deno.open(one)), files.use(await Deno.open(other))];
  const [left, right] = [Buffer.alloc(PIECE_BYTES), Buffer.alloc(PIECE_BYTES)];
  for (;;) {
    const length = a.readSync(left) ?? 0;
    for (let got = 0; got < length;) got += b.readSync(right.subarray(got, length)) ?? length;
    if (left.compare(right, 0, length, 0, length) !== 0) return false;
    if (length === 0) return true;
  }
}

async function killAndReopen({ names, lines, scratch, rows }: Session, share: number): Promise<void> {
  const store = join(scratch, `killed-${share}`);
  const acknowledged = await killedImport(store, lines, Math.floor(names.length * share));
  const { result } = await worker<Prefix>("prefix", [store, lines]);
  check(!result.clean, "the store says that it was closed properly");
  check(result.lines === result.keys, `${result.keys} keys, of which ${result.lines} are a prefix of the input`);
  check(result.lines >= acknowledged, `${result.lines} lines are left of ${acknowledged} acknowledged ones`);
  const { problems } = JSON.parse((await kvstore(store, ["verify", "--json"])).output);
  check(problems.length === 0, `verify found ${JSON.stringify(problems)}`);
  const found = `${count(acknowledged)} lines acknowledged, exactly the first ${count(result.lines)} there`;
  rows.push({ step: "`KvStore.open` after SIGKILL in an import", ms: result.openMs, found });
}

function addRow(rows: Row[], step: string, { wallMs, peakBytes }: Outcome, found: string, store?: string): void {
  rows.push({ step, ms: wallMs, peakBytes, found, ...(store === undefined ? {} : { diskBytes: diskBytes(store) }) });
  console.error(`${step}: ${(wallMs / 1000).toFixed(2)} s`);
}

function count(n: number): string {
  return n.toLocaleString("en-US");
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined || bytes === 0 ? "" : `${Math.round(bytes / 1e6)} MB`;
}

function table(rows: Row[]): string {
  const lines = rows.map(({ step, ms, peakBytes, diskBytes, found }) => {
    const time = ms < 1000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(1)} s`;
    return `| ${step} | ${time} | ${megabytes(peakBytes)} | ${megabytes(diskBytes)} | ${found} |`;
  });
  return ["| step | time | peak memory | on disk | found |", "|---|---:|---:|---:|---|", ...lines].join("\n");
}

/** Runs the session; returns what there is to tell of it. */
async function main(file: string | undefined): Promise<string> {
  const scratch = await Deno.makeTempDir({ prefix: "kvstore-names-" });
  try {
    const lines = join(scratch, "names.ndjson");
    const names = await readNames(file, scratch);
    const bytes = await writeLines(lines, names.length, (at) => lineOf(names[at]!, at));
    const session: Session = { names, lines, scratch, store: join(scratch, "store"), rows: [] };
    await fill(session);
    await read(session);
    await deleteHalf(session);
    await exportRest(session);
    for (const share of KILLED_AT) await killAndReopen(session, share);
    return `${figures(names, bytes)}\n\n${table(session.rows)}`;
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** What was measured, where and when. */
function figures(names: string[], bytes: number): string {
  const nameBytes = names.reduce((sum, name) => sum + Buffer.byteLength(name), 0) / names.length;
  const input = `${count(names.length)} names of ${nameBytes.toFixed(1)} bytes on average, ${
    megabytes(bytes)
  } of NDJSON`;
  const machine = `${cpus().length} cores (${cpus()[0]?.model}), ${Deno.build.target}, Deno ${Deno.version.deno}`;
  return `${input}; ${machine}, load average ${loadBefore} at the start; ${new Date().toISOString().slice(0, 10)}.`;
}

/** Replaces the figures in docs/session.md. */
function updateDocument(text: string): void {
  const file = join(ROOT, "docs/session.md");
  const before = Deno.readTextFileSync(file);
  const updated = before.replace(/(?<=<!-- names -->\n)[^]*(?=<!-- end of names -->)/, () => `\n${text}\n\n`);
  if (updated === before) throw new Error(`${file} has no place for the figures`);
  Deno.writeTextFileSync(file, updated);
  new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", file] }).outputSync();
}

if (import.meta.main) {
  const isForDocument = Deno.args.includes("--docs");
  try {
    const text = await main(Deno.args.find((arg) => arg !== "--docs"));
    console.log(text);
    if (isForDocument) updateDocument(text);
  } catch (error) {
    console.error(error);
    Deno.exitCode = 1;
  }
}
