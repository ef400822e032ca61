import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { MemoryPlatform, MemoryPlatformError } from "../support/memory_platform.ts";
import type { FileHandle } from "../../src/platform/types.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function textAt(platform: MemoryPlatform, path: string): string {
  return new TextDecoder().decode(platform.readFile(path));
}

/** A platform with a durable file `/f` that holds "old", opened for writing. */
function prepare(): { platform: MemoryPlatform; handle: FileHandle } {
  const platform = new MemoryPlatform();
  platform.writeFile("/f", encode("old"));
  return { platform, handle: platform.open("/f", "write") };
}

Deno.test("memory: a power cut leaves what was synced", async () => {
  const { platform, handle } = prepare();
  const bytes = encode("new");
  handle.write(bytes, 0);
  bytes.fill(0);
  assertEquals(textAt(platform.image(), "/f"), "old");
  await handle.syncData();
  handle.write(encode("!"), 3);
  assertEquals(textAt(platform, "/f"), "new!");
  assertEquals(textAt(platform.crash(), "/f"), "new");
});

Deno.test("memory: a sync covers what was written when it was called, and only once it has resolved", async () => {
  const { platform, handle } = prepare();
  handle.write(encode("new"), 0);
  const synced = handle.syncData();
  handle.write(encode("!"), 3);
  await Promise.resolve();
  assertEquals(textAt(platform.image(), "/f"), "old");
  await synced;
  assertEquals(textAt(platform.image(), "/f"), "new");
  handle.syncDataNow();
  assertEquals(textAt(platform.image(), "/f"), "new!");
});

Deno.test("memory: entries last once their directory is synced, with the files as far as those are", () => {
  const platform = new MemoryPlatform();
  platform.makeDirectory("/d");
  const handle = platform.open("/d/a", "create");
  handle.write(encode("abc"), 0);
  handle.syncDataNow();
  platform.syncDirectory("/d");
  assertEquals(platform.image().files(), []);
  platform.syncDirectory("/");
  assertEquals(platform.image().files(), ["/d/a"]);
  platform.open("/d/unsynced", "create").write(encode("abc"), 0);
  platform.rename("/d/a", "/d/b");
  assertEquals([platform.files(), platform.image().files()], [["/d/b", "/d/unsynced"], ["/d/a"]]);
  platform.syncDirectory("/d");
  platform.remove("/d/b");
  const after = platform.crash();
  assertEquals(after.files(), ["/d/b", "/d/unsynced"]);
  assertEquals([textAt(after, "/d/b"), textAt(after, "/d/unsynced")], ["abc", ""]);
});

Deno.test("memory: a power cut can leave any part of what was not synced", () => {
  const { platform, handle } = prepare();
  handle.write(encode("first"), 0);
  handle.write(encode("second"), 5);
  platform.open("/g", "create");
  platform.rename("/f", "/h");
  const torn = platform.image({ write: ({ bytes }) => bytes.subarray(0, 3) });
  assertEquals(textAt(torn, "/f"), "fir\0\0sec");
  const holed = platform.image({ write: ({ offset, bytes }) => offset === 5 ? bytes : undefined });
  assertEquals(textAt(holed, "/f"), "old\0\0second");
  const renamed = platform.image({ entry: ({ kind, from }) => kind === "rename" && from === "/f" });
  assertEquals([renamed.files(), textAt(renamed, "/h")], [["/h"], "old"]);
});

Deno.test("memory: what a failed sync was to save is lost, whatever later syncs report", async () => {
  for (const fail of ["at once", "later"]) {
    const { platform, handle } = prepare();
    handle.write(encode("A"), 0);
    const before = handle.syncData();
    handle.write(encode("B"), 1);
    const failure = () => {
      throw new Error("no sync");
    };
    if (fail === "at once") platform.onOperation = failure;
    else platform.syncTurn = () => Promise.reject(new Error("no sync"));
    await assertRejects(() => handle.syncData(), Error, "no sync");
    platform.onOperation = undefined;
    platform.syncTurn = () => Promise.resolve();
    await before;
    handle.write(encode("C"), 2);
    await handle.syncData();
    assertEquals(textAt(platform, "/f"), "ABC");
    // The first write is that of the earlier sync, which was under way and succeeded.
    assertEquals(textAt(platform.crash(), "/f"), "AlC", fail);
  }
});

