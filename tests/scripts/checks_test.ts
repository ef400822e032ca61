/** Every check of the gate must be able to fail, or it checks nothing. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { checkPublishList } from "../../scripts/checks/publish_list.ts";
import { checkTestFiles } from "../../scripts/checks/test_files.ts";
import type { Finding, SourceText } from "../../scripts/checks/source.ts";
import type { Limits } from "../../scripts/checks/sizes.ts";
import { canUseDisk } from "../support/permissions.ts";

/** Registers a test of checks that parse: the compiler reads the environment as soon as it is imported. */
function parsingTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, ignore: !canUseDisk });
}

async function importProblems(path: string, text: string): Promise<string[]> {
  const { checkImports } = await import("../../scripts/checks/imports.ts");
  return checkImports([{ path, text }]).map(({ line, message }) => `${line}: ${message}`);
}

/** File, text, and what is wrong with it: nothing where the last is empty. */
const importCases: [path: string, text: string, problem: string][] = [
  ["src/engine/a.ts", `import { b } from "./b.ts";\nimport { c } from "../platform/c.ts";`, ""],
  ["src/engine/a.ts", `\nimport { b } from "../store/b.ts";`, "2: engine imports src/store/b.ts"],
  ["src/engine/a.ts", `import type { B } from "../store.ts";`, "1: engine imports src/store.ts"],
  ["src/engine/a.ts", `export * from "../cli/b.ts";`, "1: engine imports src/cli/b.ts"],
  ["src/engine/a.ts", `const b = await import("../../mod.ts");`, "1: engine imports mod.ts"],
  ["src/engine/a.ts", `type B = import("../adapters/b.ts").B;`, "1: engine imports src/adapters/b.ts"],
  ["src/engine/a.ts", `import { corrupt } from "../errors.ts";`, ""],
  ["src/errors.ts", `import { b } from "./bytes.ts";`, ""],
  ["src/errors.ts", `import { b } from "./engine/b.ts";`, "1: base imports src/engine/b.ts"],
  ["src/platform/a.ts", `import { b } from "../engine/b.ts";`, "1: platform imports src/engine/b.ts"],
  ["src/platform/a.ts", `import fs from "node:fs";\nDeno.openSync("a");`, ""],
  ["src/store/a.ts", `import { b } from "../audit/b.ts";\nimport { c } from "../store.ts";`, ""],
  ["src/store/a.ts", `import fs from "node:fs";`, "1: store imports node:fs"],
  ["src/store/a.ts", `// Deno\nDeno.openSync("a");`, "2: only src/platform uses Deno"],
  ["src/store/a.ts", `import { parseArgs } from "@std/cli/parse-args";`, "1: store imports @std/cli/parse-args"],
  ["src/cli/a.ts", `import { parseArgs } from "@std/cli/parse-args";\nimport { KvStore } from "../../mod.ts";`, ""],
  ["src/cli/a.ts", `import { walk } from "@std/fs/walk";`, "1: cli imports @std/fs/walk"],
  ["src/cli/a.ts", `import { corrupt } from "../errors.ts";`, "1: cli imports src/errors.ts"],
  ["src/cli/a.ts", `if (import.meta.main) main();`, "1: import.meta"],
  ["src/adapters/level.ts", `import { a } from "abstract-level";\nimport { KvStore } from "../../mod.ts";`, ""],
  ["src/adapters/level_a.ts", `import { resolve } from "node:path";\nimport { a } from "abstract-level";`, ""],
  ["src/adapters/level.ts", `import type { Keyv } from "keyv";`, "1: adapters imports keyv"],
  ["src/adapters/keyv.ts", `import { a } from "abstract-level";`, "1: adapters imports abstract-level"],
  ["src/adapters/keyv.ts", `import type { Keyv } from "keyv";`, "1: adapters imports keyv"],
  ["src/adapters/keyv.ts", `import { KvStore } from "../store.ts";`, "1: adapters imports src/store.ts"],
  ["src/store/a.ts", `import { a } from "abstract-level";`, "1: store imports abstract-level"],
  ["src/store/a.ts", `import { a } from "../adapters/keyv.ts";`, "1: store imports src/adapters/keyv.ts"],
  ["mod.ts", `export { KvKeyv } from "./src/adapters/keyv.ts";`, "1: mod imports src/adapters/keyv.ts"],
  ["src/cli/a.ts", `import { a } from "./inspect/browser/a.ts";`, "1: cli imports src/cli/inspect/browser/a.ts"],
  ["src/cli/a.ts", `import uPlot from "uplot";`, "1: cli imports uplot"],
  ["src/cli/inspect/browser/a.ts", `import uPlot from "uplot";\nimport { b } from "../../format.ts";`, ""],
  ["src/cli/inspect/browser/a.ts", `import process from "node:process";`, "1: browser imports node:process"],
  ["src/cli/inspect/browser/a.ts", `import { KvStore } from "../../../../mod.ts";`, "1: browser imports mod.ts"],
  ["cli.ts", `import { KvStore } from "./src/store.ts";`, "1: cli imports src/store.ts"],
  ["mod.ts", `export { KvStore } from "./src/store.ts";\nexport { a } from "./src/errors.ts";`, ""],
  ["mod.ts", `export { a } from "./src/platform/a.ts";`, "1: mod imports src/platform/a.ts"],
  ["mod.ts", `export * from "./src/store.ts";\nconst a = 1;`, "2: mod.ts holds nothing but re-exports"],
  ["src/other/a.ts", `const a = 1;`, "1: src/other/ has no place"],
  ["tests/a.ts", `import { b } from "../src/store/b.ts";`, ""],
];

