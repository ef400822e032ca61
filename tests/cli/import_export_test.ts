import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { cliTest, exists, lines, type Shell } from "./support/shell.ts";

cliTest("export, import, export: byte for byte, binary keys, surrogates and wrappers included", async (shell) => {
  const store = await KvStore.open(shell.dir);
  await store.set("string", "text");
  await store.set("lone \ufeff", "\ud800 and \udfff");
  await store.set(new Uint8Array([0xff, 0]), new Uint8Array([1, 2, 3]));
  await store.set(new TextEncoder().encode("bytes that are text"), "v");
  await store.set("", null);
  await store.set("wrapped", { base64: "AA==" });
  await store.set("twice", { json: { json: 1 } });
  await store.set("lines", "a\nb\r\n\u2028\u0000");
  await store.set("json", { "": [1.5, -0, true, { __proto__x: 1 }] });
  await store.set("large", "é".repeat(300_000));
  await store.set("deep", { json: JSON.parse("[".repeat(999) + "]".repeat(999)) });
  await store.close();

  const first = await shell.ok(["export"]);
  assertEquals(lines(first).length, 11);
  await shell.ok(["--dir", `${shell.root}/copy`, "import"], first);
  assertEquals(await shell.ok(["--dir", `${shell.root}/copy`, "export"]), first);
  const file = `${shell.root}/all.ndjson`;
  assertEquals((await shell.run(["export", file])).err, "kvstore: exported 11 keys\n");
  assertEquals(Deno.readTextFileSync(file), first);
  assertEquals(Deno.statSync(file).mode! & 0o777, 0o600);
  assertEquals((await shell.run(["import", file, "--dir", `${shell.root}/third`])).err, "kvstore: imported 11 lines\n");

  const before = await KvStore.open(shell.dir, { readOnly: true });
  const after = await KvStore.open(`${shell.root}/third`, { readOnly: true });
  assertEquals([...after], [...before]);
  await before.close();
  await after.close();
});

cliTest("export, import: every time of expiry, and what has expired by then is absent", async (shell) => {
  const store = await KvStore.open(shell.dir);
  await store.set("stays", 1);
  await store.set("a", "text", { expiresAt: 4_102_444_800_000 });
  await store.set(new Uint8Array([0xff]), new Uint8Array([1]), { expiresAt: Number.MAX_SAFE_INTEGER });
  await store.set("gone", 1, { expiresAt: 1 });
  await store.close();
  const exported = await shell.ok(["export"]);
  assertEquals(lines(exported), [
    '{"key":"a","value":"text","expiresAt":4102444800000}',
    '{"key":"stays","value":1}',
    '{"key":{"base64":"/w=="},"value":{"base64":"AQ=="},"expiresAt":9007199254740991}',
  ]);
  const past = '{"key":"old","value":1}\n{"key":"old","value":2,"expiresAt":5}\n';
  await shell.ok(["--dir", `${shell.root}/copy`, "import"], exported + past);
  assertEquals(await shell.ok(["--dir", `${shell.root}/copy`, "export"]), exported);
  // A line alone is a group alone, and written in another way.
  await shell.ok(["--dir", `${shell.root}/one`, "import"], lines(exported)[0]);
  assertEquals(await shell.ok(["--dir", `${shell.root}/one`, "export"]), `${lines(exported)[0]}\n`);
});

cliTest("import: acknowledges groups, skips empty lines, takes the last value of a key", async (shell) => {
  const input = Array.from({ length: 5000 }, (_, i) => `{"key":"k${i % 4000}","value":${i}}\n\n`).join("");
  const acknowledged = lines(await shell.ok(["import", "--json"], input)).map((line) => JSON.parse(line).acknowledged);
  assert(acknowledged.length > 1);
  assertEquals(acknowledged.at(-1), 10_000);
  assertEquals(acknowledged.toSorted((a, b) => a - b), acknowledged);
  assertEquals(await shell.ok(["count"]), "4000\n");
  assertEquals(await shell.ok(["get", "k3"]), "4003\n");
  await shell.ok(["import"], '\ufeff{"key":"bom","value":1}\r\n \n{"key":"no line feed","value":2}');
  assertEquals(await shell.ok(["count"]), "4002\n");
  await shell.ok(["import"], "");
});

