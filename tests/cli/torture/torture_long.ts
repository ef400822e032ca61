/** `torture`: what its checks notice, how it starts itself again, and a short run with real kills. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ExpectedContents } from "../../../src/cli/torture/expected_contents.ts";
import { applyToContents, type Contents, Plan, type Write } from "../../../src/cli/torture/plan.ts";
import { commandAgain, type Start } from "../../../src/cli/torture/relaunch.ts";
import { cliTest, lines, type Shell } from "../support/shell.ts";

/** A plan of these writes and no others. */
function planOf(writes: Write[]): Plan {
  const left = [...writes];
  const next = () => ({ write: left.shift()!, durability: "sync", compacts: false, waits: false, pauseMs: 0 });
  return { next } as unknown as Plan;
}

const WRITES: Write[] = [
  { type: "set", key: "a", value: "1" },
  { type: "batch", operations: [{ type: "set", key: "b", value: 2 }, { type: "delete", key: "a" }] },
  { type: "set", key: "c", value: new Uint8Array([3]) },
];

function after(count: number): Contents {
  const contents: Contents = new Map();
  for (const write of WRITES.slice(0, count)) applyToContents(contents, write);
  return contents;
}

Deno.test("torture: any prefix with the acknowledged writes is accepted, and becomes the past", () => {
  for (let acknowledged = 0; acknowledged <= 3; acknowledged++) {
    for (let count = 0; count <= 3; count++) {
      const history = new ExpectedContents();
      const wrong = history.settle(after(count), { plan: planOf(WRITES), acknowledged, limit: 3 });
      assertEquals(wrong === undefined, count >= acknowledged, `${acknowledged} acknowledged, ${count} found`);
      if (wrong !== undefined) assertStringIncludes(wrong, `after ${acknowledged} acknowledged writes, key `);
      assertEquals(history.compare(after(count)) === undefined, wrong === undefined || count === 0);
    }
  }
});

Deno.test("torture: half a batch, a write that overtook another, a wrong value and a foreign key are noticed", () => {
  const half = new Map([['"a"', '"1"'], ['"b"', "2"]]);
  const overtaken = new Map([['"c"', '{"base64":"Aw=="}']]);
  const wrongValue = new Map([['"a"', '"2"']]);
  const foreign = new Map([['"a"', '"1"'], ['"z"', '"1"']]);
  for (const found of [half, overtaken, wrongValue, foreign]) {
    const wrong = new ExpectedContents().settle(found, { plan: planOf(WRITES), acknowledged: 0, limit: 3 });
    assertMatch(wrong ?? "", /an acknowledged write is missing, or a part of one/);
  }
});

Deno.test("torture: a plan follows from its seed, and has writes of every kind", () => {
  const kinds = new Set<string>();
  for (let seed = 0; seed < 12; seed++) {
    const [one, two] = [new Plan(seed), new Plan(seed)];
    for (let i = 0; i < 500; i++) {
      const step = one.next();
      assertEquals(step, two.next());
      kinds.add(step.write.type);
    }
  }
  assertEquals(kinds, new Set(["set", "delete", "batch", "clear"]));
  assert(JSON.stringify(new Plan(8).next()) !== JSON.stringify(new Plan(7).next()));
});

Deno.test("torture: how the command line is started again, in every way that it can have been started", () => {
  const deno: Start = { program: "/bin/deno", programArgs: [], isDeno: true, script: "/k/cli.ts", module: undefined };
  const permissions = ["--no-prompt", "--allow-env", "--allow-read=/a,,b", "--allow-write=/a,,b"];
  const run = (main: string) => ["/bin/deno", ["run", "--quiet", ...permissions, main]];
  const remote = { ...deno, script: "/$deno$node.mjs" };
  const from = (folder: string) => ({ ...remote, module: `${folder}/src/cli/torture/relaunch.ts` });
  const cases: [Start, unknown][] = [
    [deno, run("/k/cli.ts")],
    [from("https://jsr.io/@kvstore/kvstore/0.1.0"), run("jsr:@kvstore/kvstore@0.1.0/cli")],
    [from("http://localhost:80/k"), run("http://localhost/k/cli.ts")],
    [remote, undefined],
    [{ ...deno, isDeno: false, program: "/bin/node", programArgs: ["-x"] }, ["/bin/node", ["-x", "/k/cli.ts"]]],
    [{ ...deno, isDeno: false, script: undefined }, undefined],
  ];
  for (const [start, wanted] of cases) assertEquals(commandAgain(start, "/a,b") as unknown, wanted);
});

