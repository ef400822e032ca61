/**
 * Arguments that are no text. Node, Deno and Bun hand a program U+FFFD in the place of bytes that are not UTF-8: `set`
 * with the keys FF and FE wrote to one key, and said nothing. Such an argument is refused now; a U+FFFD that was typed
 * as such is told apart by the bytes of the command line.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { CLI, cliTest, type Shell } from "../support/shell.ts";

/** Runs a line of bash in which `kvstore` is the command. */
async function bash(shell: Shell, line: string): Promise<{ code: number; out: string; err: string }> {
  const kvstore = `kvstore() { '${Deno.execPath()}' run -A --no-check '${CLI}' "$@"; }`;
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    // the suite itself may have been started by npx
    args: ["-c", `${kvstore}; unset npm_command; ${line}`],
    cwd: shell.root,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", KVSTORE_DIR: shell.dir },
    stdin: "null",
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, err: err! };
}

const isLinux = Deno.build.os === "linux";

cliTest("an argument that is not UTF-8 is refused, wherever it stands, and named", async (shell) => {
  for (
    const [line, position] of [
      [String.raw`set $'a\xffb' value`, 2],
      [String.raw`set key $'\xc3'`, 3],
      [String.raw`set -- $'\xed\xa0\x80' $'\xef\xbf\xbd'`, 3],
      [String.raw`set $'\xef\xbf\xbd' $'\xff'`, isLinux ? 3 : 2],
      [String.raw`--dir $'x\xff' list`, 2],
      [String.raw`set k --file=$'x\xff'`, 3],
      [String.raw`$'\xff'`, 1],
    ] as const
  ) {
    const { code, out, err } = await bash(shell, `kvstore ${line}`);
    assertEquals([line, code, out], [line, 2, ""]);
    assertStringIncludes(err, `kvstore: argument ${position} is not UTF-8`);
    assertStringIncludes(err, "--key-base64");
  }
  const json = await bash(shell, String.raw`kvstore get $'\xff' --json`);
  assertEquals([json.code, JSON.parse(json.err).error.code], [2, "USAGE"]);
  assertEquals([...Deno.readDirSync(shell.root)].length, 0);
});

cliTest("U+FFFD that was typed as such is text like any other, but below npm nobody can tell", async (shell) => {
  if (!isLinux) return;
  assertEquals((await bash(shell, String.raw`kvstore set $'\xef\xbf\xbd' $'1\xef\xbf\xbd'`)).code, 0);
  assertEquals((await bash(shell, String.raw`kvstore get $'\xef\xbf\xbd'`)).out, "1\ufffd\n");
  assertEquals((await bash(shell, String.raw`npm_command=exec kvstore get $'\xef\xbf\xbd'`)).code, 2);
  assertEquals((await bash(shell, "kvstore get --key-base64 77+9")).out, "1\ufffd\n");
});

cliTest("KVSTORE_DIR that is not UTF-8 is refused; --dir takes its place", async (shell) => {
  const wrong = String.raw`export KVSTORE_DIR=$'${shell.root}/\xff'`;
  const { code, err } = await bash(shell, `${wrong}; kvstore set a b`);
  assertEquals(code, 2);
  assertStringIncludes(err, "KVSTORE_DIR is not UTF-8");
  assertEquals((await bash(shell, `${wrong}; kvstore --dir store set a b`)).code, 0);
  if (!isLinux) return;
  const right = String.raw`export KVSTORE_DIR=$'${shell.root}/\xef\xbf\xbd'`;
  assertEquals((await bash(shell, `${right}; kvstore set a b && kvstore get a`)).out, "b\n");
});
