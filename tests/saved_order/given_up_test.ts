import { assert, assertEquals } from "@std/assert";
import { makeSaved, open } from "./support/saved_store.ts";

Deno.test("saved order: a store that is cleared or refreshed leaves no file open once it is closed", async () => {
  const { platform } = await makeSaved();
  const reader = await open(platform, true);
  for (let i = 0; i < 3; i++) {
    assert([...reader.keys({ prefix: "b", limit: 1 })].length === 1);
    const writer = await open(platform);
    await writer.set(`new ${i}`, i);
    await writer.compact();
    if (i === 2) await writer.clear();
    await writer.close();
    assert(await reader.refresh());
  }
  await reader.close();
  assertEquals(platform.openHandles, 0);
});