Deno.test("memory: a killed process leaves everything written, and no locks; a power cut then takes the unsynced", () => {
  const { platform, handle } = prepare();
  const lock = platform.lock("/LOCK", "me");
  handle.write(encode("new"), 0);
  const after = platform.kill();
  assertEquals(textAt(after, "/f"), "new");
  assertEquals("release" in after.lock("/LOCK", "you"), true);
  assertEquals(textAt(after.crash(), "/f"), "old");
  if ("release" in lock) lock.release();
});

Deno.test("memory: after a crash nothing of the old platform works, and closing is harmless", async () => {
  for (const stop of ["crash", "kill"] as const) {
    const { platform, handle } = prepare();
    handle.write(encode("new"), 0);
    const synced = handle.syncData();
    const after = platform[stop]();
    await assertRejects(() => synced, MemoryPlatformError, "off");
    assertThrows(() => handle.read(new Uint8Array(1), 0), MemoryPlatformError, "off");
    assertThrows(() => handle.size(), MemoryPlatformError, "off");
    assertThrows(() => platform.list("/"), MemoryPlatformError, "off");
    assertThrows(() => platform.lock("/LOCK", ""), MemoryPlatformError, "off");
    handle.close();
    assertEquals(textAt(after.crash(), "/f"), "old");
  }
});

Deno.test("memory: the hook sees every operation, and can fail it, shorten it or cut the power", () => {
  const { platform, handle } = prepare();
  const seen: unknown[] = [];
  platform.onOperation = (operation) => void seen.push(operation);
  handle.read(new Uint8Array(2), 0);
  platform.list("/");
  assertEquals(seen, [{ kind: "read", path: "/f", count: 2, bytes: 2 }, { kind: "list", path: "/", count: 3 }]);
  platform.onOperation = ({ kind }) => kind === "write" ? 2 : undefined;
  assertEquals(handle.write(encode("new"), 0), 2);
  assertEquals(textAt(platform, "/f"), "ned");
  platform.onOperation = () => {
    throw new Error("no");
  };
  assertThrows(() => handle.write(encode("xyz"), 0), Error, "no");
  assertThrows(() => platform.remove("/f"), Error, "no");
  assertEquals(textAt(platform, "/f"), "ned");
  assertEquals([platform.operations.write, platform.operations.remove, platform.syncs], [2, 1, 0]);
  let after: MemoryPlatform | undefined;
  platform.onOperation = () => void (after = platform.kill());
  assertThrows(() => handle.write(encode("xyz"), 0), MemoryPlatformError, "off");
  assertEquals(after && textAt(after, "/f"), "ned");
});

Deno.test("memory: a full disk takes a part, then nothing; overwriting and removing go on", () => {
  const { platform, handle } = prepare();
  platform.capacityBytes = 10;
  assertEquals(handle.write(encode("123456789"), 3), 7);
  assertThrows(() => handle.write(encode("89"), 10), MemoryPlatformError, "ENOSPC");
  assertEquals(handle.write(encode("over"), 6), 4);
  assertEquals(handle.write(new Uint8Array(0), 10), 0);
  const other = platform.open("/g", "create");
  assertThrows(() => other.write(encode("x"), 0), MemoryPlatformError, "ENOSPC");
  platform.remove("/f");
  assertThrows(() => other.write(encode("x"), 0), MemoryPlatformError, "ENOSPC");
  handle.close();
  assertEquals(other.write(encode("x"), 0), 1);
});

