/** The pool: files that look open, of which only so many are. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { KvStoreError } from "../../src/errors.ts";
import { FilePool, pooled } from "../../src/platform/pool.ts";
import type { FileHandle, OpenMode, Platform } from "../../src/platform/types.ts";
import { MemoryPlatform, MemoryPlatformError } from "../support/memory_platform.ts";

const missing = () => new KvStoreError("CORRUPT", "gone");

function withFiles(count: number): MemoryPlatform {
  const memory = new MemoryPlatform();
  for (let i = 0; i < count; i++) memory.writeFile(`/${i}`, Uint8Array.of(i));
  return memory;
}

function openAll(pool: FilePool, count: number): FileHandle[] {
  return Array.from({ length: count }, (_, i) => pool.open(`/${i}`, missing));
}

function firstByte(file: FileHandle): number | undefined {
  const bytes = new Uint8Array(1);
  return file.read(bytes, 0) === 1 ? bytes[0] : undefined;
}

Deno.test("pool: however many files are read, no more than the limit are open", () => {
  const memory = withFiles(20);
  const pool = new FilePool(memory, 3);
  const files = openAll(pool, 20);
  for (let round = 0; round < 3; round++) {
    for (const [i, file] of files.entries()) {
      assertEquals([firstByte(file), file.size()], [i, 1]);
      assert(memory.openHandles <= 3, `${memory.openHandles} are open`);
    }
  }
  for (const file of files) file.close();
  assertEquals(memory.openHandles, 0);
});

Deno.test("pool: a file that is read again and again stays open while others come and go", () => {
  const memory = withFiles(20);
  const files = openAll(new FilePool(memory, 4), 20);
  let reopened = 0;
  firstByte(files[0]!);
  memory.onOperation = ({ kind, path }) => {
    if (kind === "open" && path === "/0") reopened++;
  };
  for (let round = 0; round < 10; round++) {
    for (const file of files) {
      firstByte(files[0]!);
      firstByte(file);
    }
  }
  assertEquals(reopened, 0);
});

Deno.test("pool: what is closed stays closed, whether it had its descriptor or not, and closing twice is harmless", async () => {
  const memory = withFiles(3);
  const files = openAll(new FilePool(memory, 2), 3);
  for (const file of files) {
    file.close();
    file.close();
    assertThrows(() => firstByte(file), Error, "the file is closed");
    assertThrows(() => file.size());
    assertThrows(() => file.syncDataNow());
    assertEquals(await file.syncData().then(() => "done", () => "refused"), "refused");
  }
  assertEquals(memory.openHandles, 0);
});

Deno.test("pool: a file that is written keeps its descriptor until it is released, and the same object reads on", async () => {
  const memory = withFiles(3);
  const pool = new FilePool(memory, 1);
  const written = pool.keep(memory.open("/new", "create"), "/new", missing);
  const files = openAll(pool, 3);
  written.write(Uint8Array.of(7), 0);
  assertEquals(memory.openHandles, 2);
  const syncing = written.syncData();
  pool.release(written);
  pool.release(written);
  assertEquals([memory.openHandles, firstByte(files[0]!), firstByte(written)], [1, 0, 7]);
  await syncing;
  written.close();
  pool.release(written);
  assertThrows(() => firstByte(written));
});

Deno.test("pool: a file that is gone when it is opened again is the error that was asked for; another refusal is IO", () => {
  const memory = withFiles(2);
  const [first, second] = openAll(new FilePool(memory, 1), 2);
  memory.remove("/0");
  memory.remove("/1");
  assertEquals(assertThrows(() => firstByte(first!), KvStoreError).message, "gone");
  const again = withFiles(2);
  const [refused] = openAll(new FilePool(again, 1), 2);
  again.onOperation = ({ kind }) => {
    if (kind === "open") throw new MemoryPlatformError("EACCES", "not yours");
  };
  assertEquals(assertThrows(() => firstByte(refused!), KvStoreError).code, "IO");
  again.onOperation = undefined;
  assertEquals(firstByte(refused!), 0);
  second!.close();
});

/** A platform whose process has so many descriptors, whoever takes them. */
function scarce(memory: MemoryPlatform, limits: { left: number }): Platform {
  const need = <T>(action: () => T): T => {
    if (memory.openHandles >= limits.left) throw new MemoryPlatformError("EMFILE", "too many open files");
    return action();
  };
  return pooled({
    absolute: (path) => path,
    kindOf: (path) => memory.kindOf(path),
    open: (path: string, mode: OpenMode) => need(() => memory.open(path, mode)),
    makeDirectory: (path) => memory.makeDirectory(path),
    removeDirectory: (path) => memory.removeDirectory(path),
    list: (path) => need(() => memory.list(path)),
    syncDirectory: (path) => need(() => memory.syncDirectory(path)),
    // deno-lint-ignore require-await -- what is thrown must come out as a rejection
    syncDirectoryLater: async (path) => need(() => memory.syncDirectory(path)),
    rename: (from, to) => memory.rename(from, to),
    remove: (path) => memory.remove(path),
    removeLater: (path) => memory.removeLater(path),
    readAhead: (extent) => memory.readAhead(extent),
    lock: (path, text) => need(() => memory.lock(path, text)),
    availableBytes: () => memory.availableBytes(),
    isNotFound: (error) => memory.isNotFound(error),
    isAlreadyThere: (error) => memory.isAlreadyThere(error),
    now: Date.now,
    startTimer: memory.startTimer,
  });
}

Deno.test("pool: where the process has no descriptor left, the pool gives up half of its own, for good", () => {
  const memory = withFiles(60);
  const limits = { left: 40 };
  const platform = scarce(memory, limits);
  const files = openAll(platform.pool, 60);
  assert(memory.openHandles <= 20, `${memory.openHandles} are open`);
  for (const [i, file] of files.entries()) assertEquals(firstByte(file), i);
  assert(platform.pool.limit <= 20);
  // The rest of the program takes what is left.
  limits.left = memory.openHandles;
  for (const call of [() => platform.list("/"), () => platform.syncDirectory("/"), () => platform.lock("/LOCK", "")]) {
    limits.left = memory.openHandles;
    call();
  }
  limits.left = memory.openHandles;
  platform.open("/new", "create").close();
  for (const [i, file] of files.entries()) assertEquals(firstByte(file), i);
  limits.left = 0;
  const refused = assertThrows(() => files.forEach(firstByte), KvStoreError);
  assertEquals([refused.code, /ulimit -n/.test(refused.message)], ["IO", true]);
  limits.left = 1;
  for (const [i, file] of files.entries()) assertEquals(firstByte(file), i);
});
