import { assertEquals } from "@std/assert";
import { closest } from "../../../src/cli/text/closest.ts";

Deno.test("cli closest: a letter wrong, missing, too many or swapped, and the beginning of a word", () => {
  const words = ["set", "get", "list", "export", "expire", "history"];
  const cases: [typed: string, meant: string[]][] = [
    ["ste", ["set"]],
    ["sett", ["set"]],
    ["st", ["set"]],
    ["git", ["get"]],
    ["lsit", ["list"]],
    ["exprot", ["export"]],
    ["hsitroy", ["history"]],
    ["hist", ["history"]],
    ["exp", ["export", "expire"]],
    ["xet", ["set", "get"]],
    ["frob", []],
    ["s", []],
    ["", []],
    ["constantinople", []],
  ];
  for (const [typed, meant] of cases) assertEquals(closest(typed, words), meant, typed);
});
