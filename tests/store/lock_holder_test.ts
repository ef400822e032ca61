/** Who `LOCKED` says has the lock. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import process from "node:process";
import { KvStoreError } from "../../mod.ts";
import { KvStore } from "../../src/store.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";

function machine(): MemoryPlatform {
  const platform = new MemoryPlatform();
  platform.makeDirectory("/s");
  return platform;
}

async function refusal(platform: MemoryPlatform): Promise<string> {
  const error = await assertRejects(() => KvStore.openOn(platform, "/s", {}), KvStoreError);
  assertEquals(error.code, "LOCKED");
  return error.message;
}

Deno.test("LOCKED: another open store of this process is named as that, as long as it is open", async () => {
  const platform = machine();
  const store = await KvStore.openOn(platform, "/s", {});
  const since =
    /^another open store of this process is writing to \/s \(process \d+, since \d{4}-\d\d-\d\dT[\d:.]+Z\)$/;
  assertMatch(await refusal(platform), since);
  assertMatch(await refusal(platform), since);
  await store.close();
  const lock = platform.lock("/s/LOCK", `{"process":${process.pid + 1},"since":"2026-01-02T03:04:05.678Z"}`);
  const message = "another process or open store is writing to /s";
  assertEquals(await refusal(platform), `${message} (process ${process.pid + 1}, since 2026-01-02T03:04:05.678Z)`);
  assert("release" in lock);
  lock.release();
  await (await KvStore.openOn(platform, "/s", {})).close();
});

Deno.test("LOCKED: a holder with this process's number may be a worker; what is no text of ours says nothing", async () => {
  const other = "another process or open store is writing to /s";
  const cases = [
    [
      `{"process":${process.pid},"since":"x"}\n`,
      `a worker of this process, or other code in it, seems to be writing to /s (process ${process.pid})`,
    ],
    ['{"process":7}', `${other} (process 7)`],
    ['{"process":7,"since":"2026 Z (\\u001b[31m)"}', `${other} (process 7, since 2026-01-01T00:00:00.000Z)`],
    ["", other],
    ["garbage \u001b[31m", other],
    ["null", other],
    ['{"process":"7","since":{}}', other],
  ] as const;
  for (const [text, expected] of cases) {
    const platform = machine();
    platform.lock("/s/LOCK", text);
    assertEquals(await refusal(platform), expected);
  }
});
