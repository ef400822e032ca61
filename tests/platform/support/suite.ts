/**
 * What every platform must do, as plain functions, so that they also run in runtimes without `Deno.test`
 * (support/javascript.ts). Each gets an empty directory.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Lock, Platform } from "../../../src/platform/types.ts";

/** One behaviour. */
export interface Check {
  name: string;
  run: (platform: Platform, directory: string) => void | Promise<void>;
}

const encode = (text: string) => new TextEncoder().encode(text);

function contentOf(platform: Platform, path: string): string {
  const handle = platform.open(path, "read");
  try {
    const bytes = new Uint8Array(handle.size());
    assertEquals(handle.read(bytes, 0), bytes.length);
    return new TextDecoder().decode(bytes);
  } finally {
    handle.close();
  }
}

function create(platform: Platform, path: string, content: string): void {
  const handle = platform.open(path, "create");
  assertEquals(handle.write(encode(content), 0), content.length);
  handle.close();
}

function codeThrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** The lock, which must have been had. */
export function assertTaken(result: Lock | { holder: string }): Lock {
  if ("holder" in result) throw new Error(`the lock is held: ${result.holder}`);
  return result;
}

/** The holder's text; the lock must have been refused. */
export function assertRefused(result: Lock | { holder: string }): string {
  assert("holder" in result, "the lock was had twice");
  return result.holder;
}

