/** What all commands have in common: usage, exit statuses, the directory. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../src/cli/command_table.ts";
import { cliTest, exists, lines } from "./support/shell.ts";

cliTest("no store: reading commands say so with status 3 and create none", async (shell) => {
  const reading = ["get k", "has k", "list", "count", "export", "stats", "verify", "log", `backup ${shell.root}/b`];
  for (const line of [...reading, "delete k", "compact", "repair", "repair --dry-run"]) {
    const { code, out, err } = await shell.run(line.split(" "));
    assertEquals([line, code, out, lines(err).length], [line, 3, "", 1]);
    assertStringIncludes(err, `kvstore: there is no store in ${shell.dir}`);
  }
  assert(!exists(shell.dir) && !exists(`${shell.root}/b`));
  assertEquals(JSON.parse((await shell.run(["list", "--json"])).err).error.code, "NOT_FOUND");
});

cliTest("wrong usage: status 2, the reason, the usage of that command; nothing is created", async (shell) => {
  const cases: [args: string[], reason: string, usage: string][] = [
    [[], "An embedded key-value store", "kvstore set greeting hello"],
    [["ste"], 'no command "ste"; did you mean "set"?', "Usage: kvstore [--dir DIR]"],
    [["set", "k"], "set needs a VALUE", "kvstore set KEY -"],
    [["set", "k", "v", "--file", "f"], "both VALUE", "kvstore set KEY --file FILE"],
    [["set", "k", "v", "--type", "xml"], '--type is "xml"; wanted string, json or bytes', "Usage: kvstore set"],
    [["set", "k", "{", "--type", "json"], "VALUE is not JSON", "Usage: kvstore set"],
    [["set", "k", "[".repeat(50_000), "--type", "json"], "VALUE is nested too deep", "Usage: kvstore set"],
    [["set", "k".repeat(65_536), "v"], "65536 bytes", "Usage: kvstore set"],
    [["get", "k", "--limit", "1"], "get has no option --limit", "Usage: kvstore get KEY"],
    [["get", "?", "--key-base64"], "wanted base64", "Usage: kvstore get"],
    [["list", "--limit", "many"], '--limit is "many"', "Usage: kvstore list [PREFIX]"],
    [["get", "k", "--wait", "soon"], '--wait is "soon"', "Usage: kvstore get"],
    [["log", "first"], 'SEGMENT is "first"', "Usage: kvstore log [SEGMENT]"],
    [["completions", "tcsh"], "wanted bash, zsh, fish", "Usage: kvstore completions"],
    [["backup"], "backup needs DEST", "Usage: kvstore backup DEST"],
  ];
  for (const [args, reason, usage] of cases) {
    const { code, out, err } = await shell.run(args);
    assertEquals([args, code, out], [args, 2, ""]);
    assertStringIncludes(lines(err)[0]!, reason);
    assertStringIncludes(err, usage);
  }
  assertEquals(JSON.parse((await shell.run(["get", "--json"])).err).error.code, "USAGE");
  assert(!exists(shell.dir));
});

cliTest("help, version and completions need no store", async (shell) => {
  assertMatch(await shell.ok(["--version"]), /^kvstore \d+\.\d+\.\d+\n$/);
  assertStringIncludes(await shell.ok(["--help"]), "Commands:");
  assertEquals(await shell.ok(["help", "ls"]), await shell.ok(["list", "--help"]));
  assertEquals(await shell.ok(["help"]), await shell.ok(["-h"]));
  for (const shellName of ["bash", "zsh", "fish"]) {
    assertStringIncludes(await shell.ok(["completions", shellName]), COMMANDS[0]!.name);
  }
  assert(!exists(shell.dir));
});

/**
 * Whoever followed the README, whose first command leaves `./kvstore-data` in the clone, saw this test fail: it ran the
 * command in the clone and expected no store there. Every test of the command now runs in a folder of its own.
 */
cliTest("the directory: --dir, else KVSTORE_DIR, else ./kvstore-data", async (shell) => {
  await shell.ok(["set", "where", "environment"]);
  await shell.ok(["--dir", `${shell.root}/other`, "set", "where", "option"]);
  assertEquals(await shell.ok(["get", "where"]), "environment\n");
  assertEquals(await shell.ok(["get", "where", `--dir=${shell.root}/other`]), "option\n");
  const unset = { KVSTORE_DIR: "" };
  const { err } = await shell.run(["get", "where"], "", unset);
  assertStringIncludes(err, "no store in ./kvstore-data");
  assertEquals((await shell.run(["set", "where", "default"], "", unset)).code, 0);
  assertEquals((await shell.run(["get", "where"], "", unset)).out, "default\n");
  assert(exists(`${shell.root}/kvstore-data/MANIFEST`));
});
