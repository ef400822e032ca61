import { assertEquals, assertThrows } from "@std/assert";
import { checkInteger, checkNames, durabilityOf, settingsOf } from "../../src/store/options.ts";
import type { Durability, OpenOptions } from "../../src/types.ts";

Deno.test("options: what is left out is filled in, and undefined counts as left out", () => {
  const settings = settingsOf({});
  assertEquals(settings, {
    create: true,
    readOnly: false,
    lock: true,
    durability: "sync",
    segmentBytes: 64 * 1024 * 1024,
    strictJson: false,
    cacheBytes: 256 * 1024 * 1024,
    compaction: { auto: true, staleRatio: 0.5, minStaleBytes: 16 * 1024 * 1024 },
    recovery: "strict",
    onError: undefined,
  });
  const names = [
    "create",
    "readOnly",
    "lock",
    "durability",
    "segmentBytes",
    "cacheBytes",
    "compaction",
    "recovery",
    "onError",
  ];
  assertEquals(settingsOf(Object.fromEntries(names.map((name) => [name, undefined])) as OpenOptions), settings);
});

Deno.test("options: bounds are allowed, what is beyond them is not", () => {
  assertEquals(settingsOf({ segmentBytes: 4096 }).compaction.minStaleBytes, 1024);
  assertEquals(settingsOf({ segmentBytes: 2 ** 30 }).segmentBytes, 2 ** 30);
  assertEquals(settingsOf({ compaction: { staleRatio: 1, minStaleBytes: 0 } }).compaction.staleRatio, 1);
  const wrong: OpenOptions[] = [
    { cacheBytes: -1 },
    { cacheBytes: "many" as unknown as number },
    { segmentBytes: 4095 },
    { segmentBytes: 2 ** 30 + 1 },
    { segmentBytes: 5000.5 },
    { segmentBytes: Number.NaN },
    { segmentBytes: "4096" as unknown as number },
    { compaction: { staleRatio: 0 } },
    { compaction: { staleRatio: 1.01 } },
    { compaction: { staleRatio: Number.NaN } },
    { compaction: { minStaleBytes: -1 } },
    { compaction: { minStaleBytes: 1.5 } },
  ];
  for (const options of wrong) assertThrows(() => settingsOf(options), RangeError);
});

Deno.test("options: unknown and misspelt ones are TypeErrors that list what there is", () => {
  const wrong: Record<string, unknown>[] = [
    { readonly: true },
    { compaction: { ratio: 1 } },
    { compaction: 5 },
    { create: 1 },
    { readOnly: "yes" },
    { durability: "fsync" },
    { recovery: "yes" },
    { onError: "log" },
  ];
  for (const options of wrong) assertThrows(() => settingsOf(options as OpenOptions), TypeError);
  assertThrows(() => settingsOf({ readonly: true } as OpenOptions), TypeError, "readOnly");
  for (const options of [null, 5, "text"]) assertThrows(() => settingsOf(options as unknown as OpenOptions), TypeError);
});

Deno.test("options: durability is one of two, numbers are whole", () => {
  assertEquals([durabilityOf(undefined, "write"), durabilityOf("sync", "write")], ["write", "sync"]);
  assertThrows(() => durabilityOf("async" as Durability, "sync"), TypeError, "async");
  checkInteger("n", 5, 5, 5);
  for (const wrong of [4, 6, 5.5, Infinity, Number.NaN]) {
    assertThrows(() => checkInteger("n", wrong, 5, 5), RangeError, "n");
  }
  checkNames("call", {}, []);
  assertThrows(() => checkNames("call", { a: 1 }, ["b"]), TypeError, "call");
});
