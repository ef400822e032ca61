/** `list` and `count`. */

import { assertEquals, assertStringIncludes } from "@std/assert";
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

cliTest("--match: patterns in list, count and export; a prefix stays a prefix, and a hint tells", async (shell) => {
  const typed = [
    "set user:1 a",
    "set user:2 b",
    "set 'user:*x' star",
    "set visits 7",
    "set --key-base64 dXNlcjr/ binary",
    "list --match user:*",
    "list --match '*s[!u]*' --values",
    "list --match *:? --reverse --limit 1 --json",
    "list --match user:? --limit 0",
    "count --match '*[2*]*'",
    "export --match '*1'",
    "list user:*",
    "list visit*",
    "count u?er --json",
    "list --match visit",
    "clear user* --yes",
    "count user: --match *",
    "list v* --quiet",
  ];
  const { out, err, code } = await shell.run(["shell"], typed.join("\n"));
  assertEquals(lines(out), [
    ...["user:*x", "user:1", "user:2", "base64:dXNlcjr/"],
    ...['user:*x\t"star"', 'user:1\t"a"', 'user:2\t"b"', 'base64:dXNlcjr/\t"binary"', 'visits\t"7"'],
    '{"base64":"dXNlcjr/"}',
    "2",
    '{"key":"user:1","value":"a"}',
    "user:*x",
    '{"count":0}',
  ]);
  assertEquals(lines(err).slice(0, 4), [
    "kvstore: no key begins with visit*; for keys like it: --match 'visit*'",
    "kvstore: no key begins with u?er; for keys like it: --match 'u?er'",
    "kvstore: deleted 0 keys",
    "kvstore: no key begins with user*; PREFIX is taken as it is, and patterns are not taken",
  ]);
  assertStringIncludes(err, "line 17: it takes PREFIX or --match, and was given both");
  assertEquals(code, 2);
});
