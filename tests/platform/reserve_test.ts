import { assertEquals, assertThrows } from "@std/assert";
import { Reserve, RESERVE_NAME } from "../../src/platform/reserve.ts";
import type { FileHandle, OpenMode } from "../../src/platform/types.ts";
import { MemoryPlatform, MemoryPlatformError } from "../support/memory_platform.ts";

/** A disk whose reserve claims to be larger than any. */
class ForgedReserve extends MemoryPlatform {
  override open(path: string, mode: OpenMode): FileHandle {
    const handle = super.open(path, mode);
    if (path.endsWith(RESERVE_NAME)) handle.size = () => 2 ** 50;
    return handle;
  }
}

Deno.test("reserve: a file that is larger than any reserve asks for no memory, and is replaced", () => {
  const platform = new ForgedReserve();
  platform.makeDirectory("/data");
  platform.open(`/data/${RESERVE_NAME}`, "create").close();
  const reserve = new Reserve(platform, "/data");
  reserve.find();
  const full = () => {
    throw new MemoryPlatformError("ENOSPC", "no room");
  };
  assertThrows(() => reserve.lend(0, full), MemoryPlatformError, "no room");
  reserve.restore(100);
  assertEquals(platform.readFile(`/data/${RESERVE_NAME}`).length, 128 * 1024);
});
