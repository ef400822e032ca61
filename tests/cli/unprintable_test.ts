/** Nothing that a store, a directory or an argument holds controls the terminal that reads the output. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { cliTest, lines, type Shell } from "./support/shell.ts";

/** Sets a title, clears the screen (in one character and in two), reverses text, hides text, breaks lines. */
const HOSTILE = "\x1b]0;t\x07\x1b[2J\u009b2J\u202e\u2066\u200b\u{e0041}\u2028\x7f\r\n";
const UNPRINTABLE = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

async function outputs(shell: Shell, commands: string[][]): Promise<string[]> {
  const results = await Promise.all(commands.map(async (args) => ({ args, ...await shell.run(args) })));
  for (const { args, out, err } of results) {
    assert(!UNPRINTABLE.test(out + err), `${args.join(" ")}: ${JSON.stringify(out + err)}`);
  }
  return results.map(({ out, err }) => out + err);
}

// `verify` printed the names of files as they are. C1 controls and those of direction went through wherever JSON did,
// as `JSON.stringify` leaves them as they are.
cliTest("no command prints what controls a terminal: not of keys, values, arguments, names of files", async (shell) => {
  const store = await KvStore.open(shell.dir);
  await store.set(`k${HOSTILE}`, `v${HOSTILE}`);
  await store.set("json", { [`n${HOSTILE}`]: [HOSTILE] });
  await store.close();
  Deno.writeTextFileSync(`${shell.dir}/stray${HOSTILE}`, "");

  const [list, , , , , verify] = await outputs(shell, [
    ["list"],
    ["list", "--values"],
    ["list", "--json"],
    ["get", `k${HOSTILE}`, "--json"],
    ["log", "--bytes"],
    ["verify"],
    ["verify", "--json"],
    ["repair", "--dry-run"],
    ["inspect", "--html", "-"],
  ]);
  await outputs(shell, [
    [HOSTILE],
    ["help", HOSTILE],
    ["get", HOSTILE],
    ["get", HOSTILE, "--json"],
    ["get", "k", `--${HOSTILE}`],
    ["list", "--dir", `${shell.root}/${HOSTILE}`],
    ["import", `${shell.root}/${HOSTILE}`],
    ["log", "--json"],
    ["has", HOSTILE, "--json"],
  ]);
  assertEquals(lines(list!).length, 2);
  assertEquals(lines(verify!).length, 2);
  assertStringIncludes(verify!, "note: stray\\u001b]0;t\\u0007\\u001b[2J\\u009b2J\\u202e");

  const exported = await shell.ok(["export"]);
  assert(!UNPRINTABLE.test(exported));
  await shell.ok(["--dir", `${shell.root}/copy`, "import"], exported);
  const copy = await KvStore.open(`${shell.root}/copy`, { readOnly: true });
  assertEquals(copy.get(`k${HOSTILE}`), `v${HOSTILE}`);
  assertEquals(copy.get("json"), { [`n${HOSTILE}`]: [HOSTILE] });
  await copy.close();
  // Where a program reads, the bytes are exact.
  assertEquals(await shell.ok(["get", `k${HOSTILE}`]), `v${HOSTILE}\n`);
  assertStringIncludes(await shell.ok(["export", "--format", "resp"]), `v${HOSTILE}`);
});
