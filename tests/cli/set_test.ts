/** `set`, and `get` of what it has set. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { cliTest, lines } from "./support/shell.ts";

cliTest("set and get: a string, a number that stays text, an empty value, a value with a dash", async (shell) => {
  assertEquals(await shell.run(["set", "greeting", "hello world"]), await shell.run(["set", "n", "007"]));
  assertEquals(await shell.ok(["get", "greeting"]), "hello world\n");
  assertEquals(await shell.ok(["get", "n", "--json"]), '{"key":"n","value":"007"}\n');
  await shell.ok(["set", "--", "-5", ""]);
  assertEquals(await shell.ok(["get", "--", "-5"]), "\n");
  await shell.ok(["set", "", "empty key"]);
  assertEquals(await shell.ok(["get", "", "--raw"]), "empty key");
  await shell.ok(["set", "dash", "--", "-"]);
  assertEquals(await shell.ok(["get", "dash"]), "-\n");
});

cliTest("set: bytes from standard input and from a file, and other types of them", async (shell) => {
  const bytes = new Uint8Array([0, 255, 10, 13, 10, 239, 187, 191]);
  await shell.ok(["set", "stdin", "-"], bytes);
  assertEquals((await shell.run(["get", "stdin", "--raw"])).outBytes, bytes);
  assertEquals((await shell.run(["get", "stdin"])).outBytes, new Uint8Array([...bytes, 10]));
  await shell.ok(["--file", shell.file("value", bytes), "set", "file"]);
  assertEquals((await shell.run(["get", "file", "--raw"])).outBytes, bytes);

  assertEquals(
    await shell.ok(["set", "text", "-", "--type", "string", "--json"], "\ufeffä\n"),
    '{"key":"text","type":"string","bytes":6}\n',
  );
  assertEquals(await shell.ok(["get", "text", "--json"]), '{"key":"text","value":"\\ufeffä\\n"}\n');
  await shell.ok(["set", "json", "--type=json", ' {"a" : [1, null]} ']);
  assertEquals(await shell.ok(["get", "json"]), '{"a":[1,null]}\n');
  assertEquals(await shell.ok(["get", "json", "--raw"]), '{"a":[1,null]}');
  await shell.ok(["set", "arg", "é", "--type", "bytes"]);
  assertEquals(await shell.ok(["get", "arg", "--json"]), '{"key":"arg","value":{"base64":"w6k="}}\n');

  const noText = await shell.run(["set", "x", "-", "--type", "string"], bytes);
  assertEquals([noText.code, noText.err.includes("not UTF-8")], [3, true]);
  const noJson = await shell.run(["set", "x", "-", "--type", "json"], "{");
  assertEquals([noJson.code, noJson.err.includes("standard input is not JSON")], [3, true]);
  const noFile = await shell.run(["set", "x", "--file", `${shell.root}/absent`]);
  assertEquals([noFile.code, lines(noFile.err).length], [3, 1]);
  assertEquals((await shell.run(["has", "x"])).code, 1);
});

cliTest("set --ttl: the key is gone in time; a duration wants a unit", async (shell) => {
  const before = Date.now();
  const printed = JSON.parse(await shell.ok(["set", "code", "4711", "--ttl", "10m", "--json"]));
  const { expiresAt } = printed;
  assertEquals(printed, { key: "code", type: "string", bytes: 4, expiresAt });
  assert(expiresAt >= before + 600_000 && expiresAt <= Date.now() + 600_000);
  const line = `{"key":"code","value":"4711","expiresAt":${expiresAt}}\n`;
  assertEquals(await shell.ok(["get", "code", "--json"]), line);
  assertEquals(await shell.ok(["list", "--values", "--json"]), line);
  assertEquals(await shell.ok(["get", "code"]), "4711\n");
  await shell.ok(["set", "gone", "soon", "--ttl", "1ms"]);
  assertEquals([(await shell.run(["get", "gone"])).code, (await shell.run(["has", "gone"])).code], [1, 1]);
  assertEquals([await shell.ok(["count"]), await shell.ok(["list"])], ["1\n", "code\n"]);
  await shell.ok(["set", "code", "4712"]);
  assertEquals(await shell.ok(["get", "code", "--json"]), '{"key":"code","value":"4712"}\n');
  for (const duration of ["10", "0s", "-1s", "1.s", "1 h", "1w", "m", "1e9d", "52124996d", "9".repeat(20) + "d"]) {
    const { code, err } = await shell.run(["set", "code", "x", `--ttl=${duration}`]);
    assertEquals(code, 2, duration);
    assertStringIncludes(err, `--ttl is "${duration}"`);
    assertStringIncludes(err, "Usage: kvstore set");
  }
  const log = lines(await shell.ok(["log", "--json"])).map((one) => JSON.parse(one));
  const states = log.filter(({ kind }) => kind === "set").map(({ key, state }) => `${key} ${state}`);
  assertEquals(states, ["code stale", "gone expired", "code live"]);
  assertStringIncludes(await shell.ok(["log"]), `until ${new Date(expiresAt).toISOString()}`);
  assertEquals((await shell.run(["delete", "gone"])).code, 1);
});
