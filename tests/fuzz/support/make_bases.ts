/**
 * Writes tests/fuzz/corpus/bases.ts, the intact stores that the fuzzer mutates:
 * `deno run -A tests/fuzz/support/make_bases.ts`. They are
 * kept as bytes, so that a case stays what it was when the code that writes stores changes.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { deflateRawSync } from "node:zlib";
import { KvStore } from "../../../mod.ts";
import { newMachine, withSeed } from "../../crash/support/disk.ts";
import type { MemoryPlatform } from "../../support/memory_platform.ts";

const DIRECTORY = "/data/store";
const OPTIONS = { segmentBytes: 4096, compaction: { auto: false }, durability: "write" as const };

type Machine = { platform: MemoryPlatform; open: () => Promise<KvStore> };

function machine(): Machine {
  const platform = newMachine();
  return { platform, open: () => KvStore.openOn(platform, DIRECTORY, OPTIONS) };
}

/** All kinds of records and values. */
async function write(store: KvStore): Promise<void> {
  await store.set("greeting", "hello");
  await store.set(new Uint8Array([0, 255]), new Uint8Array([1, 2, 3]));
  await store.set("user", { name: "Ada" }, { durability: "sync" });
  await store.batch([
    { type: "set", key: "lone", value: "\ud800" },
    { type: "delete", key: "greeting" },
    { type: "set", key: "last", value: [true, null] },
  ]);
  await store.set("", "the empty key");
}

/** Closed with segments that a compaction wrote, tombstones, a clear, and several that are sealed. */
async function closed(): Promise<MemoryPlatform> {
  const { platform, open } = machine();
  let store = await open();
  await store.set("gone", "cleared");
  await store.clear();
  for (let i = 0; i < 22; i++) await store.set(`k${i % 8}`, `value ${i} `.padEnd(200, "."));
  await store.delete("k3");
  await store.compact();
  await write(store);
  for (let i = 0; i < 24; i++) await store.set(`k${i % 11}`, `newer ${i} `.padEnd(230, "."));
  await store.delete("k5");
  await store.close();
  store = await open();
  await store.set("second", "session");
  await store.close();
  return platform;
}

/** Small enough that a few mutations hit anything. */
async function small(): Promise<MemoryPlatform> {
  const { platform, open } = machine();
  const store = await open();
  await write(store);
  await store.close();
  return platform;
}

/** The process died: records behind the durable mark, the last of them of a batch without its end. */
async function crashed(): Promise<MemoryPlatform> {
  const { open, platform } = machine();
  let store = await open();
  for (let i = 0; i < 20; i++) await store.set(`k${i}`, `value ${i} `.padEnd(240, "."));
  await store.close();
  store = await open();
  await store.delete("k2");
  await write(store);
  await store.flush();
  await store.set("k4", "behind a mark");
  await store.set("k5", "the last");
  return platform.kill();
}

/** With an image of the index, of before the last writes; with the order of the keys, if that is wanted. */
async function imaged(isClean: boolean, isOrdered = false): Promise<MemoryPlatform> {
  const { open, platform } = machine();
  let store = await open();
  const value = (i: number) => ({ type: "set" as const, key: `k${i % 30}`, value: `value ${i}` });
  await store.batch(Array.from({ length: 1100 }, (_, i) => value(i)));
  if (isOrdered) [...store.keys()];
  await store.compact();
  await write(store);
  await store.close();
  store = await open();
  for (let i = 0; i < 9; i++) await store.set(`k${i * 5}`, `newer ${i}`);
  await store.delete("k7");
  if (isClean) await store.close();
  return isClean ? platform : platform.kill();
}

/** Created and closed. */
async function empty(): Promise<MemoryPlatform> {
  const { open, platform } = machine();
  await (await open()).close();
  return platform;
}

const MAKERS: Record<string, () => Promise<MemoryPlatform>> = {
  empty,
  small,
  closed,
  crashed,
  imaged: () => imaged(true),
  torn: () => imaged(false),
  ordered: () => imaged(true, true),
};

async function main(): Promise<void> {
  let text = `/**
 * The stores that the fuzzer mutates, each file deflated and in base64. Written by \`make_bases.ts\`.
 *
 * @module
 */

/** By name; then by the names of their files. */
export const BASES: Record<string, Record<string, string>> = {\n`;
  let seed = 1;
  for (const [name, make] of Object.entries(MAKERS)) {
    const platform = await withSeed(seed++, make);
    text += `  ${/\W/.test(name) ? JSON.stringify(name) : name}: {\n`;
    for (const path of platform.files()) {
      const file = path.slice(DIRECTORY.length + 1);
      if (file === "LOCK" || file === "RESERVE") continue;
      const base64 = Buffer.from(deflateRawSync(platform.readFile(path), { level: 9 })).toString("base64");
      const lines = base64.match(/.{1,118}/g)!;
      text += `    ${/\W/.test(file) ? JSON.stringify(file) : file}: \`\n${lines.join("\n")}\`,\n`;
    }
    text += "  },\n";
  }
  await Deno.writeTextFile(new URL("../corpus/bases.ts", import.meta.url), text + "};\n");
}

await main();
