/** Commands for single keys: several of them, expiry, numbers, other names. Most run as lines of one shell. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { cliTest, exists, lines, type Shell } from "./support/shell.ts";

/** Runs lines in a shell and returns what they print, messages in their place. */
async function script(shell: Shell, ...typed: string[]): Promise<{ out: string[]; err: string[]; code: number }> {
  const { out, err, code } = await shell.run(["shell"], typed.join("\n"));
  return { out: lines(out), err: lines(err), code };
}

cliTest("no store: the commands for keys say so, and create none", async (shell) => {
  const typed = ["get a b", "delete a b", "rename a b", "incr a", "ttl a", "expire a 1s", "persist a", "clear --yes"];
  const { out, err, code } = await script(shell, ...typed);
  const message =
    `there is no store in ${shell.dir}; "set" and "import" create one, --dir or KVSTORE_DIR names another`;
  assertEquals(err, typed.map((_, i) => `kvstore: line ${i + 1}: ${message}`));
  assertEquals([out, code, exists(shell.dir)], [[], 3, false]);
});

cliTest("several keys in get, has and delete: all that are there, and 1 if one is not", async (shell) => {
  const set = ["set a 1", "set b 'two words'", `set c '{"n":3}' --type json`, "set k x --ttl 1h"];
  assertEquals(await script(shell, ...set), { out: [], err: [], code: 0 });
  const found = await shell.run(["get", "c", "none", "a", "a", "also"]);
  assertEquals(found.code, 1);
  assertEquals(found.out, '{"n":3}\n1\n1\n');
  assertEquals(lines(found.err), ["kvstore: key not found: none", "kvstore: key not found: also"]);
  assertEquals(await shell.ok(["get", "a", "b", "--raw"]), "1two words");
  const json = await script(shell, "get b c --json", "has a none --json", "delete none b a --json", "list");
  assertEquals(json.out, [
    '{"key":"b","value":"two words"}',
    '{"key":"c","value":{"n":3}}',
    '{"key":"a","present":true}',
    '{"key":"none","present":false}',
    '{"key":"none","deleted":false}',
    '{"key":"b","deleted":true}',
    '{"key":"a","deleted":true}',
    "c",
    "k",
  ]);
  assertEquals([json.code, json.err], [1, []]);
  const rest = await script(shell, "has c k", "delete c c", "has c", "delete c k --quiet", "count");
  assertEquals(rest, { out: ["0"], err: ["kvstore: key not found: c"], code: 1 });
});

cliTest("ttl, expire, persist: a key expires, later, and not at all; its value stays", async (shell) => {
  const { out, err, code } = await script(
    shell,
    "set code 4711",
    "ttl code",
    "ttl code --json",
    "expire code 1h30m --json",
    "ttl code",
    "ttl code --json",
    "get code",
    "persist code --json",
    "persist code --json",
    "ttl code",
    "expire code soon",
    "expire code 1ms",
  );
  const [expired, left] = [JSON.parse(out[2]!), JSON.parse(out[4]!)];
  assertEquals([out[0], out[1]], ["never", '{"key":"code"}']);
  assert(/^1h(30m|29m5\ds)$/.test(out[3]!), out[3]);
  assertEquals(left.expiresAt, expired.expiresAt);
  assert(left.ttl <= 5_400_000 && left.ttl > 5_300_000 && Math.abs(left.expiresAt - Date.now() - left.ttl) < 60_000);
  assertEquals(out.slice(5), ["4711", '{"key":"code","persisted":true}', '{"key":"code","persisted":false}', "never"]);
  assertStringIncludes(err[0]!, 'line 11: DURATION is "soon"; wanted a number above 0 and a unit');
  assertEquals(code, 2);
  // In another process, so that the millisecond has passed.
  const gone = await script(shell, "get code", "ttl code", "expire code 1h", "persist code");
  assertEquals(gone, { out: [], err: Array(4).fill("kvstore: key not found: code"), code: 1 });
});

