import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import {
  assertHolds,
  assertLasts,
  codeOf,
  damageImage,
  FIRST_SEGMENT,
  IMAGE,
  KEYS,
  makeStore,
  open,
  work,
} from "../support/lazy_store.ts";
import type { Operation } from "../support/memory_platform.ts";
import { Random } from "../support/random.ts";
import { turns } from "../support/sweep.ts";

Deno.test("index: opening reads nothing of the image but its footer, a get or a write the table of its key", async () => {
  const { platform } = await makeStore();
  const imageBytes = platform.readFile(IMAGE).length;
  for (const readOnly of [true, false]) {
    let bytesRead = 0;
    platform.onOperation = ({ kind, path, bytes }) => {
      if (kind === "read" && path === IMAGE) bytesRead += bytes!;
    };
    const store = await open(platform, { readOnly });
    assertEquals(store.size, KEYS);
    const opened = bytesRead;
    assertEquals(store.get("key 5"), 5);
    const got = bytesRead - opened;
    assert(got > 0 && got < imageBytes / 100, `${got} of ${imageBytes} bytes`);
    assertEquals(store.get("key 5"), 5);
    assertEquals(bytesRead, opened + got);
    if (!readOnly) {
      await store.flush();
      store.flushSync();
      assertEquals(bytesRead, opened + got);
      await store.set("key 5", 5);
      assertEquals(bytesRead, opened + got);
      await store.batch([{ type: "set", key: "key 6", value: 6 }, { type: "delete", key: "key 7" }]);
      const written = bytesRead - opened - got;
      assert(written > got && written < imageBytes / 50, `${written} of ${imageBytes} bytes`);
      await store.set("key 7", 7);
      assertEquals(bytesRead, opened + got + written);
      await store.clear();
      assert(bytesRead > imageBytes / 2);
    }
    platform.onOperation = undefined;
    await store.close();
  }
});

for (const behind of [0, 200]) {
  Deno.test(`index: an image damaged while the store is open costs nothing but time (${behind} records behind)`, async () => {
    const random = new Random(behind);
    for (let round = 0; round < 12; round++) {
      const { platform, model } = await makeStore(behind);
      // Before opening, what is behind the image meets the damage; afterwards the first calls do.
      if (round % 2 === 0) damageImage(platform);
      const store = await open(platform);
      damageImage(platform);
      const snapshot = store.snapshot();
      const before = new Map(model);
      if (round % 3 === 0) {
        await store.clear();
        model.clear();
      }
      if (round % 4 === 0) await store.compact();
      await work(store, model, random);
      if (round % 4 === 1) await store.compact();
      assertHolds(snapshot, before);
      snapshot.close();
      await assertLasts(platform, store, model);
    }
  });

  Deno.test(`index: what opening makes of a damaged image is accounted as the log says (${behind} records behind)`, async () => {
    const { platform, model } = await makeStore(behind);
    const reference = platform.fork();
    damageImage(platform);
    reference.remove(IMAGE);
    const store = await open(platform);
    const expected = await open(reference);
    assertHolds(store, model);
    const { indexBytes: _bytes, ...stats } = store.stats();
    const { indexBytes: _expectedBytes, ...expectedStats } = expected.stats();
    assertEquals(stats, expectedStats);
    await store.close();
    await expected.close();
  });
}

Deno.test("index: a reader goes on with the image that it opened while the writer replaces it", async () => {
  const { platform, model } = await makeStore();
  const before = new Map(model);
  const reader = await open(platform, { readOnly: true });
  const snapshot = reader.snapshot();
  const writer = await open(platform);
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 1200; i++) {
      model.set(`key ${i}`, i * round);
      writer.set(`key ${i}`, i * round);
    }
    await writer.flush();
    if (round === 1) await writer.compact();
    await reader.refresh();
    for (let i = 0; i < KEYS; i += 50) assertEquals(reader.get(`key ${i}`), model.get(`key ${i}`));
  }
  await writer.close();
  await reader.refresh();
  assertHolds(reader, model);
  assertHolds(snapshot, before);
  snapshot.close();
  await reader.close();
});

