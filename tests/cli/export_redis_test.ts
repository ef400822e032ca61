import { Buffer } from "node:buffer";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Key, KvStore, type Value } from "../../mod.ts";
import { parseCommands } from "../support/resp.ts";
import { cliTest, exists, lines } from "./support/shell.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const ALL_BYTES = new Uint8Array(0x100).map((_, i) => i);

/** Key, value, and the bytes that Redis is to get of the value. */
const ENTRIES: [key: Key, value: Value, sent: Uint8Array][] = [
  ["", "", utf8("")],
  [ALL_BYTES, ALL_BYTES.toReversed(), ALL_BYTES.toReversed()],
  ["a\r\nb", "$3\r\nSET\r\n", utf8("$3\r\nSET\r\n")],
  ["empty bytes", new Uint8Array(0), new Uint8Array(0)],
  ["grüße \u{1f600}", "\ufeff\u0000é\u{1f600}", utf8("\ufeff\u0000é\u{1f600}")],
  ["json", { a: [1.5, null, "é", "\ud800"] }, utf8('{"a":[1.5,null,"é","\\ud800"]}')],
  ["null", null, utf8("null")],
  ["number", 1e21, utf8("1e+21")],
  ["true", true, utf8("true")],
  ["wrapped", { base64: "AA==" }, utf8('{"base64":"AA=="}')],
  ["x".repeat(65_535), "long key", utf8("long key")],
  ["z", new Uint8Array(3_000_000).fill(13), new Uint8Array(3_000_000).fill(13)],
];

cliTest("export --format resp: a SET for each entry, every byte of key and value as it is", async (shell) => {
  const store = await KvStore.open(shell.dir);
  await Promise.all(ENTRIES.map(([key, value]) => store.set(key, value)));
  await store.set("gone", 1);
  await store.delete("gone");
  const keys = [...store.keys({ keys: "bytes" })] as Uint8Array[];
  await store.close();
  const sent = new Map(ENTRIES.map(([key, , bytes]) => [String(typeof key === "string" ? utf8(key) : key), bytes]));
  const wanted = keys.map((key) => [utf8("SET"), key, sent.get(String(key))!]);
  assertEquals(wanted.length, ENTRIES.length);

  const { code, outBytes, err } = await shell.run(["export", "--format", "resp"]);
  assertEquals([code, err], [0, ""]);
  assertSame(parseCommands(outBytes), wanted);
  const file = `${shell.root}/commands`;
  assertEquals((await shell.run(["export", file, "--format=resp"])).err, `kvstore: exported ${wanted.length} keys\n`);
  assertEquals(Deno.readFileSync(file), outBytes);
});

/** `assertEquals` would print megabytes. */
function assertSame(found: Uint8Array[][], wanted: Uint8Array[][]): void {
  assertEquals(found.length, wanted.length);
  for (const [i, words] of found.entries()) {
    assertEquals(words.length, wanted[i]!.length);
    for (const [j, word] of words.entries()) assert(Buffer.compare(word, wanted[i]![j]!) === 0, `${i}, word ${j}`);
  }
}

cliTest("export --format resp: nothing of an empty store; many entries in order", async (shell) => {
  await (await KvStore.open(shell.dir)).close();
  assertEquals(await shell.ok(["export", "--format", "resp"]), "");
  assertEquals((await shell.run(["export", "--format", "resp", `${shell.root}/f`])).err, "kvstore: exported 0 keys\n");
  const names = Array.from({ length: 30_000 }, (_, i) => `key ${String(i).padStart(5, "0")}`);
  await shell.ok(["import"], names.map((name) => `{"key":"${name}","value":"${name}!"}\n`).join(""));
  const commands = parseCommands((await shell.run(["export", "--format", "resp"])).outBytes);
  const texts = commands.map((words) => words.map((word) => new TextDecoder().decode(word)));
  assertEquals(texts, names.map((name) => ["SET", name, `${name}!`]));
});

cliTest("export --format: an unknown one is wrong usage, and ndjson is what it is without", async (shell) => {
  await shell.ok(["set", "k", "v"]);
  for (const format of ["RESP", "json", "nd"]) {
    const { code, out, err } = await shell.run(["export", "--format", format]);
    assertEquals([code, out], [2, ""]);
    assertStringIncludes(err, `--format is "${format}"; wanted ndjson or resp`);
    assertStringIncludes(err, "Usage: kvstore export");
  }
  assertEquals((await shell.run(["export", "--format"])).code, 2);
  assertEquals(await shell.ok(["export", "--format", "ndjson"]), '{"key":"k","value":"v"}\n');
});

cliTest("export --format resp: a string that has no UTF-8 ends it, named, and no file is left", async (shell) => {
  const store = await KvStore.open(shell.dir);
  await store.set("bad\n", "a \udfff b");
  await store.close();
  for (const args of [[], [`${shell.root}/file`]]) {
    const { code, out, err } = await shell.run(["export", "--format", "resp", ...args]);
    assertEquals([code, out, lines(err).length], [3, "", 1]);
    assertStringIncludes(err, "the value of bad\\n has a lone surrogate");
  }
  assert(!exists(`${shell.root}/file`));
  assertEquals([...Deno.readDirSync(shell.root)].map((entry) => entry.name), ["store"]);
});

cliTest("export --format resp: the moment of expiry goes along, and what has expired does not", async (shell) => {
  const store = await KvStore.open(shell.dir);
  const moment = Date.now() + 3_600_000;
  await store.set("stays", 1);
  await store.set("expires", "v", { expiresAt: moment });
  await store.set(new Uint8Array([0xff]), new Uint8Array([0]), { expiresAt: 2 ** 48 - 1 });
  await store.set("expired", 2, { expiresAt: 1 });
  await store.set("soon", 3, { ttl: 1 });
  while (store.has("soon")) await new Promise((resolve) => setTimeout(resolve, 2));
  await store.close();
  const { outBytes } = await shell.run(["export", "--format", "resp"]);
  const latin1 = new TextDecoder("latin1");
  assertEquals(parseCommands(outBytes).map((words) => words.map((word) => latin1.decode(word))), [
    ["SET", "expires", "v", "PXAT", String(moment)],
    ["SET", "stays", "1"],
    ["SET", "\xff", "\0", "PXAT", String(2 ** 48 - 1)],
  ]);
});
