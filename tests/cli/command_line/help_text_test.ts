import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { commandHelp, commandUsage, generalHelp } from "../../../src/cli/command_line/help_text.ts";
import { parseCommandLine } from "../../../src/cli/command_line/parse.ts";
import { COMMANDS } from "../../../src/cli/command_table.ts";
import { VERSION } from "../../../src/cli/version.ts";
import config from "../../../deno.json" with { type: "json" };

Deno.test("cli help: the version is the package's", () => {
  assertEquals(VERSION, config.version);
});

Deno.test("cli help: the commands of the contract are there", () => {
  const names = COMMANDS.flatMap((command) => [command.name, ...(command.aliases ?? [])]);
  const wanted =
    "set get delete rm del has list ls count import export stats compact backup restore verify repair log watch history ttl expire persist incr rename clear shell completions help";
  for (const name of wanted.split(" ")) assert(names.includes(name), name);
  assertEquals(new Set(names).size, names.length);
});

Deno.test("cli help: every command has a description, its options and an example that it would accept", () => {
  const general = generalHelp(COMMANDS);
  for (const command of COMMANDS) {
    const help = commandHelp(command);
    assertEquals(general.includes(command.summary), !command.isHidden);
    assertStringIncludes(help, commandUsage(command));
    assertStringIncludes(help, command.description);
    for (const option of command.options) assertStringIncludes(help, `--${option.name}`);
    const [example] = command.example;
    assertStringIncludes(help, example!);
    const words = example!.replace(/ (&&|>).*/, "").match(/"[^"]*"|[^\s"()<]+/g)!.map((word) =>
      word.replaceAll('"', "")
    );
    const argv = words.slice(words.indexOf("kvstore") + 1);
    assertEquals(parseCommandLine(argv, COMMANDS).command?.name, command.name);
  }
});

Deno.test("cli help: no line is wider than a wide terminal", () => {
  for (const text of [generalHelp(COMMANDS), ...COMMANDS.map(commandHelp)]) {
    for (const line of text.split("\n")) assert(line.length <= 115, line);
  }
});

Deno.test("cli help: the same option is of one kind in every command", () => {
  const kinds = new Map<string, boolean>();
  for (const option of COMMANDS.flatMap((command) => command.options)) {
    const valued = option.value !== undefined;
    assertEquals(kinds.get(option.name) ?? valued, valued, option.name);
    kinds.set(option.name, valued);
  }
});