parsingTest("import directions: each wrong way is found, and no right one", async () => {
  for (const [path, text, problem] of importCases) {
    const found = await importProblems(path, text);
    assertEquals(found.length, problem === "" ? 0 : 1, `${path}: ${text}: ${found.join("; ")}`);
    assertStringIncludes(found.join(), problem);
  }
});

parsingTest("realms: instanceof with a class of the language is found, in src/ alone", async () => {
  const { checkRealms } = await import("../../scripts/checks/realms.ts");
  const text = `import { Own } from "./own.ts";
class Declared {}
export const a = thing instanceof Own || thing instanceof Declared;
export const b = thing instanceof Error;
`;
  const found = checkRealms(["src/store/a.ts", "tests/a.ts"].map((path) => ({ path, text })));
  assertEquals(found.map(({ path, line }) => `${path}:${line}`), ["src/store/a.ts:4"]);
  assertStringIncludes(found[0]!.message, "instanceof Error");
});

parsingTest("parsers: a comparison of what stands before `as` is found, one in parentheses is not", async () => {
  const { checkParsers } = await import("../../scripts/checks/parsers.ts");
  const text = `export const a = given as number >= 0;
export const b = (given as number) >= 0;
export const c = given satisfies number << 1;
export const d = given as number === 0;
`;
  const found = checkParsers(["src/store/a.ts", "tests/a.ts"].map((path) => ({ path, text })));
  assertEquals(found.map(({ path, line }) => `${path}:${line}`), ["src/store/a.ts:1", "src/store/a.ts:3"]);
});

/** Four lines of code: the string's blank line does not count, the one that looks like a comment does. */
const SHORT = `/**
 * Comment.
 */

const a = 1; // comment
/* comment */ const b = \`
  // in a string, and with a blank line

\`;
`;

async function sizeFindings(files: SourceText[], limits: Partial<Limits>): Promise<Finding[]> {
  const { checkSizes } = await import("../../scripts/checks/sizes.ts");
  return checkSizes(files, { folders: {}, file: 100, function: 100, exceptions: {}, ...limits });
}

parsingTest("sizes: comments and blank lines do not count", async () => {
  const { folderLines } = await import("../../scripts/checks/sizes.ts");
  const count = (path: string, text = SHORT) => folderLines([{ path, text }], "src/engine/");
  assertEquals(count("src/engine/a.ts"), 4);
  assertEquals(count("src/engine/a.ts", "// a\n\n/** b */\nexport function f() {\n  // c\n\n}\n"), 2);
  assertEquals(count("src/image/a.ts"), 0);
});

