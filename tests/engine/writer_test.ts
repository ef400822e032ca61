import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { KvStoreError } from "../../src/errors.ts";
import { RecordCursor } from "../../src/engine/cursor.ts";
import { Log } from "../../src/engine/log.ts";
import { writeManifest } from "../../src/engine/manifest_file.ts";
import { newManifest, readManifest } from "../../src/store/directory.ts";
import { FLAG_MORE, KIND, readMark } from "../../src/engine/record.ts";
import type { Segment } from "../../src/engine/segment.ts";
import { Writer } from "../../src/engine/writer.ts";
import { readInto } from "../../src/platform/files.ts";
import { nextTurn } from "../../src/platform/turn.ts";
import type { Lock } from "../../src/platform/types.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";
import { utf8 } from "../support/records.ts";

/** A writer on a new store, and what it tells its owner. */
function makeWriter(segmentBytes = 4096) {
  const platform = new MemoryPlatform();
  platform.writeFile("/s/NOTE", new Uint8Array(1));
  const manifest = newManifest();
  writeManifest({ platform, directory: "/s", lock: undefined }, manifest);
  const log = new Log({ platform, directory: "/s", lock: platform.lock("/s/LOCK", "") as Lock }, manifest);
  const events: string[] = [];
  const writer = new Writer(log, segmentBytes, {
    onRecord: ({ bytes }, at, header) => void events.push(`+${keyAt(bytes, at + header.keyStart, header.keyLength)}`),
    onRollback: ({ bytes }, at, header) => void events.push(`-${keyAt(bytes, at + header.keyStart, header.keyLength)}`),
    onWritten: () => void events.push("written"),
    onCutOff: () => void events.push("cut off"),
  });
  return { platform, log, writer, events };
}

function keyAt(bytes: Uint8Array, start: number, length: number): string {
  return new TextDecoder().decode(bytes.subarray(start, start + length));
}

/** Publishes sets of these keys, together. */
function publish(writer: Writer, keys: string[], value: Uint8Array | string = "v"): void {
  for (const key of keys) {
    const bytes = utf8(key);
    writer.tail.stage(KIND.set, 0, { bytes, start: 0, length: bytes.length }, value);
  }
  writer.publish();
}

/** What is in a segment: keys, `+` where a batch goes on; marks as the offset they name. */
function contentsOf(segment: Segment): (string | number)[] {
  const cursor = new RecordCursor(
    { handle: segment.handle, name: segment.name, salt: segment.salt },
    segment.headerBytes,
    segment.endBytes,
  );
  const found: (string | number)[] = [];
  while (cursor.next()) {
    assert(cursor.checkValue());
    if (cursor.kind === KIND.mark) found.push(readMark(cursor.view, cursor.at).offset);
    else found.push(new TextDecoder().decode(cursor.key) + ((cursor.flags & FLAG_MORE) === 0 ? "" : "+"));
  }
  assertEquals(cursor.reason, undefined);
  return found;
}

function failOn(platform: MemoryPlatform, failing: string): void {
  platform.onOperation = ({ kind }) => {
    if (kind === failing) throw new Error(`no ${kind}`);
  };
}

Deno.test("writer: calls of one turn are one write and one sync", async () => {
  const { platform, log, writer } = makeWriter();
  publish(writer, ["first"]);
  await writer.reached("sync");
  const before = { ...platform.operations };
  const waiting: Promise<void>[] = [];
  for (let i = 0; i < 50; i++) {
    publish(writer, [`k${i}`]);
    waiting.push(writer.reached("sync"));
  }
  await Promise.all(waiting);
  assertEquals([platform.operations.write - before.write, platform.operations.sync - before.sync], [1, 1]);
  assertEquals(contentsOf(log.active!).filter((one) => typeof one === "string").length, 51);
  assertEquals([writer.tail.length, writer.unsyncedBytes], [0, 0]);
});

Deno.test("writer: calls during a sync form the next group, which no one waits for twice", async () => {
  const { platform, writer } = makeWriter();
  publish(writer, ["0"]);
  await writer.reached("sync");
  const releases: (() => void)[] = [];
  platform.syncTurn = () => new Promise((resolve) => releases.push(resolve));
  publish(writer, ["a"]);
  const order: string[] = [];
  const a = writer.reached("sync").then(() => order.push("a"));
  await Promise.resolve();
  publish(writer, ["b"]);
  const b = writer.reached("sync").then(() => order.push("b"));
  publish(writer, ["c"]);
  const c = writer.reached("sync").then(() => order.push("c"));
  await Promise.resolve();
  assertEquals(releases.length, 1);
  releases[0]!();
  await a;
  await Promise.resolve();
  await Promise.resolve();
  assertEquals([order.join(), releases.length], ["a", 2]);
  releases[1]!();
  await Promise.all([b, c]);
  assertEquals([order.join(), platform.syncs > 0], ["a,b,c", true]);
});

