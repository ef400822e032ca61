/** `verify` and `repair`, and the other commands for the store as a whole. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { verifyText } from "../../src/cli/verify.ts";
import { cliTest, lines } from "./support/shell.ts";

cliTest("stats, compact, backup, verify, repair", async (shell) => {
  await shell.ok(["set", "a", "1"]);
  await shell.ok(["set", "a", "2"]);
  const stats = await shell.run(["stats"]);
  assertMatch(stats.out, /^keys +1$/m);
  assertMatch(stats.out, /^ {2}stale .* bytes/m);
  const figures = JSON.parse(await shell.ok(["stats", "--json"]));
  assertEquals([figures.keys, figures.staleBytes > 0], [1, true]);

  const compacted = await shell.run(["compact"]);
  assertEquals([compacted.code, compacted.out], [0, ""]);
  assertMatch(compacted.err, /^kvstore: \d+ B before, \d+ B after, .*\n$/);
  assertEquals((await shell.run(["compact", "--quiet"])).err, "");
  const again = JSON.parse(await shell.ok(["compact", "--json"]));
  assertEquals(Object.keys(again), ["segmentsBefore", "segmentsAfter", "diskBytesBefore", "diskBytesAfter"]);

  const copy = `${shell.root}/copy`;
  assertEquals((await shell.run(["backup", copy])).err, `kvstore: copied 1 key to ${copy}\n`);
  assertEquals(await shell.ok(["--dir", copy, "get", "a"]), "2\n");
  assertEquals((await shell.run(["backup", copy])).code, 3);

  assertStringIncludes(await shell.ok(["verify"]), "no damage found\n");
  assertEquals(JSON.parse(await shell.ok(["verify", "--json"])).problems, []);
  assertEquals(await shell.ok(["repair", "--dry-run", "--json"]).then((out) => JSON.parse(out).dryRun), true);
  assertStringIncludes(await shell.ok(["repair"]), "no damage found");
});

cliTest("damage: verify says so with status 1, get refuses, repair makes the store whole", async (shell) => {
  await shell.ok(["set", "good", "x".repeat(100)]);
  await shell.ok(["set", "bad", "y".repeat(100)]);
  const segment = [...Deno.readDirSync(shell.dir)].map((entry) => `${shell.dir}/${entry.name}`)
    .find((path) => new TextDecoder().decode(Deno.readFileSync(path)).includes("y".repeat(100)))!;
  const bytes = Deno.readFileSync(segment);
  const at = new TextDecoder("latin1").decode(bytes).indexOf("yyy");
  bytes[at + 5]! ^= 1;
  Deno.writeFileSync(segment, bytes);

  const found = await shell.run(["verify"]);
  assertEquals([found.code, found.err], [1, ""]);
  assertStringIncludes(found.out, "(key bad");
  assertEquals(JSON.parse((await shell.run(["verify", "--json"])).out).problems[0].key, "bad");
  const refused = await shell.run(["get", "bad"]);
  assertEquals([refused.code, refused.out, lines(refused.err).length], [3, "", 1]);
  assertEquals(JSON.parse((await shell.run(["get", "bad", "--json"])).err).error.code, "CORRUPT");
  assertEquals((await shell.ok(["get", "good"])).length, 101);
  assertStringIncludes(await shell.ok(["log", "--quiet"]), "BAD");

  assertStringIncludes(await shell.ok(["repair", "--dry-run"]), "lose 1 key");
  assertEquals((await shell.run(["verify"])).code, 1);
  assertStringIncludes(await shell.ok(["repair"]), "lost: the newest value of bad");
  assertEquals((await shell.run(["verify"])).code, 0);
  assertEquals((await shell.run(["get", "bad"])).code, 1);
});

Deno.test("verify says how many problems it found, or that there are more than it lists", () => {
  const problems = (count: number) => new Array(count).fill({ file: "F", offset: 0, length: 1, reason: "bad" });
  const lastOf = (count: number) =>
    verifyText({ problems: problems(count), notes: [] }, true).trimEnd().split("\n").at(-1)!;
  assertMatch(lastOf(1), /^1 problem found;/);
  assertMatch(lastOf(1000), /^1,000 problems found;/);
  assertMatch(lastOf(1001), /^more than 1,000 problems found;/);
});
