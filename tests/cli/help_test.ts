import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { COMMANDS } from "../../src/cli/commands.ts";
import { completionScript, SHELLS } from "../../src/cli/completions.ts";
import { commandHelp, commandUsage, generalHelp } from "../../src/cli/help.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { VERSION } from "../../src/cli/version.ts";
import { canStartProcesses } from "../support/permissions.ts";

Deno.test("cli help: the version is the package's", () => {
  assertEquals(VERSION, config.version);
});

Deno.test("cli help: the commands of the contract are there", () => {
  const names = COMMANDS.flatMap((command) => [command.name, ...(command.aliases ?? [])]);
  const wanted =
    "set get delete rm del has list ls count import export stats compact backup verify repair log watch history completions help";
  for (const name of wanted.split(" ")) assert(names.includes(name), name);
  assertEquals(new Set(names).size, names.length);
});

Deno.test("cli help: every command has a description, its options and an example that it would accept", () => {
  const general = generalHelp(COMMANDS);
  for (const command of COMMANDS) {
    const help = commandHelp(command);
    assertStringIncludes(general, command.summary);
    assertStringIncludes(help, commandUsage(command));
    assertStringIncludes(help, command.description);
    for (const option of command.options) assertStringIncludes(help, `--${option.name}`);
    const [example] = command.example;
    assertStringIncludes(help, example!);
    const words = example!.replace(/ &&.*/, "").match(/"[^"]*"|[^\s"()<]+/g)!.map((word) => word.replaceAll('"', ""));
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

for (const shell of SHELLS) {
  Deno.test(`cli completions: the script for ${shell} names every command and option`, () => {
    const script = completionScript(shell, COMMANDS);
    for (const command of COMMANDS) {
      assertStringIncludes(script, command.name);
      for (const option of command.options) assertStringIncludes(script, option.name);
    }
  });

  Deno.test({
    name: `cli completions: ${shell} takes the script`,
    ignore: !canStartProcesses || !installed(shell),
    fn: async () => {
      const child = new Deno.Command(shell, { args: ["-n"], stdin: "piped", stderr: "piped" }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(completionScript(shell, COMMANDS)));
      await writer.close();
      const { code, stderr } = await child.output();
      assertEquals({ code, stderr: new TextDecoder().decode(stderr) }, { code: 0, stderr: "" });
    },
  });
}

Deno.test({
  name: "cli completions: bash offers commands, options and their values",
  ignore: !canStartProcesses || !installed("bash"),
  fn: async () => {
    const cases: [line: string[], offered: string[]][] = [
      [["ex"], ["export"]],
      [["--dir", "d", "re"], ["repair"]],
      [["set", "k", "--ty"], ["--type"]],
      [["set", "k", "v", "--type", "j"], ["json"]],
      [["completions", ""], ["bash", "zsh", "fish"]],
      [["list", "--re"], ["--reverse"]],
      [["get", "--li"], []],
      [["get", "--", "--"], []],
    ];
    for (const [words, offered] of cases) {
      const quoted = ["kvstore", ...words].map((word) => `'${word}'`).join(" ");
      const script = `${completionScript("bash", COMMANDS)}
COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _kvstore; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout } = await new Deno.Command("bash", { args: ["--norc", "-c", script] }).output();
      assertEquals(
        new TextDecoder().decode(stdout).split("\n").filter((word) => word !== ""),
        offered,
        words.join(" "),
      );
    }
  },
});

function installed(program: string): boolean {
  if (!canStartProcesses) return false;
  try {
    return new Deno.Command(program, { args: ["-c", "true"], stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}