cliTest("import: a bad line is named, what stands before it is stored, what follows is not", async (shell) => {
  const bad: [line: string | Uint8Array, reason: string][] = [
    ["nonsense", "not JSON"],
    ['{"key":"k"}', 'no "value"'],
    [new Uint8Array([0xff]), "not UTF-8"],
    [`{"key":"k","value":${"[".repeat(8_000_000)}`, "nested too deep"],
    [`{"key":"k","value":${"[".repeat(1001)}${"]".repeat(1001)}}`, "nested too deep"],
  ];
  for (const [line, reason] of bad) {
    const bytes = typeof line === "string" ? new TextEncoder().encode(line) : line;
    const [head, tail] = ['{"key":"a","value":1}\n\n', '\n{"key":"z","value":1}\n'].map((t) =>
      new TextEncoder().encode(t)
    );
    const { code, err } = await shell.run(["import"], new Uint8Array([...head!, ...bytes, ...tail!]));
    assertEquals([code, lines(err).length], [3, 1]);
    assertStringIncludes(err, "line 3: ");
    assertStringIncludes(err, reason);
    assertEquals(await shell.ok(["list"]), "a\n");
  }
  const noFile = await shell.run(["import", `${shell.root}/absent`]);
  assertEquals([noFile.code, lines(noFile.err).length], [3, 1]);
});

cliTest("export FILE: replaces a file when complete, through a link, and leaves nothing behind", async (shell) => {
  await shell.ok(["set", "k", "v"]);
  const file = shell.file("old", "old");
  Deno.symlinkSync(file, `${shell.root}/link`);
  await shell.ok(["export", `${shell.root}/link`]);
  assertEquals(Deno.readTextFileSync(file), '{"key":"k","value":"v"}\n');
  assert(Deno.lstatSync(`${shell.root}/link`).isSymlink);
  // Symptom: `export /dev/stdout` replaced the device's link by a file. Cause: the pipe behind it has no path to
  // resolve, which was taken for a file that is not there yet. Fix: only what is a file, or nothing, is replaced.
  const pipe = `${shell.root}/pipe`;
  await new Deno.Command("mkfifo", { args: [pipe] }).output();
  Deno.symlinkSync("/proc/self/fd/1", `${shell.root}/out`);
  const [read] = await Promise.all([Deno.readTextFile(pipe), shell.ok(["export", pipe])]);
  assertEquals(read, '{"key":"k","value":"v"}\n');
  assertEquals(await shell.ok(["export", `${shell.root}/out`]), '{"key":"k","value":"v"}\n');
  const refused = await shell.run(["export", `${shell.root}/absent/file`]);
  assertEquals([refused.code, lines(refused.err).length], [3, 1]);
  assertEquals([...Deno.readDirSync(shell.root)].map((entry) => entry.name).sort(), [
    "link",
    "old",
    "out",
    "pipe",
    "store",
  ]);
  assert(!exists(`${shell.root}/absent`));
});

/** Starts an import, writes a line, and once that is acknowledged more text, sends SIGTERM and returns how long it took. */
async function terminated(shell: Shell, { text, afterMs }: { text: string; afterMs: number }): Promise<number> {
  const child = shell.start(["import", "--json"]);
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode('{"key":"a","value":1}\n'));
  const out = child.stdout.getReader();
  assertEquals(new TextDecoder().decode((await out.read()).value), '{"acknowledged":1}\n');
  await writer.write(new TextEncoder().encode(text));
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  const begun = Date.now();
  child.kill("SIGTERM");
  assertEquals((await child.status).code, 143);
  const took = Date.now() - begun;
  await Promise.all([out.cancel(), child.stderr.cancel(), writer.close().catch(() => {})]);
  assertEquals(await shell.ok(["get", "a"]), "1\n");
  return took;
}

cliTest("import: a signal ends it while a long line is read, and while one is parsed", async (shell) => {
  const reading = await terminated(shell, { text: "[".repeat(8_000_000), afterMs: 0 });
  assert(reading < 2000, `${reading} ms`);
  // A value of many parts takes seconds to parse.
  const text = `{"key":"k","value":[${"[],".repeat(8_000_000)}1]}\n`;
  const parsing = await terminated(shell, { text, afterMs: 1500 });
  assert(parsing < 2000, `${parsing} ms`);
});
