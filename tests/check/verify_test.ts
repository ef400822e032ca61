import { assert, assertEquals } from "@std/assert";
import { KvStore, KvStoreError } from "../../mod.ts";
import { verifyOn } from "../../src/check/verify.ts";
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
