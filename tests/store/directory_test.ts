/** What may lie in the directory of a store, and what becomes of it. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { KvStore, KvStoreError } from "../../mod.ts";
import type { Manifest } from "../../src/engine/manifest.ts";
import { writeManifest } from "../../src/engine/manifest_file.ts";
import type { Lock } from "../../src/platform/types.ts";
import { destroyOn } from "../../src/store/destroy.ts";
import { newManifest, readManifest, takeLock } from "../../src/store/directory.ts";
import { isStoreFile } from "../../src/store/names.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";

/** A directory with these files. */
function directoryWith(...names: string[]): MemoryPlatform {
  const platform = new MemoryPlatform();
  platform.makeDirectory("/s");
  for (const name of names) platform.open(`/s/${name}`, "create").close();
  return platform;
}

async function formatOf(platform: MemoryPlatform, options = {}): Promise<string> {
  const error = await assertRejects(() => KvStore.openOn(platform, "/s", options), KvStoreError);
  assertEquals(error.code, "FORMAT", error.message);
  return error.message;
}

// A directory of LevelDB was opened as an empty store without a word, as it has no file named MANIFEST; our text then
// stood in its LOCK, and the application seemed to have lost everything. Now nothing is created among foreign files.
Deno.test("directory: one that holds another program's files and no store is refused, and left as it is", async () => {
  const level = directoryWith("CURRENT", "LOCK", "LOG", "MANIFEST-000002", "000003.log", "000005.ldb");
  const before = level.files();
  const message = await formatOf(level);
  for (const part of ["000003.log, 000005.ldb, CURRENT and 2 more", "LevelDB"]) assert(message.includes(part), message);
  assertEquals([level.files(), level.operations.lock, level.operations.write], [before, 0, 0]);
  assert((await formatOf(level, { recovery: "salvage" })).includes("LevelDB"));

  const other = await formatOf(directoryWith("package.json", ".git", "LOCK"));
  assert(other.includes("package.json. Give the store a directory of its own"), other);

  // There is no store for those that do not create one, whatever else there is.
  for (const options of [{ create: false }, { readOnly: true }]) {
    const error = await assertRejects(() => KvStore.openOn(level, "/s", options), KvStoreError);
    assertEquals(error.code, "NOT_FOUND");
  }
});

Deno.test("directory: a creation that was cut off, dot files and what systems leave keep no store from being made", async () => {
  const leftovers = ["LOCK", "MANIFEST.tmp", "MANIFEST.1f.tmp"];
  for (const names of [[], leftovers, [".DS_Store", ".gitignore", "lost+found"], [...leftovers, "Thumbs.db"]]) {
    const platform = directoryWith(...names);
    await (await KvStore.openOn(platform, "/s", {})).close();
    const again = await KvStore.openOn(platform, "/s", { create: false });
    await again.close();
  }
});

Deno.test("directory: a store that is there minds no files beside its own, nor does one without a MANIFEST", async () => {
  const platform = new MemoryPlatform();
  const store = await KvStore.openOn(platform, "/s", {});
  await store.set("a", 1);
  await store.close();
  platform.open("/s/README", "create").close();
  const again = await KvStore.openOn(platform, "/s", {});
  assertEquals(again.get("a"), 1);
  await again.close();
  platform.remove("/s/MANIFEST");
  const error = await assertRejects(() => KvStore.openOn(platform, "/s", {}), KvStoreError);
  assertEquals(error.code, "CORRUPT");
});

Deno.test("directory: a backup goes where a store could be made, but not among leftovers of one", async () => {
  const platform = new MemoryPlatform();
  const store = await KvStore.openOn(platform, "/s", {});
  await store.set("a", 1);
  for (
    const [name, isFine] of [["lost+found", true], [".DS_Store", true], ["LOCK", false], ["README", false]] as const
  ) {
    const target = `/${name} is there`;
    platform.makeDirectory(target);
    platform.open(`${target}/${name}`, "create").close();
    if (isFine) {
      await store.backup(target);
      const copy = await KvStore.openOn(platform, target, {});
      assertEquals(copy.get("a"), 1);
      await copy.close();
    } else {
      const error = await assertRejects(() => store.backup(target), KvStoreError, name);
      assertEquals(error.code, "IO");
    }
  }
  await store.close();
});

Deno.test("directory: every name that a store gives a file is known to be a store's", async () => {
  const platform = new MemoryPlatform();
  const seen = new Set<string>();
  platform.onOperation = ({ kind, path }) => {
    if (["open", "rename", "lock"].includes(kind) && path.startsWith("/s/")) seen.add(path.slice(3));
  };
  const store = await KvStore.openOn(platform, "/s", { segmentBytes: 4096 });
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 2000; i++) store.set(`key ${i}`, round);
    await store.compact();
  }
  await store.close();
  assert(["INDEX.tmp", "INDEX"].every((name) => seen.has(name)), [...seen].join());
  assert([...seen].some((name) => /^MANIFEST\.[0-9a-f]+\.tmp$/.test(name)), [...seen].join());
  assertEquals([...seen].filter((name) => !isStoreFile(name)), []);
});

