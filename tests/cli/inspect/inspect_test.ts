import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { KvStore } from "../../../mod.ts";
import { cliTest, exists, lines } from "../support/shell.ts";

cliTest("inspect: draws a bar a segment and says what compaction would reclaim", async (shell) => {
  await shell.ok(["set", "a", "1"]);
  await shell.ok(["set", "a", "2"]);
  const { code, out, err } = await shell.run(["inspect"]);
  assertEquals(code, 0);
  assertMatch(out, /^Store .*1 key, 1 segment, \d+ B\n\n +1 {2}[█░▒·]+ /);
  assertStringIncludes(out, "kvstore compact would reclaim");
  assertStringIncludes(err, "kvstore inspect --html FILE");
  assertEquals((await shell.run(["inspect", "--quiet"])).err, "");
  for (const line of lines(out)) assert(line.length <= 80, line);
});

cliTest("inspect --json: figures of each segment", async (shell) => {
  await shell.ok(["set", "a", "1"]);
  const { segments, keys, compaction } = JSON.parse((await shell.run(["inspect", "--json"])).out);
  assertEquals([keys, segments.length, segments[0].bytes.live], [1, 1, 26]);
  assert(Array.isArray(compaction));
});

cliTest("inspect --html: writes a page, replaces one that is there, and says so in a line", async (shell) => {
  await shell.ok(["set", "<b>key</b>", "secret value"]);
  const file = shell.file("page.html", "what was here before");
  const { code, out, err } = await shell.run(["inspect", "--html", file]);
  assertEquals([code, out], [0, ""]);
  assertMatch(err, /^kvstore: drew 1 key in 1 segment to .*page\.html \(\d+ KiB\)\n$/);
  const page = Deno.readTextFileSync(file);
  assertStringIncludes(page, "\\u003cb\\u003ekey");
  assert(!page.includes("secret value") && !page.includes("what was here before"));
  assertEquals(Deno.statSync(file).mode! & 0o777, 0o600);
  await shell.run(["inspect", "--html", file, "--values"]);
  assertStringIncludes(Deno.readTextFileSync(file), "secret value");
  const printed = await shell.run(["inspect", "--html", "-"]);
  assertMatch(printed.out, /^<!doctype html>[\s\S]*<\/html>\n$/);
  assertEquals(printed.err, "");
});

cliTest("inspect --html: nothing in the directory of the store is ever written", async (shell) => {
  await shell.ok(["set", "a", "1"]);
  const names = [...Deno.readDirSync(shell.dir)].map(({ name }) => name).sort();
  Deno.symlinkSync(shell.dir, `${shell.root}/link`);
  const files = [
    ...names.map((name) => `${shell.dir}/${name}`),
    `${shell.dir}/new.html`,
    `${shell.root}/link/MANIFEST`,
  ];
  for (const file of files) {
    const { code, err } = await shell.run(["inspect", "--html", file]);
    assertEquals(code, 2, file);
    assertStringIncludes(err, "is in the directory of the store");
  }
  assertEquals([...Deno.readDirSync(shell.dir)].map(({ name }) => name).sort(), names);
  assertEquals(await shell.ok(["get", "a"]), "1\n");
});

cliTest("inspect: what cannot be done is said, with the status for it", async (shell) => {
  const none = await shell.run(["inspect"]);
  assertEquals(none.code, 3);
  assertStringIncludes(none.err, "there is no store");
  await shell.ok(["set", "a", "1"]);
  assertEquals((await shell.run(["inspect", "--values"])).code, 2);
  assertEquals((await shell.run(["inspect", "--html", `${shell.root}/absent/page.html`])).code, 3);
  assertEquals(exists(`${shell.root}/absent`), false);
});

cliTest("inspect: works beside a writer, sees what it wrote, and changes nothing", async (shell) => {
  const store = await KvStore.open(shell.dir);
  for (let i = 0; i < 100; i++) await store.set(`key ${i % 10}`, i);
  const { code, out } = await shell.run(["inspect", "--json"]);
  assertEquals(code, 0);
  assertEquals(JSON.parse(out).keys, 10);
  await store.set("more", 1);
  await store.close();
  assertEquals(JSON.parse((await shell.run(["inspect", "--json"])).out).keys, 11);
});

cliTest("inspect: a damaged store is drawn, with exit status 0 and the damage named", async (shell) => {
  await shell.ok(["set", "a", "a value to be damaged"]);
  const path = `${shell.dir}/00000001.seg`;
  const intact = Deno.readFileSync(path);
  for (const at of [20, 60, 85]) {
    const bytes = intact.slice();
    bytes[at]! ^= 1;
    Deno.writeFileSync(path, bytes);
    const { code, out } = await shell.run(["inspect"]);
    assertEquals(code, 0, `byte ${at}`);
    assertStringIncludes(out, "damaged: see kvstore verify");
  }
  Deno.writeFileSync(path, intact);
});
