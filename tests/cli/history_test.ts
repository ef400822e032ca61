/** `history`: versions are listed and written back. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { cliTest, lines } from "./support/shell.ts";

cliTest("history lists the versions of a key, and --restore writes one back", async (shell) => {
  await shell.ok(["set", "k", "one"]);
  await shell.ok(["set", "k", "-"], Uint8Array.of(0, 255));
  await shell.ok(["delete", "k"]);
  const found = lines(await shell.ok(["history", "k", "--json"])).map((line) => JSON.parse(line));
  assertEquals(found.map(({ type, live, segment, value }) => [type, live, segment, value]), [
    ["delete", false, "00000001.seg", undefined],
    ["set", false, "00000001.seg", { base64: "AP8=" }],
    ["set", false, "00000001.seg", "one"],
  ]);
  const [, bytes, text] = found;
  assertEquals((await shell.run(["history", "k", "--restore", String(text.seq)])).code, 0);
  assertEquals(await shell.ok(["get", "k"]), "one\n");
  const restored = await shell.ok(["history", "k", "--restore", String(bytes.seq), "--json"]);
  assertEquals(JSON.parse(restored), { key: "k", restored: bytes.seq });
  assertEquals((await shell.run(["get", "k", "--raw"])).outBytes, Uint8Array.of(0, 255));
  const listed = lines(await shell.ok(["history", "k", "--limit", "2"]));
  assertEquals(listed.map((line) => /(set|delete) .*(live|stale) *(\S*)$/.exec(line)?.slice(1)), [
    ["set", "live", '{"base64":"AP8="}'],
    ["set", "stale", '"one"'],
  ]);
  await shell.ok(["set", "k", "x".repeat(50)]);
  assertEquals(
    lines(await shell.ok(["history", "k", "--limit", "1"]))[0]!.endsWith(`live   "${"x".repeat(38)}…`),
    true,
  );
  await shell.ok(["set", "--key-base64", "AP8=", "binary"]);
  assertStringIncludes(await shell.ok(["history", "--key-base64", "AP8="]), "live");

  const missing = await shell.run(["history", "nothing"]);
  assertEquals([missing.code, missing.out, missing.err], [1, "", "kvstore: key not found: nothing\n"]);
  const gone = await shell.run(["history", "k", "--restore", "99", "--json"]);
  assertEquals([gone.code, JSON.parse(gone.err).error.code], [1, "VERSION_NOT_FOUND"]);
  const both = ["history", "k", "--restore", "1", "--limit", "1"];
  for (const wrong of [["history"], ["history", "k", "--restore", "0"], ["history", "k", "--limit", "few"], both]) {
    assertEquals((await shell.run(wrong)).code, 2, wrong.join(" "));
  }
  assertEquals((await shell.run(["history", "k", "--dir", `${shell.root}/none`])).code, 3);
});