// A writer looked at LOCK, then wrote and synced the next manifest, and then renamed it over that of a writer who had come
// meanwhile, with a lock that lies. The temporary file had one name for all, so it could also rename the other one's.
Deno.test("directory: whenever another writer takes a lock that lies, the former one replaces no MANIFEST that it has read", () => {
  const write = (platform: MemoryPlatform, lock: Lock, generation: number) =>
    writeManifest({ platform, directory: "/s", lock }, { ...newManifest(), generation });
  const generations = new Set<number>();
  // Before the `at`th operation of the former writer's replacement the next writer comes. It makes a replacement of its
  // own, and dies before the `end`th operation of that.
  for (let at = 1, isDone = false; !isDone; at++) {
    for (let end = 0; end < 12 && !isDone; end++) {
      const platform = new MemoryPlatform();
      platform.lockLies = true;
      platform.makeDirectory("/s");
      const former = takeLock(platform, "/s");
      write(platform, former, 1);
      let found: Manifest | undefined;
      const comeAndDie = () => {
        platform.onOperation = undefined;
        const next = takeLock(platform, "/s");
        let left = end;
        platform.onOperation = () => {
          if (left-- === 0) throw new Error("it is dead");
        };
        try {
          write(platform, next, 3);
        } catch {
          // It died.
        }
        platform.onOperation = undefined;
        found = readManifest(platform, "/s")!;
        generations.add(found.generation);
      };
      let count = 0;
      platform.onOperation = () => {
        if (++count === at) comeAndDie();
      };
      try {
        write(platform, former, 2);
      } catch {
        // The lock is lost, or its file is gone.
      }
      isDone = found === undefined;
      if (!isDone) assertEquals(readManifest(platform, "/s"), found, `${at}, ${end}`);
    }
  }
  assertEquals([...generations].sort(), [1, 2, 3]);
});

// It said that the LOCK file was replaced and another writer may be there, which sent people looking for one.
Deno.test("directory: where it was removed under an open store, the error of a write says so", async () => {
  const platform = new MemoryPlatform();
  const store = await KvStore.openOn(platform, "/s", {});
  await store.set("a", 1);
  for (const path of platform.files()) platform.remove(path);
  platform.removeDirectory("/s");
  for (const write of [() => store.clear(), () => store.set("b", 1)]) {
    const error = await assertRejects(write, KvStoreError, "the directory /s was removed");
    assertEquals(error.code, "FAILED");
  }
  await store.close().catch(() => {});

  const other = await KvStore.openOn(platform, "/t", {});
  platform.remove("/t/LOCK");
  await assertRejects(() => other.clear(), KvStoreError, "LOCK");
  await other.close().catch(() => {});
});

Deno.test("directory: destroying leaves what is not the store's, and nothing of the store", async () => {
  for (const [others, damage] of [[[], ""], [["README"], ""], [["README"], "/s/MANIFEST"]] as [string[], string][]) {
    const platform = new MemoryPlatform();
    const store = await KvStore.openOn(platform, "/s", { segmentBytes: 4096 });
    for (let i = 0; i < 300; i++) store.set(`key ${i}`, i);
    await store.flush();
    const error = assertThrows(() => destroyOn(platform, "/s"), KvStoreError);
    assertEquals(error.code, "LOCKED");
    await store.close();
    if (damage !== "") platform.remove(damage);
    for (const name of others) platform.open(`/s/${name}`, "create").close();
    assertEquals(destroyOn(platform, "/s"), true);
    assertEquals(platform.files(), others.map((name) => `/s/${name}`));
    assertEquals(platform.list("/"), others.length === 0 ? [] : ["s"]);
    assertEquals(destroyOn(platform, "/s"), false);
  }
});

Deno.test("directory: a destroy that a crash cuts off anywhere leaves a store, or none, and can be finished", async () => {
  const platform = new MemoryPlatform();
  const store = await KvStore.openOn(platform, "/s", { segmentBytes: 4096 });
  for (let i = 0; i < 300; i++) store.set(`key ${i}`, i);
  await store.close();
  const states: MemoryPlatform[] = [];
  platform.onOperation = ({ kind }) => {
    if (kind === "remove" || kind === "removeDirectory") states.push(platform.fork());
  };
  destroyOn(platform, "/s");
  assert(states.length > 4);
  for (const state of states) {
    const opened = await KvStore.openOn(state, "/s", { create: false }).catch((error) => error.code);
    if (opened instanceof KvStore) await opened.close();
    else assert(["CORRUPT", "NOT_FOUND"].includes(opened), opened);
    destroyOn(state, "/s");
    assertEquals(state.files().filter((path) => !path.endsWith("LOCK")), []);
  }
});

Deno.test("directory: where there is no store, destroying touches nothing", () => {
  const platform = directoryWith("CURRENT", "LOCK", "MANIFEST-000002");
  const before = platform.files();
  assertEquals([destroyOn(platform, "/s"), destroyOn(platform, "/none")], [false, false]);
  assertEquals([platform.files(), platform.list("/")], [before, ["s"]]);
});