Deno.test("writer: 'write' needs no sync, and nothing resolves before earlier records are written", async () => {
  const { platform, writer } = makeWriter();
  publish(writer, ["0"]);
  await writer.reached("sync");
  const { syncs } = platform;
  publish(writer, ["a"]);
  assert(writer.tail.length > 0);
  await writer.reached("write");
  assertEquals([writer.tail.length, platform.syncs], [0, syncs]);
  assert(writer.unsyncedBytes > 0);
  await writer.reached("write");
  await writer.reached("sync");
  assertEquals([writer.unsyncedBytes, platform.syncs], [0, syncs + 1]);
});

Deno.test("writer: a group ends with what was durable when it was written", async () => {
  const { log, writer } = makeWriter();
  publish(writer, ["a"]);
  await writer.reached("sync");
  const end = log.active!.endBytes;
  publish(writer, ["b"]);
  await writer.reached("write");
  publish(writer, ["c"]);
  await writer.reached("write");
  // The second mark would say nothing new.
  assertEquals(contentsOf(log.active!), ["a", "b", end, "c"]);
});

Deno.test("writer: a mark says what has been synced, not what was merely written", async () => {
  const { platform, log, writer } = makeWriter();
  let release = () => {};
  platform.syncTurn = () => new Promise((resolve) => release = resolve);
  publish(writer, ["a"]);
  const synced = writer.reached("sync");
  await Promise.resolve();
  const end = log.active!.endBytes;
  publish(writer, ["b"]);
  await writer.reached("write");
  release();
  await synced;
  publish(writer, ["c"]);
  await writer.reached("write");
  assertEquals(contentsOf(log.active!), ["a", "b", "c", end]);
});

Deno.test("writer: pending records can be read, at the places where they will be", async () => {
  const { log, writer } = makeWriter();
  publish(writer, ["a"], "pending");
  const active = log.active!;
  const { endBytes } = active;
  const pending = new Uint8Array(24 + 1 + 7);
  assert(writer.readPending(active, endBytes, pending));
  await writer.reached("write");
  const written = new Uint8Array(32);
  assertEquals(writer.readPending(active, endBytes, written), false);
  assertEquals(readInto(active.handle, written, endBytes), 32);
  assertEquals(written, pending);
});

Deno.test("writer: a batch lies in one segment and says so; one that is too large gets a segment of its own", async () => {
  const { log, writer } = makeWriter();
  publish(writer, ["a"], "x".repeat(3000));
  publish(writer, ["b", "c", "d"], "x".repeat(600));
  await writer.reached("sync");
  assertEquals(contentsOf(log.segments.get(1)!), ["a"]);
  assertEquals(contentsOf(log.segments.get(2)!), ["b+", "c+", "d"]);
  publish(writer, ["e", "f"], "x".repeat(9000));
  publish(writer, ["g"]);
  await writer.reached("sync");
  assertEquals(contentsOf(log.segments.get(3)!), ["e+", "f"]);
  assertEquals(contentsOf(log.active!), ["g"]);
  assertEquals(readManifest(log.platform, "/s")!.segments.map(({ sealedBytes }) => sealedBytes > 0), [
    true,
    true,
    true,
    false,
  ]);
});

Deno.test("writer: a segment is synced before the next one gets a record, whatever the durability", async () => {
  const { platform, writer } = makeWriter();
  for (let i = 0; i < 10; i++) publish(writer, [`k${i}`], "x".repeat(1000));
  await writer.reached("write");
  const image = platform.image();
  const sealed = readManifest(image, "/s")!.segments.filter(({ sealedBytes }) => sealedBytes > 0);
  assertEquals(sealed.length, 3);
  for (const { number, sealedBytes } of sealed) {
    assertEquals(image.readFile(`/s/0000000${number}.seg`).length, sealedBytes);
  }
});

Deno.test("writer: a failed append takes back the whole group, youngest first, and only that", async () => {
  const { platform, log, writer, events } = makeWriter();
  publish(writer, ["before"]);
  await writer.reached("write");
  const flushed = writer.reached("sync");
  const { nextSequence } = log;
  failOn(platform, "write");
  publish(writer, ["a"]);
  const a = writer.reached("sync");
  publish(writer, ["b", "c"]);
  const b = writer.reached("write");
  events.length = 0;
  for (const rejected of [a, b]) assertEquals((await assertRejects(() => rejected, KvStoreError)).code, "IO");
  await flushed;
  assertEquals(events, ["-c", "-b", "-a"]);
  assertEquals(writer.tail.length, 0);
  platform.onOperation = undefined;
  const old = log.active!;
  publish(writer, ["after"]);
  await writer.reached("sync");
  assertEquals(contentsOf(old), ["before"]);
  assertEquals(contentsOf(log.active!), ["after"]);
  // Numbers of what was rejected may have been seen: they are not used again.
  assert(log.active!.lowestSequence >= nextSequence + 3);
  assertEquals(readManifest(platform, "/s")!.segments[0]!.sealedBytes, old.endBytes);
});

