import { assertEquals, assertStringIncludes } from "@std/assert";
import { completionScript, SHELLS } from "../../../src/cli/command_line/completion_scripts.ts";
import { COMMANDS } from "../../../src/cli/command_table.ts";
import { canStartProcesses } from "../../support/permissions.ts";

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
      [["expo"], ["export"]],
      [["--dir", "d", "repa"], ["repair"]],
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
