import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { copyForJsr, jsrProblem } from "../../scripts/jsr.ts";
import { listFiles } from "../../scripts/repository.ts";
import { canStartProcesses } from "../support/permissions.ts";

const canListen = (await Deno.permissions.query({ name: "net" })).state === "granted";

/** Runs `action` on a small repository with a stand-in; `git` says whether git knows it. */
async function withRepository(git: boolean, action: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    if (git) await new Deno.Command("git", { args: ["init", "-q"], cwd: root }).output();
    await Deno.mkdir(`${root}/scripts/offline/one`, { recursive: true });
    await Deno.mkdir(`${root}/npm`);
    await Deno.writeTextFile(`${root}/deno.json`, `{ "name": "@a/b", "links": ["./scripts/offline/one"] }`);
    await Deno.writeTextFile(`${root}/.gitignore`, "/npm/\n");
    await Deno.writeTextFile(`${root}/mod.ts`, "");
    await Deno.writeTextFile(`${root}/npm/mod.js`, "");
    await Deno.writeTextFile(`${root}/scripts/offline/one/deno.json`, "{}");
    await action(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

for (const git of [true, false]) {
  Deno.test({
    name: `the copy has all files but ignored ones and the stand-ins, ${git ? "with" : "without"} git`,
    ignore: !canStartProcesses,
    fn: () =>
      withRepository(git, async (root) => {
        const { dir, standInsBecause } = await copyForJsr(root, undefined);
        assertEquals(standInsBecause, undefined);
        assertEquals(await listFiles(dir), [".gitignore", "deno.json", "mod.ts"]);
        assertEquals(JSON.parse(await Deno.readTextFile(`${dir}/deno.json`)), { name: "@a/b" });
        await Deno.remove(dir, { recursive: true });
      }),
  });
}

Deno.test({
  name: "without JSR the copy links the stand-ins where they are",
  ignore: !canStartProcesses,
  fn: () =>
    withRepository(true, async (root) => {
      const { dir, standInsBecause } = await copyForJsr(root, "no network");
      assertEquals(standInsBecause, "no network");
      const { links } = JSON.parse(await Deno.readTextFile(`${dir}/deno.json`));
      assertEquals(await Deno.readTextFile(`${dir}/${links[0]}/deno.json`), "{}");
      assertFalse((await listFiles(dir)).some((path) => path.startsWith("scripts/")));
      await Deno.remove(dir, { recursive: true });
    }),
});

Deno.test({
  name: "JSR is used if it answers, and only then",
  ignore: !canListen,
  fn: async () => {
    let status = 200;
    const server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      () => new Response("{}", { status }),
    );
    const url = `http://127.0.0.1:${server.addr.port}`;
    assertEquals(await jsrProblem(url), undefined);
    status = 503;
    assertStringIncludes(await jsrProblem(url) ?? "", "answers 503");
    await server.shutdown();
    assert((await jsrProblem(url))?.includes("cannot be reached"));
  },
});
