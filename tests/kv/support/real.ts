/**
 * A program that compares our encodings with those of the Deno KV of this Deno (`--unstable-kv`), in its own database.
 * Prints, as JSON, a line for each difference.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { DatabaseSync } from "node:sqlite";
import { isUint8Array } from "node:util/types";
import { compareBytes, sameBytes, toHex } from "../../../src/bytes.ts";
import { decodeKey, encodeKey } from "../../../src/kv/keys.ts";
import { KvU64 } from "../../../src/kv/u64.ts";
import { decodeValue, encodeValue, sizeOfValue } from "../../../src/kv/values.ts";
import { KEYS, randomKeys } from "./keys.ts";
import { REFUSED } from "./refused.ts";
import { shape } from "./shape.ts";
import { VALUES, WRITTEN_IN_TWO_WAYS } from "./values.ts";

/** As far as it is used here: the types of Deno have it as unstable. */
interface Kv {
  set(key: unknown, value: unknown): Promise<unknown>;
  get(key: unknown): Promise<{ value: unknown }>;
  list(selector: unknown): AsyncIterable<{ key: unknown }>;
  atomic(): { set(key: unknown, value: unknown): unknown; commit(): Promise<unknown> };
  close(): void;
}
const { openKv, KvU64: RealU64 } = Deno as unknown as {
  openKv(path: string): Promise<Kv>;
  KvU64: typeof KvU64;
};

const differences: string[] = [];
const path = `${await Deno.makeTempDir()}/kv.db`;

function inDatabase<T>(use: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(path);
  try {
    return use(database);
  } finally {
    database.close();
  }
}

async function compareKeys(): Promise<void> {
  const keys = [...KEYS.map(([key]) => key), ...randomKeys(700)];
  const kv = await openKv(path);
  for (let i = 0; i < keys.length; i += 900) {
    const atomic = kv.atomic();
    for (const key of keys.slice(i, i + 900)) atomic.set(key, 0);
    await atomic.commit();
  }
  const listed: unknown[] = [];
  for await (const { key } of kv.list({ prefix: [] })) listed.push(key);
  kv.close();
  const unique = new Map(keys.map((key) => [toHex(encodeKey(key)), key]));
  const ours = Array.from(unique.values()).sort((a, b) => compareBytes(encodeKey(a), encodeKey(b)));
  if (shape(listed) !== shape(ours)) differences.push("order of keys");
  const stored = inDatabase((database) => database.prepare("select k from kv order by k").all());
  for (const [i, { k }] of stored.entries()) {
    if (!sameBytes(k as Uint8Array, encodeKey(ours[i]!))) differences.push(`bytes of key ${shape(ours[i])}`);
    if (shape(decodeKey(k as Uint8Array)) !== shape(listed[i])) differences.push(`key from ${toHex(k as Uint8Array)}`);
  }
}

/** As a value comes back: bytes alone as a `Uint8Array` of their own. */
function expected(value: unknown): string {
  return shape(isUint8Array(value) ? Uint8Array.from(value) : value);
}

/** Bytes as Deno has them in its columns, version 16 written as 15, which is what we write. */
function comparable(bytes: Uint8Array): string {
  return toHex(bytes).replace(/^ff10/, "ff0f");
}

async function compareValues(): Promise<void> {
  const values: Record<string, unknown> = {
    ...VALUES,
    "bytes alone": Uint8Array.of(1, 2, 3),
    "no bytes": new Uint8Array(0),
    "part of bytes": Buffer.from([1, 2, 3, 4]).subarray(1, 3),
    "resizable buffer": new (ArrayBuffer as new (length: number, options: object) => ArrayBuffer)(3, {
      maxByteLength: 9,
    }),
  };
  const kv = await openKv(path);
  for (const [name, value] of Object.entries(values)) await kv.set([name], value);
  await kv.set(["u64"], new RealU64(2n ** 64n - 1n));
  kv.close();
  inDatabase((database) => {
    const select = database.prepare("select v, v_encoding from kv where k = ?");
    const update = database.prepare("update kv set v = ? where k = ?");
    for (const [name, value] of Object.entries({ ...values, u64: new KvU64(2n ** 64n - 1n) })) {
      const { v, v_encoding } = select.get(encodeKey([name])) as { v: Uint8Array; v_encoding: number };
      const theirs = v_encoding === 1 ? v : Uint8Array.of(v_encoding === 2 ? 0x02 : 0x03, ...v);
      const ours = encodeValue(value);
      update.run(ours.subarray(ours.length - sizeOfValue(ours)), encodeKey([name]));
      if (shape(decodeValue(theirs)) !== expected(value)) differences.push(`${name}: Deno's bytes, read by us`);
      if (WRITTEN_IN_TWO_WAYS.includes(name)) continue;
      if (comparable(theirs) !== comparable(ours)) differences.push(`${name}: ${toHex(theirs)}, ours ${toHex(ours)}`);
      if (sizeOfValue(ours) !== v.length) differences.push(`${name}: size ${v.length}, ours ${sizeOfValue(ours)}`);
    }
  });
  const again = await openKv(path);
  for (const [name, value] of Object.entries(values)) {
    if (shape((await again.get([name])).value) !== expected(value)) {
      differences.push(`${name}: our bytes, read by Deno`);
    }
  }
  again.close();
}

async function compareRefusals(): Promise<void> {
  const kv = await openKv(path);
  const outcome = async (run: () => unknown) => {
    try {
      await run();
      return "taken";
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
  };
  for (const [name, make] of Object.entries(REFUSED)) {
    const theirs = await outcome(() => kv.set(["refused"], make()));
    const ours = await outcome(() => encodeValue(make()));
    if (theirs !== ours) differences.push(`${name}: ${theirs}, ours ${ours}`);
  }
  for (const number of [-1n, 2n ** 64n, 1, "1"]) {
    const [theirs, ours] = await Promise.all([RealU64, KvU64].map((kind) => outcome(() => new kind(number as bigint))));
    if (theirs !== ours) differences.push(`KvU64 of ${number}: ${theirs}, ours ${ours}`);
  }
  const [theirs, ours] = [RealU64, KvU64].map((kind) => Deno.inspect([new kind(3n)], { colors: true }));
  if (theirs !== ours) differences.push(`KvU64 is printed as ${theirs}, ours as ${ours}`);
  kv.close();
}

await compareKeys();
await compareValues();
await compareRefusals();
await Deno.remove(path.replace(/\/kv\.db$/, ""), { recursive: true });
console.log(JSON.stringify(differences));
