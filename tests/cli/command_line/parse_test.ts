import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../src/cli/command_line/errors.ts";
import { parseCommandLine } from "../../../src/cli/command_line/parse.ts";
import { COMMANDS } from "../../../src/cli/command_table.ts";

function parse(...argv: string[]) {
  const { command, args, plainArgs, options } = parseCommandLine(argv, COMMANDS);
  return { command: command?.name, args, plainArgs, options: Object.fromEntries(options) };
}

function fails(argv: string[], message: string): void {
  assertThrows(() => parseCommandLine(argv, COMMANDS), UsageError, message);
}

Deno.test("cli parse: keys and values are taken as typed", () => {
  assertEquals(parse("set", "n", "007").args, ["n", "007"]);
  assertEquals(parse("set", "", "").args, ["", ""]);
  assertEquals(parse("set", "0x10", "1e3").args, ["0x10", "1e3"]);
  assertEquals(parse("set", "a=b", "c\nd").args, ["a=b", "c\nd"]);
  assertEquals(parse("set", "--", "-5", "").args, ["-5", ""]);
  assertEquals(parse("set", "k", "-").args, ["k", "-"]);
  assertEquals(parse("--", "set", "k", "--json").args, ["k", "--json"]);
});

Deno.test("cli parse: what stands behind -- is told apart from what does not", () => {
  assertEquals(parse("set", "k", "-").plainArgs, 2);
  assertEquals(parse("set", "k", "--", "-").plainArgs, 1);
  assertEquals(parse("set", "--", "k", "-").plainArgs, 0);
});

Deno.test("cli parse: options stand anywhere before --", () => {
  const expected = { command: "set", args: ["k", "v"], plainArgs: 2, options: { dir: "d", json: true as const } };
  assertEquals(parse("--dir", "d", "--json", "set", "k", "v"), expected);
  assertEquals(parse("set", "--dir=d", "k", "--json", "v"), expected);
  assertEquals(parse("set", "k", "v", "--json", "--dir", "d"), expected);
});

Deno.test("cli parse: a switch takes nothing from the word behind it", () => {
  assertEquals(parse("get", "--raw", "true").args, ["true"]);
  assertEquals(parse("set", "flag", "--quiet", "false").args, ["flag", "false"]);
  assertEquals(parse("get", "--json", "true", "--raw").options, { json: true, raw: true });
});

Deno.test("cli parse: values of options may begin with one dash, and be numbers", () => {
  assertEquals(parse("list", "--limit", "-1").options, { limit: "-1" });
  assertEquals(parse("list", "--limit", "05").options, { limit: "05" });
  assertEquals(parse("set", "k", "--file", "-").options, { file: "-" });
  assertEquals(parse("get", "k", "--dir=--odd").options, { dir: "--odd" });
});

Deno.test("cli parse: the last argument may be repeated where the table says so", () => {
  assertEquals(parse("get", "a", "b", "--", "-c").args, ["a", "b", "-c"]);
  assertEquals(parse("get", "a", "b", "--", "-c").plainArgs, 2);
});

Deno.test("cli parse: aliases name the same command", () => {
  for (const name of ["delete", "rm", "del"]) assertEquals(parse(name, "k").command, "delete");
  for (const name of ["list", "ls"]) assertEquals(parse(name).command, "list");
});

Deno.test("cli parse: wrong usage says what was wrong and what was wanted", () => {
  fails(["frobnicate"], 'no command "frobnicate"; wanted one of: set, get');
  fails(["ste", "k", "v"], 'no command "ste"; did you mean "set"?');
  fails(["exp"], 'no command "exp"; did you mean "expire" or "export"?');
  fails(["dell", "k"], 'no command "dell"; did you mean "del"?');
  fails(["KEYS"], 'no command "KEYS"; did you mean "list"?');
  fails(["set", "k", "v", "--frob=1"], "no option --frob; write keys");
  fails(["set", "k", "v", "--tll=1s"], "no option --tll; did you mean --ttl?");
  fails(["list", "--vales"], "no option --vales; did you mean --values?");
  fails(["frob", "--limt", "1"], "no option --limt; did you mean --limit?");
  fails(["get", "k", "--limt", "1"], "no option --limt; write keys");
  fails(["list", "-json"], "no option -json; did you mean --json?");
  fails(["set", "k", "-5"], "no option -5; write keys and values that begin with a dash after --");
  fails(["get", "k", "--_", "x"], "no option --_");
  fails(["get", "k", "--no-json"], "no option --no-json");
  fails(["get", "k", "--__proto__=1"], "no option --__proto__");
  fails(["get", "k", "--limit", "3"], "get has no option --limit");
  fails(["get", "k", "--json=true"], "--json takes no value");
  fails(["get", "k", "--dir"], "--dir needs a value: --dir DIR");
  fails(["get", "k", "--dir", ""], "--dir needs a value");
  fails(["get", "k", "--dir="], "--dir needs a value");
  fails(["get", "--dir", "--json", "k"], "--dir needs a value");
  fails(["get"], "get needs KEY");
  fails(["count", "a", "b"], 'but was given "b"');
});

Deno.test("cli parse: help and version need nothing else", () => {
  assertEquals(parse("--version").options, { version: true });
  assertEquals(parse("-h").options, { help: true });
  assertEquals(parse("set", "--help").command, "set");
});