cliTest(
  "incr: numbers and strings that are numbers, each stays what it was; other values are refused",
  async (shell) => {
    const { out, err, code } = await script(
      shell,
      "set anchor x",
      "incr visits",
      "incr visits 41 --json",
      "incr visits -- -0.5",
      "get visits --json",
      "set n 5 --ttl 1h",
      "incr n",
      "get n --json",
      "incr anchor",
      "set zero 007",
      "incr zero",
      "set most 9007199254740991",
      "incr most",
      "get most",
      "incr n many",
    );
    const { expiresAt, ...entry } = JSON.parse(out[5]!);
    assertEquals(out.toSpliced(5, 1), [
      "1",
      '{"key":"visits","value":42}',
      "41.5",
      '{"key":"visits","value":41.5}',
      "6",
      "9007199254740991",
    ]);
    assertEquals([entry, expiresAt > Date.now()], [{ key: "n", value: "6" }, true]);
    assertEquals(err.filter((line) => line.startsWith("kvstore: ")), [
      "kvstore: line 9: the value of anchor is no number",
      "kvstore: line 11: the value of zero is no number",
      "kvstore: line 13: 9007199254740991 + 1 is beyond the whole numbers that are exact, up to 2^53 - 1",
      'kvstore: line 15: BY is "many"; wanted a number, such as 1 or -0.5',
    ]);
    assertEquals(code, 3);
  },
);

cliTest("rename: with type and expiry, never over another key unasked, and onto itself", async (shell) => {
  const { out, err, code } = await script(
    shell,
    "set a {} --type json --ttl 1h",
    "get a --json",
    "set b other",
    "rename a b",
    "rename a a",
    "rename a c --json",
    "get c --json",
    "has a",
    "rename a d",
    "rename c b --force",
    "list --values",
  );
  assertEquals(JSON.parse(out[2]!), { ...JSON.parse(out[0]!), key: "c" });
  assertEquals([out[1], out.slice(3)], ['{"key":"a","renamed":"c"}', ["b\t{}"]]);
  assertEquals(err, ["kvstore: b is there already; --force replaces its value", "kvstore: key not found: a"]);
  assertEquals(code, 3);
});

cliTest("clear: all keys or those of a prefix, and without a terminal only with --yes", async (shell) => {
  await script(shell, "set user:1 a", "set user:2 b", "set visits 7", "set --key-base64 /w== binary");
  const unsure = await script(shell, "clear", "clear user:", "clear '' --yes", "count");
  assertEquals([unsure.out, unsure.code], [["4"], 2]);
  assertStringIncludes(unsure.err[0]!, "it needs --yes");
  assertStringIncludes(unsure.err.at(-2)!, "PREFIX is empty; to delete all keys, give no PREFIX");
  const sure = await script(
    shell,
    "clear user: --yes",
    "clear user: --yes --json",
    "clear --key-base64 /w== --yes --quiet",
    "list",
    "clear --yes --json",
    "clear --yes",
  );
  assertEquals(sure, {
    out: ['{"deleted":0}', "visits", '{"deleted":1}'],
    err: ["kvstore: deleted 2 keys", "kvstore: deleted 0 keys"],
    code: 0,
  });
});

cliTest("restore: a backup becomes the store; never over another, never from a damaged one", async (shell) => {
  const [backup, copy] = [`${shell.root}/backup`, `${shell.root}/new/copy`];
  await script(shell, "set a 1 --ttl 1h", `backup ${backup}`, "set b 2");
  const listed = await shell.ok(["--dir", backup, "list", "--values", "--json"]);
  const { out, err, code } = await script(
    shell,
    `--dir ${copy} restore ${backup}`,
    `--dir ${copy} list --values --json`,
    `--dir ${copy} restore ${backup}`,
    `restore ${backup}`,
    `restore ${shell.root}/none --dir ${shell.root}/empty`,
    "count",
  );
  assertEquals([`${out[0]}\n`, out[1]], [listed, "2"]);
  const refusal = "restore needs a new or an empty directory: name another with --dir, or move the store away";
  assertEquals(err, [
    `kvstore: restored 1 key from ${backup}`,
    `kvstore: line 3: there is a store in ${copy} already; ${refusal}`,
    `kvstore: line 4: there is a store in ${shell.dir} already; ${refusal}`,
    `kvstore: line 5: there is no backup in ${shell.root}/none`,
  ]);
  assertEquals([code, exists(`${shell.root}/empty`)], [3, false]);

  const segment = `${backup}/00000001.seg`;
  const bytes = Deno.readFileSync(segment);
  bytes[bytes.length - 40]! ^= 1;
  Deno.writeFileSync(segment, bytes);
  const damaged = await shell.run(["--dir", `${shell.root}/damaged`, "restore", backup, "--json"]);
  assertEquals([damaged.code, damaged.out, exists(`${shell.root}/damaged`)], [3, "", false]);
  assertEquals(JSON.parse(damaged.err).error.code, "CORRUPT");
  Deno.removeSync(`${copy}/MANIFEST`);
  const unfinished = await shell.run(["--dir", copy, "restore", backup]);
  assertStringIncludes(unfinished.err, "a damaged store, or what an interrupted restore has left, in");
});
