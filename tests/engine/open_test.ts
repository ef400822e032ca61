import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";

const SMALL = { segmentBytes: 4096, compaction: { auto: false } };

function segmentsOf(platform: MemoryPlatform): string[] {
  return platform.files().filter((path) => path.endsWith(".seg"));
}

Deno.test("open: what is removed because of a manifest that was found cannot outlast it", async () => {
  const platform = new MemoryPlatform();
  const store = await KvStore.openOn<number | string>(platform, "/s", SMALL);
  for (let i = 0; i < 200; i++) store.set(`key ${i}`, "v".repeat(50));
  for (let i = 0; i < 200; i += 2) store.set(`key ${i}`, i);
  await store.flush();
  const expected = [...store];
  const before = segmentsOf(platform);
  // The process dies between the rename of the manifest that lists a copy and the sync of the directory.
  let died: MemoryPlatform | undefined;
  let isRenamed = false;
  platform.onOperation = ({ kind, path }) => {
    const hasCopy = segmentsOf(platform).some((name) => !before.includes(name) && platform.readFile(name).length > 200);
    if (kind === "syncDirectory" && isRenamed) died ??= platform.fork();
    isRenamed = kind === "rename" && path.endsWith("MANIFEST") && hasCopy;
  };
  await store.compact();
  await store.close();
  assert(died !== undefined);
  died.startTimer = () => ({ stop: () => {} });
  const again = await KvStore.openOn(died, "/s", SMALL);
  assert(segmentsOf(died).length < before.length, "nothing was left over");
  // Of the changes that nothing has made durable, removals last and renames do not.
  const after = died.crash({ entry: ({ kind }) => kind === "remove" });
  await again.close().catch(() => {});
  const last = await KvStore.openOn(after, "/s", SMALL);
  assertEquals([...last], expected);
  await last.close();
});

Deno.test("open: a number that a manifest has reserved is used only once that manifest is durable", async () => {
  const platform = new MemoryPlatform();
  await (await KvStore.openOn(platform, "/s", SMALL)).close();
  const store = await KvStore.openOn(platform, "/s", SMALL);
  // The process dies between the rename of the first manifest that reserves numbers and the sync of the directory.
  let died: MemoryPlatform | undefined;
  platform.onOperation = ({ kind }) => {
    if (kind === "syncDirectory") died ??= platform.fork();
  };
  await store.set("a", "1");
  await store.close();
  const again = await KvStore.openOn(died!, "/s", SMALL);
  // The power goes as soon as the next process has made a segment: its name may last, and that of the manifest not.
  let after: MemoryPlatform | undefined;
  died!.onOperation = ({ kind }) => {
    if (kind !== "syncDirectory" || segmentsOf(died!).length === 0) return;
    after ??= died!.crash({ entry: (change) => change.kind === "create" });
  };
  again.set("b", "2").catch(() => {});
  await again.close().catch(() => {});
  const last = await KvStore.openOn(after!, "/s", SMALL);
  assertEquals([...last], []);
  await last.close();
});

Deno.test("open: to read a store that was closed cleanly, nothing is synced and no file but LOCK is changed", async () => {
  const platform = new MemoryPlatform();
  const store = await KvStore.openOn(platform, "/s", SMALL);
  for (let i = 0; i < 200; i++) store.set(`key ${i}`, "v".repeat(50));
  await store.close();
  const changes: string[] = [];
  platform.onOperation = ({ kind, path }) => {
    const isChange = ["write", "sync", "syncDirectory", "rename", "remove"].includes(kind);
    if (isChange && path !== "/s/LOCK") changes.push(`${kind} ${path}`);
  };
  const again = await KvStore.openOn(platform, "/s", SMALL);
  assertEquals(again.get("key 7"), "v".repeat(50));
  await again.close();
  assertEquals(changes, []);
});