Deno.test("memory: a file can be damaged under its readers, for good", () => {
  const { platform, handle } = prepare();
  platform.writeFile("/f", encode("bad bytes"));
  const bytes = new Uint8Array(9);
  assertEquals([handle.read(bytes, 0), new TextDecoder().decode(bytes)], [9, "bad bytes"]);
  platform.writeFile("/f", encode("bad"));
  handle.write(encode("!"), 5);
  assertEquals(textAt(platform, "/f"), "bad\0\0!");
  platform.remove("/f");
  platform.writeFile("/f", encode("again"));
  platform.writeFile("/x/y/z", encode("deep"));
  platform.syncDirectory("/");
  assertEquals(textAt(platform.image(), "/f"), "again");
  assertEquals(textAt(platform.image(), "/x/y/z"), "deep");
  assertEquals(platform.list("/x"), ["y"]);
});

Deno.test("memory: a power cut can be asked about whole files: what is synced, and each write since", async () => {
  const { platform, handle } = prepare();
  handle.write(encode("first"), 3);
  handle.write(encode("second"), 8);
  const seen: unknown[] = [];
  const image = platform.image({
    file: ({ path, synced, writes }) => {
      seen.push(path, synced.slice(), writes);
      synced.fill(0);
      writes.forEach(({ bytes }) => bytes.fill(0));
      return encode("anything");
    },
  });
  const writes = [{ offset: 3, bytes: new Uint8Array(5) }, { offset: 8, bytes: new Uint8Array(6) }];
  assertEquals(seen, ["/f", encode("old"), writes]);
  assertEquals([textAt(image, "/f"), textAt(platform, "/f")], ["anything", "oldfirstsecond"]);
  await handle.syncData();
  assertEquals(textAt(platform.image({ file: () => encode("not asked") }), "/f"), "oldfirstsecond");
});

Deno.test("memory: a fork goes on by itself, and knows what was not synced", async () => {
  const { platform, handle } = prepare();
  handle.write(encode("new"), 0);
  platform.open("/g", "create");
  platform.lock("/LOCK", "me");
  const fork = platform.fork();
  handle.write(encode("later"), 0);
  await handle.syncData();
  assertEquals([textAt(fork, "/f"), textAt(platform, "/f"), textAt(fork.image(), "/f")], ["new", "later", "old"]);
  assertEquals([fork.files(), fork.image().files()], [["/LOCK", "/f", "/g"], ["/f"]]);
  const other = fork.open("/f", "write");
  other.write(encode("N"), 0);
  other.syncDataNow();
  fork.syncDirectory("/");
  assertEquals("release" in fork.lock("/LOCK", "you"), true);
  assertEquals([textAt(fork.crash(), "/f"), textAt(platform, "/f")], ["New", "later"]);
});

Deno.test("memory: each handle that was open hears once that a sync failed", async () => {
  const { platform, handle } = prepare();
  const barrier = platform.open("/f", "write");
  handle.write(encode("A"), 0);
  platform.onOperation = ({ kind }) => {
    if (kind === "sync") throw new MemoryPlatformError("EIO", "injected");
  };
  await assertRejects(() => handle.syncData(), MemoryPlatformError, "injected");
  platform.onOperation = undefined;
  const later = platform.open("/f", "write");
  assertThrows(() => barrier.syncDataNow(), MemoryPlatformError, "an earlier sync");
  for (const each of [handle, barrier, later]) each.syncDataNow();
  assertEquals(textAt(platform.image(), "/f"), "old");
});

Deno.test("memory: the hook shortens reads, too", () => {
  const { platform, handle } = prepare();
  platform.onOperation = ({ kind }) => kind === "read" ? 2 : undefined;
  const target = new Uint8Array(3);
  assertEquals([handle.read(target, 0), new TextDecoder().decode(target)], [2, "ol\0"]);
});