Deno.test("writer: after a part of a group was written, nothing is appended behind it", async () => {
  const { platform, log, writer } = makeWriter();
  publish(writer, ["before"]);
  await writer.reached("sync");
  let calls = 0;
  platform.onOperation = ({ kind }) => {
    if (kind !== "write") return;
    if (calls++ === 0) return 30;
    throw new Error("no write");
  };
  publish(writer, ["a", "b"]);
  await assertRejects(() => writer.reached("sync"), KvStoreError);
  platform.onOperation = undefined;
  const old = log.active!;
  assertEquals(old.handle.size(), old.endBytes + 30);
  publish(writer, ["c"]);
  await writer.reached("sync");
  assertEquals([log.active === old, contentsOf(old), contentsOf(log.active!)], [false, ["before"], ["c"]]);
});

Deno.test("writer: short writes are continued", async () => {
  const { platform, log, writer } = makeWriter();
  platform.onOperation = ({ kind }) => kind === "write" ? 7 : undefined;
  publish(writer, ["a", "b"]);
  await writer.reached("sync");
  assertEquals(contentsOf(log.active!), ["a+", "b"]);
});

Deno.test("writer: a failed sync fails everything queued, and nothing is written any more", async () => {
  const { platform, log, writer, events } = makeWriter();
  publish(writer, ["0"]);
  await writer.reached("sync");
  failOn(platform, "sync");
  publish(writer, ["a"]);
  const a = writer.reached("sync");
  await Promise.resolve();
  publish(writer, ["b"]);
  const b = writer.reached("sync");
  publish(writer, ["c"]);
  const c = writer.reached("write");
  for (const failed of [a, b, c]) {
    const { code } = await assertRejects(() => failed, KvStoreError);
    assert(code === "FAILED", code);
  }
  platform.onOperation = undefined;
  const writes = platform.operations.write;
  assertEquals(assertThrows(() => publish(writer, ["d"]), KvStoreError).code, "FAILED");
  assertEquals((await assertRejects(() => writer.reached("sync"), KvStoreError)).code, "FAILED");
  assertEquals(writer.write()?.code, "FAILED");
  assertEquals([platform.operations.write, writer.tail.length, log.failure?.code], [writes, 0, "FAILED"]);
  assert(events.at(-1)!.startsWith("-"));
});

Deno.test("writer: beyond the bound the calls themselves write", () => {
  const { platform, writer } = makeWriter(1 << 26);
  const value = new Uint8Array(1 << 20);
  for (let i = 0; i < 20; i++) {
    publish(writer, [`k${i}`], value);
    assert(writer.tail.length < 8 << 20);
  }
  assert(platform.operations.write >= 2);
});

Deno.test("writer: what is staged and taken back leaves no trace", async () => {
  const { log, writer, events } = makeWriter();
  publish(writer, ["a"]);
  const key = utf8("b");
  writer.tail.stage(KIND.set, 0, { bytes: key, start: 0, length: 1 }, "v");
  writer.tail.dropStaged();
  publish(writer, ["c"]);
  await writer.reached("sync");
  assertEquals([contentsOf(log.active!), events], [["a", "c"], ["+a", "+c", "written"]]);
});

Deno.test("writer: a sync that fails counts also where the look at the lock beside it failed", async () => {
  for (const failing of ["look", "look and sync"]) {
    const { platform, log, writer } = makeWriter();
    publish(writer, ["a"]);
    await writer.reached("sync");
    const checkLock = log.checkLock.bind(log);
    log.checkLock = () => {
      log.checkLock = checkLock;
      throw new KvStoreError("IO", "look at LOCK failed");
    };
    platform.onOperation = ({ kind }) => {
      if (kind === "sync" && failing === "look and sync") throw new Error("EIO");
    };
    publish(writer, ["b"]);
    assertEquals((await assertRejects(() => writer.reached("sync"), KvStoreError)).code, "IO");
    await nextTurn();
    platform.onOperation = undefined;
    assertEquals(log.failure?.code, failing === "look" ? undefined : "FAILED");
    await writer.close().catch(() => {});
    log.closeFiles();
  }
});
