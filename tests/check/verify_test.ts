import { assert, assertEquals } from "@std/assert";
import { KvStore, KvStoreError } from "../../mod.ts";
import { verifyOn } from "../../src/check/verify.ts";
import { nextTurn } from "../../src/platform/turn.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";

Deno.test("verify, salvage: a directory that cannot be listed is an IO error, whenever it is asked for", async () => {
  const platform = new MemoryPlatform();
  await (await KvStore.openOn(platform, "/s", {})).close();
  platform.writeFile("/s/INDEX", new Uint8Array(100));
  const works = {
    verify: async () => void await verifyOn(platform, "/s", {}),
    salvage: async () => await (await KvStore.openOn(platform, "/s", { recovery: "salvage" })).close(),
  };
  for (const [name, work] of Object.entries(works)) {
    let failures = 0;
    for (let n = 1, isReached = true; isReached; n++) {
      let lists = 0;
      platform.onOperation = ({ kind }) => {
        if (kind === "list" && ++lists === n) throw new Error("input/output error");
      };
      const error = await work().then(() => undefined, (error) => error);
      isReached = lists >= n;
      if (error === undefined) continue;
      failures++;
      assert(error instanceof KvStoreError, `${name}, list ${n}: ${error}`);
      assertEquals(error.code, "IO", `${name}, list ${n}: ${error}`);
    }
    assert(failures > 1, `${name}: ${failures} failures`);
  }
});

// A store that was not closed has up to a segment of records after its mark. To find their end held the event loop for
// 200 ms at 20 MB.
Deno.test("verify: others have their turn while it looks for the end of a log that was not closed", async () => {
  const platform = new MemoryPlatform();
  const store = await KvStore.openOn<string>(platform, "/s", { durability: "write", compaction: { auto: false } });
  for (let i = 0; i < 100_000; i++) store.set(`key ${i}`, "v".repeat(100));
  await store.set("last", "", { durability: "write" });
  const killed = platform.fork();
  await store.close();
  let turns = 0;
  let turnsBefore: number | undefined;
  const verification = verifyOn(killed, "/s", { onProgress: () => turnsBefore ??= turns });
  let isOver = false;
  verification.finally(() => isOver = true);
  for (; !isOver; turns++) await nextTurn();
  assertEquals((await verification).problems, []);
  assert(turnsBefore! >= 4, `${turnsBefore} turns before the records themselves are verified`);
});
