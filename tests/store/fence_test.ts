/** Writers whose lock lies, on the simulated disk: what a former one may still do to the store of the next. */

import { assertEquals, assertRejects } from "@std/assert";
import { KvStore, KvStoreError } from "../../mod.ts";
import { openWriter } from "../../src/engine/open.ts";
import type { Log } from "../../src/engine/log.ts";
import { destroyOn } from "../../src/store/destroy.ts";
import { manifestOf, takeLock } from "../../src/store/directory.ts";
import { OPENING } from "../../src/store/opening.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";

async function platformWithStore(): Promise<MemoryPlatform> {
  const platform = new MemoryPlatform();
  platform.lockLies = true;
  const store = await KvStore.openOn(platform, "/s", {});
  await store.set("a", "first");
  await store.close();
  return platform;
}

/** Calls `action` before the first operation of a kind on a file. */
function before(platform: MemoryPlatform, kind: string, path: string, action: () => void): void {
  platform.onOperation = (operation) => {
    if (operation.kind !== kind || !operation.path.startsWith(path)) return;
    platform.onOperation = undefined;
    action();
  };
}

/** Another writer, all of whose calls are synchronous. */
function writerOn(platform: MemoryPlatform): Log {
  const lock = takeLock(platform, "/s");
  return openWriter({ platform, directory: "/s", lock }, manifestOf(platform, "/s"), OPENING).log;
}

// A writer had taken the lock, and then another one, which created a segment. The first one read the MANIFEST of the
// second, found the segment neither listed nor younger, and removed it, just before the second one listed it.
Deno.test("fence: a writer that has lost the lock before it read MANIFEST removes no segment of the next one", async () => {
  const platform = await platformWithStore();
  let log: Log | undefined;
  before(platform, "open", "/s/MANIFEST", () => {
    const next = log = writerOn(platform);
    next.replaceManifest({ clean: false });
    const segment = next.createSegment();
    setTimeout(() => next.continueIn(segment), 0);
  });
  const error = await assertRejects(() => KvStore.openOn(platform, "/s", {}), KvStoreError);
  assertEquals(error.code, "FAILED");
  await new Promise((resolve) => setTimeout(resolve, 1));
  log!.closeFiles();
  const store = await KvStore.openOn(platform, "/s", {});
  assertEquals(store.get("a"), "first");
  await store.close();
});

// It reported the missing file of a segment, as if the store were damaged.
Deno.test("fence: an open that another writer overtakes is FAILED, whatever it finds", async () => {
  const platform = await platformWithStore();
  const manifest = platform.readFile("/s/MANIFEST");
  before(platform, "open", "/s/MANIFEST", () => {
    takeLock(platform, "/s");
    platform.writeFile("/s/MANIFEST", manifest.slice(1));
  });
  const error = await assertRejects(() => KvStore.openOn(platform, "/s", {}), KvStoreError);
  assertEquals(error.code, "FAILED");
});

Deno.test("fence: of a manifest that is being written, a former holder of the lock removes nothing", async () => {
  const platform = await platformWithStore();
  before(platform, "list", "/s", () => {
    const log = writerOn(platform);
    log.closeFiles();
    platform.open("/s/MANIFEST.abc.tmp", "create").close();
  });
  let error: unknown;
  try {
    takeLock(platform, "/s");
  } catch (thrown) {
    error = thrown;
  }
  assertEquals((error as KvStoreError | undefined)?.code, "FAILED");
  assertEquals(platform.files().includes("/s/MANIFEST.abc.tmp"), true);
});

Deno.test("fence: a destroy that loses the lock removes nothing more", async () => {
  const platform = await platformWithStore();
  let files: string[] = [];
  before(platform, "remove", "/s/0", () => {
    takeLock(platform, "/s");
    files = platform.files();
  });
  let error: unknown;
  try {
    destroyOn(platform, "/s");
  } catch (thrown) {
    error = thrown;
  }
  assertEquals((error as KvStoreError | undefined)?.code, "FAILED");
  // The one that it had looked for is gone.
  assertEquals(platform.files().length, files.length - 1);
});
