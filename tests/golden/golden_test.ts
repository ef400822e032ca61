/**
 * The bytes of a small store, printed so that a person can read them, against `log.txt` and `manifest.txt` beside
 * this file, and against the example at the end of docs/format.md, which is both of them.
 *
 * After a change of the format that is meant, write all three anew and read the difference before it is committed:
 *
 *     deno test --allow-write tests/golden -- --update
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../src/store.ts";
import { verifyOn } from "../../src/check/verify.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";
import { dumpManifest, dumpSegment } from "./support/dump.ts";
import formatDocument from "../../docs/format.md" with { type: "text" };
import goldenLog from "./log.txt" with { type: "text" };
import goldenManifest from "./manifest.txt" with { type: "text" };

/** The block of the format's description that holds the example. */
const EXAMPLE = /(?<=```text\n)00000001\.seg,[^`]*(?=```\n)/;
const isUpdate = Deno.args.includes("--update");

/** Runs `action` while random values are 01 02 03 …, in every call anew. */
async function withFixedRandom(action: () => Promise<void>): Promise<void> {
  const original = crypto.getRandomValues;
  const fixed = (array: Uint8Array | Uint32Array) => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    bytes.forEach((_, i) => bytes[i] = i + 1);
    return array;
  };
  crypto.getRandomValues = fixed as typeof crypto.getRandomValues;
  try {
    await action();
  } finally {
    crypto.getRandomValues = original;
  }
}

async function writeExample(platform: MemoryPlatform): Promise<void> {
  const store = await KvStore.openOn(platform, "/store", { durability: "write" });
  await store.set("greeting", "hello");
  await store.set(Uint8Array.of(0, 255), Uint8Array.of(1, 2, 3));
  await store.set("user:1", { name: "Ada" });
  await store.set("code", "4711", { expiresAt: 4_102_444_800_000 });
  await store.set("greeting", "hello again");
  await store.delete("user:1");
  await store.batch([{ type: "set", key: "a", value: "\ud800" }, { type: "delete", key: "greeting" }]);
  await store.clear();
  // The first write after a sync says in a mark how far that one reached.
  await store.set("last", true);
  await store.close();
}

async function compactExample(platform: MemoryPlatform): Promise<void> {
  const store = await KvStore.openOn(platform, "/store", { durability: "write" });
  await store.compact();
  await store.close();
}

async function check(actual: string, golden: string, file: string): Promise<void> {
  if (isUpdate) await Deno.writeTextFile(new URL(file, import.meta.url), actual);
  else if (actual !== golden) assertEquals(actual.split("\n"), golden.split("\n"), `${file} differs`);
}

Deno.test("the bytes of log and manifest are those of the golden files", async () => {
  await withFixedRandom(async () => {
    const platform = new MemoryPlatform();
    const log: string[] = [];
    const manifests: string[] = [];
    await writeExample(platform);
    log.push(dumpSegment("00000001.seg", platform.readFile("/store/00000001.seg")));
    manifests.push(dumpManifest("MANIFEST after the store was closed", platform.readFile("/store/MANIFEST")));
    await compactExample(platform);
    const segments = platform.files().filter((path) => path.endsWith(".seg"));
    assert(segments.length > 0);
    for (const path of segments) log.push(dumpSegment(path.slice("/store/".length), platform.readFile(path)));
    manifests.push(dumpManifest("MANIFEST after a compaction", platform.readFile("/store/MANIFEST")));
    await check(log.join("\n\n"), goldenLog, "log.txt");
    await check(manifests.join("\n\n"), goldenManifest, "manifest.txt");
    const document = formatDocument.replace(EXAMPLE, () => [...log, ...manifests].join("\n\n"));
    await check(document, formatDocument, "../../docs/format.md");
    assertEquals(await verifyOn(platform, "/store", {}), { problems: [], notes: [] });
  });
});
