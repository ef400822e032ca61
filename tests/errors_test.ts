import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { asFsync, asIo, corrupt, ioError, KvStoreError } from "../src/errors.ts";

Deno.test("errors: one class, told apart by the code", () => {
  const error = new KvStoreError("CLOSED", "the store is closed");
  assert(error instanceof Error);
  assertEquals([error.name, error.code, error.message], ["KvStoreError", "CLOSED", "the store is closed"]);
  assertEquals(["cause" in error, error.file, error.offset, error.reason], [false, undefined, undefined, undefined]);
});

Deno.test("errors: damage says where and what", () => {
  const error = corrupt("00000001.seg", 0, "no segment header");
  assertEquals([error.code, error.file, error.offset, error.reason], [
    "CORRUPT",
    "00000001.seg",
    0,
    "no segment header",
  ]);
  assert(error.message.includes("00000001.seg") && error.message.includes("no segment header"));
});

Deno.test("errors: what the system throws becomes IO with the cause beneath, what is ours is passed on", () => {
  const cause = new Error("ENOSPC");
  const error = assertThrows(
    () =>
      asIo("write 1.seg", () => {
        throw cause;
      }),
    KvStoreError,
    "write 1.seg",
  );
  assertEquals(error.code, "IO");
  assertStrictEquals(error.cause, cause);
  assert(error.message.includes("ENOSPC"));
  const own = corrupt("f", 1, "bad");
  assertStrictEquals(ioError("read", own), own);
  assertEquals(ioError("read", "text").message, "cannot read: text");
  assertEquals(asIo("read", () => 5), 5);
});

Deno.test("errors: a promise that rejects is treated like a call that throws", async () => {
  const cause = new Error("EIO");
  for (const [as, code] of [[asIo, "IO"], [asFsync, "FAILED"]] as const) {
    const error = await as("1.seg", () => Promise.reject(cause)).catch((error: unknown) => error);
    assert(error instanceof KvStoreError, `${error}`);
    assertEquals([error.code, error.cause], [code, cause]);
    assertEquals(await as("1.seg", () => Promise.resolve(5)), 5);
  }
});

Deno.test("errors: a failed fsync is FAILED, whatever was thrown", () => {
  for (const cause of [new Error("EIO"), new KvStoreError("IO", "EIO"), "EIO"]) {
    const error = assertThrows(
      () =>
        asFsync("1.seg", () => {
          throw cause;
        }),
      KvStoreError,
      "EIO",
    );
    assertEquals([error.code, error.cause], ["FAILED", cause]);
  }
  assertEquals(asFsync("1.seg", () => 5), 5);
});
