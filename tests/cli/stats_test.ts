import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { barsOf } from "../../src/cli/stats.ts";
import { painter } from "../../src/cli/text/format.ts";
import { cliTest, lines } from "./support/shell.ts";

const plain = painter(false);

Deno.test("stats: a bar a segment, to scale, within the width of the terminal; of very many the middle is left out", () => {
  const segment = (number: number, endBytes: number, sealed = true) => {
    return {
      number,
      sealed,
      endBytes,
      liveBytes: endBytes * 5 / 8,
      expiredBytes: endBytes / 8,
      staleBytes: endBytes / 4,
      tombstoneBytes: endBytes / 8,
      graveBytes: endBytes / 8,
    };
  };
  for (const width of [20, 80, 133, 300]) {
    const lines = barsOf([segment(1, 4000), segment(2, 2000), segment(3, 400, false)], { width, paint: plain }).split(
      "\n",
    );
    const bars = lines.slice(0, 3).map((line) => /[█░▒·]+/.exec(line)![0]);
    for (const line of lines) assert(line.length <= Math.max(width, 50), line);
    assert(Math.abs(bars[1]!.length - bars[0]!.length / 2) <= 1, "to scale");
    assertEquals(bars[2]!.length, bars[0]!.length, "the one being written has room");
    assertStringIncludes(bars[2]!, "·");
    assertEquals(bars[0]!.includes("·"), false);
  }
  const many = barsOf(Array.from({ length: 500 }, (_, i) => segment(i + 1, 1000)), { width: 80, paint: plain });
  assertStringIncludes(many, "436 segments more");
  assert(many.split("\n").length < 80);
});

cliTest("stats: on a pipe just the figures, as ever, and --json unchanged", async (shell) => {
  await shell.ok(["set", "a", "1"]);
  const text = await shell.ok(["stats"]);
  assertEquals(lines(text).length, 8);
  const names = ["keys", "segments", "diskBytes", "liveBytes", "staleBytes", "tombstoneBytes", "indexBytes"];
  for (const name of names) assert(name in JSON.parse(await shell.ok(["stats", "--json"])), name);
});

cliTest("stats: in the text format of Prometheus, each metric with its help and its type", async (shell) => {
  await shell.ok(["set", "a", "1"]);
  const text = await shell.ok(["stats", "--prometheus"]);
  const metrics = new Map<string, number>();
  for (const three of text.matchAll(/^# HELP (\w+) .+\.\n# TYPE (\w+) (gauge|counter)\n(\w+) (\d+)\n/gm)) {
    assertEquals(new Set([three[1], three[2], three[4]]).size, 1, three[0]);
    metrics.set(three[1]!, Number(three[5]));
  }
  assertEquals(lines(text).length, 3 * metrics.size);
  assertEquals(metrics.get("kvstore_keys"), 1);
  const { diskBytes, lastSequence } = JSON.parse(await shell.ok(["stats", "--json"]));
  assertEquals([metrics.get("kvstore_disk_bytes"), metrics.get("kvstore_sequence_total")], [diskBytes, lastSequence]);
  assertEquals((await shell.run(["stats", "--prometheus", "--json"])).code, 2);
});
