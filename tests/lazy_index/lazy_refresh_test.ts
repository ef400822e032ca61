import { assert, assertEquals } from "@std/assert";
import { assertHolds, assertLasts, damageImage, IMAGE, makeStore, open, work } from "../support/lazy_store.ts";
import { Random } from "../support/random.ts";

Deno.test("index: a refresh reads the tables of the keys that changed", async () => {
  const { platform, model } = await makeStore();
  const store = await open(platform);
  const reader = await open(platform, { readOnly: true });
  let bytesRead = 0;
  for (let i = 0; i < 5; i++) {
    model.set(`key ${i}`, -1);
    await store.set(`key ${i}`, -1);
    platform.onOperation = ({ kind, path, bytes }) => {
      if (kind === "read" && path === IMAGE) bytesRead += bytes!;
    };
    assertEquals(await reader.refresh(), true);
    assertEquals(await reader.refresh(), false);
    platform.onOperation = undefined;
  }
  const imageBytes = platform.readFile(IMAGE).length;
  assert(bytesRead > 0 && bytesRead < imageBytes / 4, `${bytesRead} of ${imageBytes} bytes`);
  assertHolds(reader, model);
  await reader.close();
  await store.close();
});

Deno.test("index: refreshes of a damaged image cost nothing but time, and views stay as they are", async () => {
  const random = new Random(1);
  for (let round = 0; round < 60; round++) {
    const { platform, model } = await makeStore(round % 2 * 200);
    const store = await open(platform);
    const reader = await open(platform, { readOnly: true });
    for (let step = 0; step < 4; step++) {
      const before = new Map(model);
      const snapshot = random.chance(0.3) ? reader.snapshot() : undefined;
      await work(store, model, random, 1 + random.below(30));
      if (random.chance(0.1)) await store.clear().then(() => model.clear());
      if (random.chance(0.2)) await store.compact();
      if (random.chance(0.4)) damageImage(platform);
      if (random.chance(0.3)) assertHolds(reader, before);
      await reader.refresh();
      if (random.chance(0.5)) assertHolds(reader, model);
      if (snapshot !== undefined) assertHolds(snapshot, before);
      snapshot?.close();
    }
    assertHolds(reader, model);
    assertEquals((await reader.verify()).problems.filter(({ file }) => file !== "INDEX"), []);
    await reader.close();
    await assertLasts(platform, store, model);
    assertEquals(platform.openHandles, 0);
  }
});