parsingTest("sizes: a file, a function and a folder that are too long are found", async () => {
  const text =
    "const a = 1;\n\nfunction long() {\n  a;\n  a;\n}\nconst short = () => {\n};\nclass C {\n  constructor() {\n}}\n";
  const files = [{ path: "src/engine/a.ts", text }];
  const found = async (limits: Partial<Limits>) =>
    (await sizeFindings(files, limits)).map(({ path, line, message }) => `${path}:${line}: ${message}`);
  assertEquals(await found({}), []);
  assertEquals(await found({ file: 9, folders: { "src/engine/": 9 } }), [
    "src/engine/a.ts:1: src/engine/a.ts has 10 lines of code, wanted are at most 9: split it",
    "src/engine/:1: src/engine/ has 10 lines of code, wanted are at most 9: make it simpler",
  ]);
  assertEquals(await found({ function: 3 }), [
    "src/engine/a.ts:3: src/engine/a.ts long has 4 lines of code, wanted are at most 3: split it",
  ]);
  assertEquals((await found({ function: 1 })).length, 3);
});

parsingTest("sizes: exceptions hold up to their own limit, and only while they are needed", async () => {
  const files = [{ path: "src/a.ts", text: "function f() {\n  1;\n}\n" }];
  const found = async (lines: number, limit: number) => {
    const exceptions = { "src/a.ts f": { lines, reason: "a test" } };
    return (await sizeFindings(files, { function: limit, exceptions })).map(({ message }) => message);
  };
  assertEquals(await found(3, 2), []);
  assertStringIncludes((await found(2, 1)).join(), "has 3 lines of code, wanted are at most 2");
  assertStringIncludes((await found(5, 3)).join(), "the exception for src/a.ts f is not needed");
});

Deno.test("publish list: what is unwanted, missing or left out is found", () => {
  const page = "src/cli/inspect/generated.ts";
  const rest = ["cli.ts", "deno.json", "README.md", "LICENSE", "CHANGELOG.md", page];
  const found = (include: string[], paths: string[], exclude: string[] = []) => {
    const list = { include: [...include, ...rest], exclude };
    return checkPublishList(list, [...paths, ...rest]).map(({ path, message }) => `${path}: ${message}`);
  };
  assertEquals(found(["mod.ts", "src/"], ["mod.ts", "src/a.ts", "tests/a_test.ts"]), []);
  assertStringIncludes(
    found(["mod.ts", "src/"], ["mod.ts", "src/a_test.ts"]).join(),
    "src/a_test.ts: would be published",
  );
  assertStringIncludes(found(["mod.ts", "tests"], ["mod.ts", "tests/help.ts"]).join(), "tests/help.ts: would be");
  assertStringIncludes(found(["mod.ts", "src/*.ts"], ["mod.ts"]).join(), "publish.include names src/*.ts");
  assertStringIncludes(found(["src"], ["mod.ts", "src/a.ts"]).join(), "publish.include leaves out mod.ts");
  const sources = ["mod.ts", "src/cli/inspect/browser/main.ts"];
  assertStringIncludes(found(["mod.ts", "src/"], sources).join(), "browser/main.ts: would be published");
  assertEquals(found(["mod.ts", "src/"], sources, ["src/cli/inspect/browser/"]), []);
  assertStringIncludes(found(["mod.ts"], ["mod.ts"], [page]).join(), `leaves out ${page}`);
  assertStringIncludes(found(["mod.ts"], ["mod.ts"], ["other/"]).join(), "publish.exclude names other/");
});

Deno.test("test files: what is no test is in support/, and tests are nowhere else than in tests/", () => {
  const found = (...paths: string[]) => checkTestFiles(paths.map((path) => ({ path }))).map(({ path }) => path);
  assertEquals(found("tests/a/b_test.ts", "tests/a/c_long.ts", "tests/a/main.ts", "tests/a/support/d.ts"), []);
  assertEquals(found("tests/contract/keys.ts", "tests/fuzz/corpus/bases.ts", "scripts/a.ts", "src/latest.ts"), []);
  const wrong = ["tests/a/b.ts", "tests/a/support/b_test.ts", "scripts/test.ts", "src/engine/a_test.ts"];
  assertEquals(found(...wrong), wrong);
});