/** The directories that torture made and did not remove. */
function kept(shell: Shell): string[] {
  return [...Deno.readDirSync(shell.root)].map(({ name }) => name);
}

cliTest("torture: rounds with real kills, no failure, nothing left behind", async (shell) => {
  const report = JSON.parse(await shell.ok(["torture", "--seconds", "4", "--seed", "7", "--json"]));
  const kills = Object.values(report.kills as Record<string, number>).reduce((sum, count) => sum + count);
  assertEquals([report.seed, report.failures, report.directory], [7, [], undefined]);
  assert(report.rounds > 0 && kills > 0 && report.statesChecked > 0, JSON.stringify(report));
  assertEquals(kept(shell), []);
});

cliTest("torture: makes its stores inside an existing directory, and leaves the store there alone", async (shell) => {
  await shell.ok(["set", "mine", "v"]);
  const before = [...Deno.readDirSync(shell.dir)].map(({ name }) => name).sort();
  const child = shell.start(["torture", "--seconds", "60"]);
  while ([...Deno.readDirSync(shell.dir)].length === before.length) await pause(5);
  await pause(1500);
  child.kill("SIGINT");
  const { code, stdout } = await child.output();
  const text = new TextDecoder().decode(stdout);
  if (text !== "") assertMatch(text, /^failures +none$/m);
  assertEquals(code, 130);
  assertEquals([...Deno.readDirSync(shell.dir)].map(({ name }) => name).sort(), before);
  assertEquals(await shell.ok(["list", "--values"]), 'mine\t"v"\n');
});

cliTest("torture: damage makes status 1, the report says where to look, and the store stays", async (shell) => {
  const child = shell.start(["torture", "--seconds", "60"]);
  let isRunning = true;
  const output = child.output().finally(() => isRunning = false);
  // Somebody else's bytes in every segment there is.
  while (isRunning) {
    overwriteSegments(shell.root);
    await pause(10);
  }
  const { code, stdout, stderr } = await output;
  const text = new TextDecoder().decode(stdout);
  assertEquals([code, new TextDecoder().decode(stderr)], [1, ""], text);
  const [, shown] = /^kvstore verify --dir '(.*)'$/m.exec(text) ?? [];
  assertMatch(text, /^failure: round \d+, killed in phase \w+: \S/m);
  // It can be looked at as the report says. The damage itself may have come after the copy of what the kill left, which
  // may be a store that had no MANIFEST yet.
  assert((await Deno.stat(shown!)).isDirectory, `${shown} is no directory`);
  const looked = await shell.run(["verify", "--dir", shown!]);
  const isLooked = looked.code <= 1 || /there is no store/.test(looked.err);
  assert(isLooked, `verify ends with ${looked.code}: ${looked.err}`);
  assertEquals(kept(shell).length, 1);
});

cliTest("torture: wrong numbers and missing permissions are one clear error each", async (shell) => {
  for (const args of [["--seconds", "0"], ["--seconds", "1.5"], ["--seconds", "soon"], ["--seed", "4294967296"]]) {
    const { code, out, err } = await shell.run(["torture", ...args]);
    assertEquals([code, out], [2, ""]);
    assertMatch(
      err,
      new RegExp(`^kvstore: ${args[0]} is "?${args[1]}"?; wanted a whole number .*\nUsage: kvstore torture`),
    );
  }
  const permissions = ["--no-prompt", "--allow-env", "--allow-read", "--allow-write"];
  const { code, out, err } = await shell.run(["torture"], "", {}, permissions);
  assertEquals([code, out, lines(err).length], [3, "", 1]);
  assertStringIncludes(err, "the command line cannot be started again as another process");
  assertStringIncludes(err, "--allow-run");
  assertEquals(kept(shell), []);
});

function overwriteSegments(root: string): void {
  for (const { name: directory } of Deno.readDirSync(root)) {
    const store = `${root}/${directory}/store`;
    try {
      for (const { name } of Deno.readDirSync(store)) {
        if (!name.endsWith(".seg")) continue;
        using file = Deno.openSync(`${store}/${name}`, { write: true, read: true });
        // Behind the header, before the end: a record, whatever happens to the rest.
        if (file.statSync().size < 600) continue;
        file.seekSync(100, Deno.SeekMode.Start);
        file.writeSync(new TextEncoder().encode("damage"));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
