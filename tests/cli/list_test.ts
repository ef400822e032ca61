/** `list` and `count`. */

import { assertEquals } from "@std/assert";
import { cliTest, lines } from "./support/shell.ts";

cliTest("list and count: order, prefix, limit, reverse, values, escapes", async (shell) => {
  const keys = ["b", "a\nb", "user:1", "user:2", "\u{10000}", "\uffff"];
  for (const key of keys) await shell.ok(["set", key, `${key}!`]);
  await shell.ok(["set", "/w==", "binary", "--key-base64"]);
  assertEquals(lines(await shell.ok(["list"])), [
    "a\\nb",
    "b",
    "user:1",
    "user:2",
    "\uffff",
    "\u{10000}",
    "base64:/w==",
  ]);
  assertEquals(lines(await shell.ok(["ls", "user:", "--reverse"])), ["user:2", "user:1"]);
  assertEquals(lines(await shell.ok(["--limit", "1", "list", "user:", "--values"])), ['user:1\t"user:1!"']);
  assertEquals(await shell.ok(["list", "--limit", "0"]), "");
  assertEquals(await shell.ok(["list", "/w==", "--key-base64", "--json"]), '{"base64":"/w=="}\n');
  assertEquals(await shell.ok(["list", "b", "--values", "--json"]), '{"key":"b","value":"b!"}\n');
  assertEquals(await shell.ok(["count"]), "7\n");
  assertEquals(await shell.ok(["count", "user:", "--json"]), '{"count":2}\n');
  assertEquals(await shell.ok(["get", "--key-base64", "/w=="]), "binary\n");
});