/** Every behaviour that the store relies on. */
export const checks: Check[] = [
  {
    name: "reads and writes at any offset, in any order",
    run(platform, directory) {
      const handle = platform.open(`${directory}/f`, "create");
      assertEquals(handle.write(encode("abcdef"), 0), 6);
      assertEquals(handle.write(encode("XY"), 2), 2);
      assertEquals(handle.write(encode("g"), 8), 1);
      const three = new Uint8Array(3);
      assertEquals([handle.read(three, 1), new TextDecoder().decode(three)], [3, "bXY"]);
      assertEquals([handle.read(three, 4), new TextDecoder().decode(three)], [3, "ef\0"]);
      assertEquals(handle.write(encode("h"), 9), 1);
      assertEquals(handle.size(), 10);
      assertEquals(contentOf(platform, `${directory}/f`), "abXYef\0\0gh");
      handle.close();
    },
  },
  {
    name: "reads what there is at the end of a file, and nothing behind it",
    run(platform, directory) {
      create(platform, `${directory}/f`, "abc");
      const handle = platform.open(`${directory}/f`, "read");
      const bytes = new Uint8Array(8).fill(1);
      assertEquals([handle.read(bytes, 1), bytes[0], bytes[1], bytes[2]], [2, 98, 99, 1]);
      assertEquals(handle.read(bytes, 3), 0);
      assertEquals(handle.read(bytes, 99), 0);
      assertEquals(handle.read(new Uint8Array(0), 0), 0);
      handle.close();
    },
  },
  {
    name: "takes and gives no bytes where none are asked for",
    run(platform, directory) {
      const handle = platform.open(`${directory}/f`, "create");
      assertEquals(handle.write(new Uint8Array(0), 0), 0);
      assertEquals(handle.read(new Uint8Array(0), 0), 0);
      assertEquals(handle.size(), 0);
      handle.close();
    },
  },
  {
    name: "reads into and writes from a part of a buffer",
    run(platform, directory) {
      const handle = platform.open(`${directory}/f`, "create");
      const buffer = encode("-abc-");
      handle.write(buffer.subarray(1, 4), 0);
      handle.read(buffer.subarray(0, 2), 1);
      assertEquals(new TextDecoder().decode(buffer), "bcbc-");
      buffer.fill(0);
      assertEquals(contentOf(platform, `${directory}/f`), "abc");
      handle.close();
    },
  },
  {
    name: "a write through one handle is seen through another",
    run(platform, directory) {
      create(platform, `${directory}/f`, "abc");
      const reader = platform.open(`${directory}/f`, "read");
      const writer = platform.open(`${directory}/f`, "write");
      const bytes = new Uint8Array(4);
      reader.read(bytes, 0);
      writer.write(encode("defg"), 0);
      assertEquals([reader.size(), reader.read(bytes, 0)], [4, 4]);
      assertEquals(new TextDecoder().decode(bytes), "defg");
      reader.close();
      writer.close();
    },
  },
  {
    name: "a file opened for reading takes no writes",
    run(platform, directory) {
      create(platform, `${directory}/f`, "abc");
      const handle = platform.open(`${directory}/f`, "read");
      const one = new Uint8Array(1);
      handle.read(one, 0);
      assertThrows(() => handle.write(encode("x"), 2));
      // The failed call must not have displaced the next.
      assertEquals([handle.read(one, 1), new TextDecoder().decode(one)], [1, "b"]);
      handle.close();
      assertEquals(contentOf(platform, `${directory}/f`), "abc");
    },
  },
  {
    name: "tells what is missing from what is there already",
    run(platform, directory) {
      create(platform, `${directory}/f`, "abc");
      const missing = [
        codeThrown(() => platform.open(`${directory}/none`, "read")),
        codeThrown(() => platform.open(`${directory}/none`, "write")),
        codeThrown(() => platform.open(`${directory}/none/f`, "create")),
        codeThrown(() => platform.makeDirectory(`${directory}/none/d`)),
        codeThrown(() => platform.list(`${directory}/none`)),
        codeThrown(() => platform.rename(`${directory}/none`, `${directory}/g`)),
        codeThrown(() => platform.remove(`${directory}/none`)),
        codeThrown(() => platform.lock(`${directory}/none/LOCK`, "")),
      ];
      const present = [
        codeThrown(() => platform.open(`${directory}/f`, "create")),
        codeThrown(() => platform.makeDirectory(`${directory}/f`)),
        codeThrown(() => platform.makeDirectory(directory)),
      ];
      assertEquals(missing.map(platform.isNotFound), missing.map(() => true));
      assertEquals(missing.map(platform.isAlreadyThere), missing.map(() => false));
      assertEquals(present.map(platform.isAlreadyThere), present.map(() => true));
      assertEquals(present.map(platform.isNotFound), present.map(() => false));
      assertEquals(contentOf(platform, `${directory}/f`), "abc");
      assertEquals([platform.isNotFound(undefined), platform.isAlreadyThere("EEXIST")], [false, false]);
    },
  },
  {
    name: "lists, renames over and removes",
    run(platform, directory) {
      platform.makeDirectory(`${directory}/d`);
      create(platform, `${directory}/old`, "old");
      create(platform, `${directory}/new`, "new");
      assertEquals(platform.list(directory).sort(), ["d", "new", "old"]);
      platform.rename(`${directory}/new`, `${directory}/old`);
      assertEquals(contentOf(platform, `${directory}/old`), "new");
      platform.syncDirectory(directory);
      platform.remove(`${directory}/old`);
      assertEquals(platform.list(directory), ["d"]);
      assertEquals(platform.list(`${directory}/d`), []);
      platform.removeDirectory(`${directory}/d`);
      create(platform, `${directory}/f`, "f");
      assertThrows(() => platform.removeDirectory(directory));
      assertEquals(platform.list(directory), ["f"]);
    },
  },
  {
    name: "knows how much space is available, or that it does not",
    run(platform, directory) {
      const bytes = platform.availableBytes(directory);
      assert(bytes === undefined || bytes >= 0, `${bytes}`);
      const missing = platform.availableBytes(`${directory}/missing`);
      assert(missing === undefined || missing === Infinity, `${missing}`);
    },
  },
  {
    name: "removes in the background, and says if it could not",
    async run(platform, directory) {
      const path = `${directory}/f`;
      create(platform, path, "abc");
      await platform.removeLater(path);
      assertEquals(platform.list(directory), []);
      const error = await platform.removeLater(path).then(() => undefined, (error: unknown) => error);
      assert(platform.isNotFound(error), `${error}`);
    },
  },
  {
    name: "a removed file can be read on through its handles",
    run(platform, directory) {
      create(platform, `${directory}/f`, "abc");
      const handle = platform.open(`${directory}/f`, "read");
      platform.remove(`${directory}/f`);
      const bytes = new Uint8Array(3);
      assertEquals([handle.read(bytes, 0), new TextDecoder().decode(bytes)], [3, "abc"]);
      handle.close();
    },
  },
  {
    name: "syncs while writing goes on, and closes under a sync",
    async run(platform, directory) {
      const handle = platform.open(`${directory}/f`, "create");
      const syncs: Promise<void>[] = [];
      for (let i = 0; i < 20; i++) {
        handle.write(encode("x"), i);
        syncs.push(handle.syncData());
      }
      handle.syncDataNow();
      assertEquals(handle.size(), 20);
      await Promise.all(syncs);
      const last = handle.syncData();
      handle.close();
      await last;
    },
  },
  {
    name: "a closed handle does nothing any more, even if its descriptor's number is in use again",
    async run(platform, directory) {
      create(platform, `${directory}/f`, "abc");
      const closed = platform.open(`${directory}/f`, "write");
      closed.close();
      closed.close();
      const other = platform.open(`${directory}/g`, "create");
      assertThrows(() => closed.write(encode("x"), 0));
      assertThrows(() => closed.read(new Uint8Array(1), 0));
      assertThrows(() => closed.size());
      assertThrows(() => closed.syncDataNow());
      const rejected = await closed.syncData().then(() => false, () => true);
      assertEquals([rejected, other.size()], [true, 0]);
      other.close();
    },
  },
  {
    name: "knows the time of day, in whole milliseconds",
    run(platform) {
      const [before, now, after] = [Date.now(), platform.now(), Date.now()];
      assert(Number.isSafeInteger(now) && before <= now && now <= after, `${now}`);
    },
  },
  {
    name: "one lock at a time, and the loser learns whose it is",
    run(platform, directory) {
      const path = `${directory}/LOCK`;
      const first = assertTaken(platform.lock(path, "the first, with a long text"));
      assertEquals(assertRefused(platform.lock(path, "nobody")), "the first, with a long text");
      assertEquals(assertRefused(platform.lock(path, "nobody")), "the first, with a long text");
      first.release();
      const second = assertTaken(platform.lock(path, "the second"));
      first.release();
      assertEquals(assertRefused(platform.lock(path, "nobody")), "the second");
      assertEquals(platform.list(directory), ["LOCK"]);
      second.release();
      assertEquals(platform.list(directory), ["LOCK"]);
    },
  },
  {
    name: "a lock file that is empty, garbage or huge is no lock",
    run(platform, directory) {
      for (const content of ["", "\0\xff{", "held by process 1 ".repeat(10_000)]) {
        const handle = platform.open(`${directory}/LOCK`, "create");
        handle.write(encode(content), 0);
        handle.close();
        const lock = assertTaken(platform.lock(`${directory}/LOCK`, "me"));
        assertEquals(assertRefused(platform.lock(`${directory}/LOCK`, "nobody")), "me");
        lock.release();
        platform.remove(`${directory}/LOCK`);
      }
    },
  },
  {
    name: "a lock knows when its file was removed or replaced",
    run(platform, directory) {
      const path = `${directory}/LOCK`;
      const first = assertTaken(platform.lock(path, "first"));
      assertEquals(first.isCurrent(), true);
      platform.remove(path);
      assertEquals(first.isCurrent(), false);
      const second = assertTaken(platform.lock(path, "second"));
      assertEquals([first.isCurrent(), second.isCurrent()], [false, true]);
      first.release();
      assertEquals(second.isCurrent(), true);
      second.release();
      assertEquals(second.isCurrent(), false);
    },
  },
];
