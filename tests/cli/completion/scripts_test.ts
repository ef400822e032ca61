import { assertEquals, assertStringIncludes } from "@std/assert";
import { completionScript, SHELLS } from "../../../src/cli/completion/scripts.ts";
import { COMMANDS } from "../../../src/cli/command_table.ts";
import { canStartProcesses } from "../../support/permissions.ts";
import { cliTest, exists, lines } from "../support/shell.ts";

for (const shell of SHELLS) {
  Deno.test(`cli completions: the script for ${shell} names every command and option`, () => {
    const script = completionScript(shell, COMMANDS);
    for (const command of COMMANDS.filter(({ isHidden }) => !isHidden)) {
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

/** Keys of the store in the directory `here`, where a shell looks unless the line says otherwise. */
const KEYS = ["user:1", "user:2", "ada@x.org", "two words", "it's", "-5", "visits", "a=b"];

Deno.test({
  name: "cli completions: bash offers commands, options, their values, and keys quoted as it takes",
  ignore: !canStartProcesses || !installed("bash"),
  fn: async () => {
    // Within a word, a bar shows where bash takes it apart.
    const cases: [line: string, offered: string[]][] = [
      ["expo", ["export"]],
      ["--dir d repa", ["repair"]],
      ["set k --ty", ["--type"]],
      ["set k v --type j", ["json"]],
      ["set k v --type|=|j", ["json"]],
      ["completions ", ["bash", "zsh", "fish"]],
      ["list --re", ["--reverse"]],
      ["get --li", []],
      ["get -- --", []],
      ["complete", []],
      ["get user", ["user:1", "user:2"]],
      ["get user|:", ["1", "2"]],
      ["get user|:|1", ["1"]],
      ["get ada|@|x", ["@x.org"]],
      ["get a|=", ["b"]],
      ["get tw", ["two\\ words"]],
      ["get two\\ w", ["two\\ words"]],
      ["get 'two w", ["two words"]],
      ["get 'it", []],
      ['get "it', ["it's"]],
      ["get -- -", ["-5"]],
      ["get visits us", ["user:1", "user:2"]],
      ["rm visits us", ["user:1", "user:2"]],
      ["set us", ["user:1", "user:2"]],
      ["set k us", []],
      ["rename visits vi", ["visits"]],
      ["list vi", ["visits"]],
      ["--dir here get vi", ["visits"]],
      ["--dir|=|there get vi", []],
      ["--dir $there get vi", []],
      ["get --key-base64 vi", []],
    ];
    const calls = cases.map(([line]) => {
      const words = `kvstore ${line}`.split(/[ |](?!w)/).map((word) => `"${word.replace(/["\\$]/g, "\\$&")}"`);
      const whole = `kvstore ${line.replaceAll("|", "")}`.replace(/["\\$]/g, "\\$&");
      return `COMP_LINE="${whole}"; COMP_WORDS=(${words.join(" ")}); COMP_CWORD=${words.length - 1}
_kvstore; printf '%s\\n' "\${COMPREPLY[@]}"; echo .`;
    });
    const script = `${completionScript("bash", COMMANDS)}
COMP_WORDBREAKS=$' \\t\\n"\\'@><=;|&(:'
kvstore() {
  [[ "$1" != --dir || "$2" == here ]] || return
  local prefix="\${*: -1}" key
  for key in ${KEYS.map((key) => `"${key}"`).join(" ")}; do [[ "$key" == "$prefix"* ]] && echo "$key"; done
}
${calls.join("\n")}`;
    const { stdout } = await new Deno.Command("bash", { args: ["--norc", "-c", script] }).output();
    const found = new TextDecoder().decode(stdout).split(".\n").map((one) => one.split("\n").filter((word) => word));
    for (const [i, [line, offered]] of cases.entries()) assertEquals([line, found[i]], [line, offered]);
  },
});

Deno.test({
  name: "cli completions: fish offers commands, options, their values, and keys",
  ignore: !canStartProcesses || !installed("fish"),
  fn: async () => {
    const cases: [line: string, offered: string[]][] = [
      ["kvstore expo", ["export"]],
      ["kvstore list --re", ["--reverse"]],
      ["kvstore completions ", ["bash", "fish", "zsh"]],
      ["kvstore get us", ["user:1", "user:2"]],
      ["kvstore get 'two w", ["two words"]],
      ["kvstore get visits us", ["user:1", "user:2"]],
      ["kvstore set k us", []],
      ["kvstore --dir=there get vi", []],
      ["kvstore get --key-base64 vi", []],
    ];
    const script = `${completionScript("fish", COMMANDS)}
function kvstore
  string match -q -- '--dir*' $argv[1]; and test "$argv[1..2]" != '--dir here'; and return
  for key in ${KEYS.map((key) => `"${key}"`).join(" ")}; string match -- "$argv[-1]*" $key; end
end
${cases.map(([line]) => `complete -C "${line}"; echo .`).join("\n")}`;
    const { stdout } = await new Deno.Command("fish", { args: ["-c", script] }).output();
    const found = new TextDecoder().decode(stdout).split(".\n").map((one) => one.split("\n").filter((word) => word));
    for (const [i, [line, offered]] of cases.entries()) {
      assertEquals([line, found[i]?.map((word) => word.split("\t")[0])], [line, offered]);
    }
  },
});

cliTest("completions: keys for a shell, as they are; nothing, and no store, where there is none", async (shell) => {
  assertEquals(await shell.run(["complete-keys", "us"]), await shell.run(["complete-keys"]));
  assertEquals([exists(shell.dir), await shell.ok(["complete-keys"])], [false, ""]);
  const typed = [
    "set user:1 a",
    "set 'two words' b",
    "set $'a\\nb' c",
    "set '' d",
    "set --key-base64 /w== e",
    "set \u202e f",
  ];
  await shell.ok(["shell"], [...typed, "set -- -5 g"].join("\n"));
  const { out } = await shell.run(["shell"], "complete-keys\ncomplete-keys two\ncomplete-keys -- -");
  assertEquals(lines(out), ["-5", "two words", "user:1", "two words", "-5"]);
});

function installed(program: string): boolean {
  if (!canStartProcesses) return false;
  try {
    return new Deno.Command(program, { args: ["-c", "true"], stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}
