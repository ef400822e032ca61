import { assertEquals } from "@std/assert";
import { COMMANDS } from "../../../src/cli/command_table.ts";
import { completeLine } from "../../../src/cli/shell/completer.ts";

const KEYS = ["user:1", "user:2", "visits", "a b", "a\nb", "it's", "-5"];

/** What a line is completed to; asks for keys as a store would be asked. */
function complete(line: string) {
  return completeLine(line, COMMANDS, (prefix) => Promise.resolve(KEYS.filter((key) => key.startsWith(prefix))));
}

Deno.test("cli shell completer: commands, aliases and what ends the shell", async () => {
  assertEquals(await complete("ver"), [["verify "], "ver"]);
  assertEquals(await complete("  ls"), [["ls "], "ls"]);
  assertEquals(await complete("--json ex"), [["expire", "export", "exit"], "ex"]);
  assertEquals((await complete(""))[0].length > COMMANDS.length, true);
  assertEquals(await complete("help wa"), [["watch "], "wa"]);
  assertEquals(await complete("frob us"), [[], "us"]);
});

Deno.test("cli shell completer: options, of the command and of all, and their values", async () => {
  assertEquals(await complete("set k v --t"), [["--ttl", "--type"], "--t"]);
  assertEquals(await complete("set k v --type j"), [["json "], "j"]);
  assertEquals(await complete("list --r"), [["--reverse "], "--r"]);
  assertEquals(await complete("get --raw --js"), [["--json "], "--js"]);
  assertEquals(await complete("get -- --js"), [[], "--js"]);
  assertEquals(await complete("list --limit 1"), [[], "1"]);
  assertEquals(await complete("completions "), [["bash", "zsh", "fish"], ""]);
});

Deno.test("cli shell completer: keys where a key or prefix stands, quoted as it takes", async () => {
  assertEquals(await complete("get us"), [["user:1", "user:2"], "us"]);
  assertEquals(await complete("get 'us"), [["user:1", "user:2"], "'us"]);
  assertEquals(await complete("get v"), [["visits "], "v"]);
  assertEquals(await complete("ls v"), [["visits "], "v"]);
  assertEquals(await complete("get a"), [["'a b'", "$'a\\nb'"], "a"]);
  assertEquals(await complete("get 'a "), [["'a b' "], "'a "]);
  assertEquals(await complete("get a\\ "), [["'a b' "], "a\\ "]);
  assertEquals(await complete("get i"), [["'it'\\''s' "], "i"]);
  assertEquals(await complete("get -- -"), [["-5 "], "-"]);
  assertEquals(await complete("set v"), [["visits "], "v"]);
  assertEquals(await complete("set k v"), [[], "v"]);
  assertEquals(await complete("get visits us"), [["user:1", "user:2"], "us"]);
});

Deno.test("cli shell completer: no keys of this store for another one, or for base64", async () => {
  for (const line of ["--dir d get us", "get --dir=d us", "get --key-base64 us"]) {
    assertEquals(await complete(line), [[], "us"], line);
  }
});
