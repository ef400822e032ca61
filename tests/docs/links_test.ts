/**
 * What the documents name is there: files and headings behind links, tasks and files in commands.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { dirname, join, normalize } from "node:path";
import config from "../../deno.json" with { type: "json" };
import { listFiles, ROOT } from "../../scripts/repository.ts";
import { canStartProcesses } from "../support/permissions.ts";
import { blocksOf } from "./support/blocks.ts";

interface Document {
  path: string;
  text: string;
}

/** All documents, and all paths of the repository, its folders among them. */
async function repository(): Promise<{ documents: Document[]; paths: Set<string> }> {
  const files = await listFiles(ROOT);
  const paths = new Set<string>();
  for (const file of files) for (let path = file; path !== "."; path = dirname(path)) paths.add(path);
  const documents = files.filter((path) => path.endsWith(".md"))
    .map((path) => ({ path, text: Deno.readTextFileSync(join(ROOT, path)) }));
  return { documents, paths };
}

/** What may stand behind `#`, as GitHub makes it of headings. */
function anchorsOf(markdown: string): Set<string> {
  const headings = withoutBlocks(markdown).matchAll(/^#+ (.*)$/gm);
  return new Set(Array.from(headings, ([, heading]) => {
    return heading!.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
  }));
}

function withoutBlocks(markdown: string): string {
  return markdown.replaceAll(/^```[^]*?^```$/gm, "");
}

/** Links that lead nowhere within the repository. */
function brokenLinks({ path, text }: Document, documents: Document[], paths: Set<string>): string[] {
  const links = Array.from(withoutBlocks(text).matchAll(/\]\(([^)\s]+)\)/g), ([, link]) => link!);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [file = "", anchor] = link.split("#");
    const target = file === "" ? path : normalize(join(dirname(path), file)).replace(/\/$/, "");
    if (!paths.has(target)) return true;
    if (anchor === undefined) return false;
    const document = documents.find((one) => one.path === target);
    return document === undefined || !anchorsOf(document.text).has(anchor);
  });
}

/** Tasks and files in commands for `deno` that are not there. */
function missingInCommands({ path, text }: Document, paths: Set<string>): string[] {
  const tasks = Array.from(text.matchAll(/deno(?:@[\d.]+)? task ([a-z]+(?::[a-z]+)?)/g), ([, task]) => task!);
  const commands = blocksOf(text).filter(({ language }) => language === "sh").map((block) => block.text).join("");
  const files = Array.from(commands.matchAll(/deno(?:@[\d.]+)? (?:run|test)\b[^\n#]*/g))
    .flatMap(([command]) => command.match(/(?<=\s)(?:tests|scripts|src|bench)\/[\w./]+|(?<=\s)cli\.ts/g) ?? []);
  // docs/growing.md has an application of its own.
  if (path === "docs/growing.md") return [];
  return [...tasks.filter((task) => !(task in config.tasks)), ...files.filter((file) => !paths.has(file))];
}

Deno.test({
  name: "documents: every relative link leads to a file of the repository, and to a heading that it has",
  ignore: !canStartProcesses,
  async fn() {
    const { documents, paths } = await repository();
    assert(documents.length > 10);
    const broken = documents.flatMap((document) =>
      brokenLinks(document, documents, paths).map((link) => `${document.path}: ${link}`)
    );
    assertEquals(broken, []);
    const wrong = {
      path: "docs/a.md",
      text: "[a](b.md) [b](#no) [c](../README.md#no) [d](../README.md#try-it) [e](..)",
    };
    assertEquals(brokenLinks(wrong, documents, paths), ["b.md", "#no", "../README.md#no", ".."]);
  },
});

Deno.test({
  name: "documents: the tasks and files that their commands name are there",
  ignore: !canStartProcesses,
  async fn() {
    const { documents, paths } = await repository();
    const missing = documents.flatMap((document) =>
      missingInCommands(document, paths).map((name) => `${document.path}: ${name}`)
    );
    assertEquals(missing, []);
    const wrong = { path: "a.md", text: "`deno task no:such` \n```sh\ndeno test -A tests/no.ts  # a\n```\n" };
    assertEquals(missingInCommands(wrong, paths), ["no:such", "tests/no.ts"]);
  },
});

/** Files and folders of the sources that a document names in backquotes and that are not there. */
function missingSources({ path, text }: Document, paths: Set<string>): string[] {
  // It tells of earlier versions.
  if (path === "CHANGELOG.md") return [];
  const named = Array.from(text.matchAll(/`((?:src|scripts|bench|tests)\/[\w./-]*)`/g), ([, name]) => name!);
  return named.filter((name) => !paths.has(name.replace(/\/$/, "")));
}

Deno.test({
  name: "documents: the files of the sources that they name are there",
  ignore: !canStartProcesses,
  async fn() {
    const { documents, paths } = await repository();
    const missing = documents.flatMap((document) =>
      missingSources(document, paths).map((name) => `${document.path}: ${name}`)
    );
    assertEquals(missing, []);
    const wrong = { path: "a.md", text: "`src/store.ts`, `src/engine/`, `src/no.ts`, `tests/no/`" };
    assertEquals(missingSources(wrong, paths), ["src/no.ts", "tests/no/"]);
  },
});

/** Whoever tried `examples/quick_start.ts` had a store among the changes to be committed. */
Deno.test({
  name: "documents: git ignores what their programs, the examples and the command leave where they are run",
  ignore: !canStartProcesses,
  async fn() {
    const examples = Array.from(Deno.readDirSync(join(ROOT, "examples")), ({ name }) => join("examples", name))
      .filter((path) => path.endsWith(".ts"));
    const made = ["README.md", "docs/library.md", "docs/adapters.md", ...examples].flatMap((path) => {
      const text = Deno.readTextFileSync(join(ROOT, path));
      // Stores and backups; files that commands are told to write.
      return Array.from(text.matchAll(/["`]\.\/([\w-]+)(?=["`/])|--html (\w+\.html)/g), ([, folder, file]) => {
        return folder === undefined ? [file!] : [`${folder}/MANIFEST`, `examples/${folder}/MANIFEST`];
      }).flat();
    });
    made.push("kvstore-data/MANIFEST", "examples/people.json");
    assert(made.length > 10);
    const args = ["check-ignore", "--no-index", ...made];
    const git = await new Deno.Command("git", { args, cwd: ROOT }).output().catch(() => undefined);
    // Where there is no git there is nothing to be committed.
    if (git === undefined || git.code === 128) return;
    const ignored = new TextDecoder().decode(git.stdout).split("\n");
    assertEquals(made.filter((path) => !ignored.includes(path)), []);
  },
});
