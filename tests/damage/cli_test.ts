/** Damage, seen and mended through the command line; and no command but repair changes a damaged store. */

import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { cliTest, lines, type Shell } from "../cli/support/shell.ts";

/** Three segments' worth of writes, of which one is damaged in its value; the key had an older one. */
async function damagedStore(shell: Shell, place: "value" | "header"): Promise<{ file: string; offset: number }> {
  const store = await KvStore.open(shell.dir, { segmentBytes: 4096, compaction: { auto: false } });
  for (let i = 0; i < 12; i++) await store.set(`key ${i % 8}`, `${i}`.padEnd(800, "."));
  await store.close();
  for (const { name } of [...Deno.readDirSync(shell.dir)].sort((a, b) => a.name < b.name ? 1 : -1)) {
    const path = `${shell.dir}/${name}`;
    const bytes = Deno.readFileSync(path);
    const at = new TextDecoder("latin1").decode(bytes).indexOf("key 2");
    if (!name.endsWith(".seg") || at < 0) continue;
    bytes[place === "value" ? at + 700 : at]! ^= 1;
    Deno.writeFileSync(path, bytes);
    return { file: name, offset: at - 24 };
  }
  throw new Error("the key is in no segment");
}

function imageOf({ dir }: Shell): Record<string, string> {
  const names = [...Deno.readDirSync(dir)].map(({ name }) => name).filter((name) => name !== "LOCK").sort();
  return Object.fromEntries(names.map((name) => [name, Deno.readFileSync(`${dir}/${name}`).toString()]));
}

cliTest("verify of a damaged value: status 1, a line each, and the same as JSON", async (shell) => {
  const { file, offset } = await damagedStore(shell, "value");
  const before = imageOf(shell);
  const grouped = offset.toLocaleString("en-US");
  const found = await shell.run(["verify"]);
  const reason = "checksum of a value";
  assertEquals({ code: found.code, lines: lines(found.out) }, {
    code: 1,
    lines: [
      `damage: ${file} at ${grouped}, 829 bytes: ${reason} (key key 2; an older version is intact)`,
      "1 problem found; kvstore repair --dry-run says what can be kept",
    ],
  });
  const json = await shell.run(["verify", "--json"]);
  const problem = { file, offset, length: 829, reason, olderVersion: true, key: "key 2" };
  assertEquals([json.code, JSON.parse(json.out)], [1, { problems: [problem], notes: [] }]);
  const reading = ["get 'key 2'", "count", "export", "stats", "log", `backup ${shell.root}/copy`, "repair --dry-run"];
  const codes: number[] = [];
  for (const line of reading) {
    const args = line.split(" ").map((arg) => arg.replaceAll("'", ""));
    codes.push((await shell.run(line.startsWith("get") ? ["get", "key 2"] : args)).code);
  }
  assertEquals(codes, [3, 0, 3, 0, 0, 3, 0]);
  assertEquals(imageOf(shell), before, "nothing but repair changes a damaged store");
  const planned = JSON.parse(await shell.ok(["repair", "--dry-run", "--json"]));
  const report = JSON.parse(await shell.ok(["repair", "--json"]));
  assertEquals({ ...planned, dryRun: false }, report);
  assertEquals([report.lostKeys, report.movedAside], [["key 2"], [`damaged/${file}`]]);
  assertEquals(Deno.readFileSync(`${shell.dir}/damaged/${file}`).toString(), before[file], "moved aside as it was");
  const notes = JSON.parse((await shell.run(["verify", "--json"])).out);
  assertEquals(notes, {
    problems: [],
    notes: [{ file: "damaged", offset: 0, length: 0, reason: "what a repair moved aside" }],
  });
  assertEquals((await shell.run(["get", "key 2"])).code, 1);
});

cliTest("verify of a damaged header: what open refuses is listed, and what repair loses", async (shell) => {
  const { file, offset } = await damagedStore(shell, "header");
  const before = imageOf(shell);
  const found = await shell.run(["verify", "--json"]);
  const { problems } = JSON.parse(found.out);
  const reason = "checksum of a record's header and key";
  assertEquals([found.code, problems], [1, [{ file, offset, length: 829, reason }]]);
  for (const args of [["count"], ["set", "a", "b"], ["compact"], ["stats"], ["log"]]) {
    const { code, err } = await shell.run(args);
    assertEquals(code, 3, args[0]);
    assert(err.includes(`${file} is damaged at byte ${offset}`) && lines(err).length === 1, err);
  }
  assertEquals(imageOf(shell), before, "nothing but repair changes a damaged store");
  const text = lines(await shell.ok(["repair"]));
  assert(/^lost: the records with the sequence numbers \d+ to \d+$/.test(text[1]!), text[1]);
  assertEquals(text[2], `moved aside: damaged/${file}`);
  assertEquals((await shell.run(["verify"])).code, 0);
});