for (const isDamaged of [false, true]) {
  Deno.test(`index: a reader's snapshots stay as they were over a refresh${isDamaged ? ", the image damaged" : ""}`, async () => {
    for (const change of ["set", "clear", "compact"]) {
      const { platform, model } = await makeStore();
      const reader = await open(platform, { readOnly: true });
      if (isDamaged) damageImage(platform);
      const snapshot = reader.snapshot();
      const before = new Map(model);
      const writer = await open(platform);
      if (change === "clear") {
        await writer.clear();
        model.clear();
      }
      for (const key of ["key 1", "another"]) {
        await writer.set(key, -1);
        model.set(key, -1);
      }
      assertEquals(await writer.delete("key 2"), model.delete("key 2"));
      if (change === "compact") await writer.compact();
      await writer.flush();
      await reader.refresh();
      assertHolds(snapshot, before);
      assertHolds(reader, model);
      snapshot.close();
      await reader.close();
      await writer.close();
    }
  });
}

Deno.test("index: a read that fails anywhere in a compaction loses nothing", async () => {
  const failing = (wanted: number, isRead: (operation: Operation) => boolean) => {
    let count = 0;
    return (operation: Operation) => {
      if (isRead(operation) && ++count === wanted) throw new Error("EIO");
    };
  };
  for (const path of [IMAGE, FIRST_SEGMENT]) {
    const isDue = turns();
    for (let wanted = 1;; wanted += wanted < 40 ? 1 : 29) {
      if (!isDue()) continue;
      const { platform, model } = await makeStore(100);
      damageImage(platform);
      const store = await open(platform);
      platform.onOperation = failing(wanted, (operation) => operation.kind === "read" && operation.path === path);
      const code = await codeOf(() => store.compact());
      platform.onOperation = undefined;
      await store.compact();
      await assertLasts(platform, store, model);
      // Where the image fails the log answers, and neither has that many reads.
      if (code === undefined && wanted > (path === IMAGE ? 2 : 40)) break;
    }
  }
});

Deno.test("index: compaction that begins by itself has the whole index first", async () => {
  const { platform, model } = await makeStore();
  const writer = await open(platform);
  for (let i = 0; i < 900; i++) {
    // Few keys, so that the replay at the next open needs few tables.
    const key = `key ${i % 5}`;
    model.set(key, i);
    writer.set(key, i);
  }
  await writer.close();
  let look = () => {};
  platform.startTimer = (_delayMs, work) => {
    look = work;
    return { stop: () => {} };
  };
  const errors: Error[] = [];
  const options = { segmentBytes: 65_536, compaction: { minStaleBytes: 4096, staleRatio: 0.2 } };
  const store = await KvStore.openOn<number>(platform, "/s", { ...options, onError: (error) => errors.push(error) });
  let switches = 0;
  let writesImage = false;
  platform.onOperation = ({ kind, path }) => {
    if (kind === "rename" && path.endsWith("MANIFEST")) switches++;
    if (kind === "open" && path.endsWith("INDEX.tmp")) writesImage = true;
    if (switches > 0 && !writesImage && kind === "read" && [IMAGE, FIRST_SEGMENT].includes(path)) {
      throw new Error("EIO");
    }
  };
  look();
  while (store.stats().compactions === 0 && errors.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  platform.onOperation = undefined;
  assertEquals(errors, []);
  assert(switches > 0);
  assertHolds(store, model);
  assertEquals((await store.verify()).problems, []);
  await store.close();
});

Deno.test("index: a refresh that fails at any read is made up for by the next", async () => {
  for (const compacts of [false, true]) {
    let failed = 0;
    for (let wanted = 1, isOver = false; !isOver; wanted++) {
      const { platform, model } = await makeStore();
      const reader = await open(platform, { readOnly: true });
      const snapshot = reader.snapshot();
      const before = new Map(model);
      const writer = await open(platform);
      for (const key of ["key 1", "another"]) {
        await writer.set(key, -1);
        model.set(key, -1);
      }
      assertEquals(await writer.delete("key 2"), model.delete("key 2"));
      if (compacts) await writer.compact();
      await writer.flush();
      let count = 0;
      platform.onOperation = ({ kind, path }) => {
        if (kind === "read" && path.endsWith(".seg") && ++count === wanted) throw new Error("EIO");
      };
      const code = await codeOf(() => reader.refresh());
      platform.onOperation = undefined;
      isOver = count < wanted;
      if (code !== undefined) failed++;
      const between = reader.snapshot();
      const seen = new Map(between.entries());
      [...reader.keys({ limit: 3 })];
      await reader.refresh();
      assertHolds(reader, model);
      assertHolds(snapshot, before);
      assertEquals(new Map(between.entries()), seen);
      await reader.close();
      await writer.close();
    }
    assert(failed > 2, "no refresh failed");
  }
});
