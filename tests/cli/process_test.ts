/** What happens to a command from outside: signals, closed pipes, other processes at the same store. */

import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { KvStore, KvStoreError } from "../../mod.ts";
import { canStartProcesses } from "../support/permissions.ts";
import { CLI, cliTest, lines, type Shell } from "./support/shell.ts";

/** Feeds numbered lines to a process until it ends; returns how many went. */
async function feedNumbers(stdin: WritableStream<Uint8Array>): Promise<number> {
  const writer = stdin.getWriter();
  const encoder = new TextEncoder();
  let sent = 0;
  try {
    for (;;) {
      const block = Array.from(
        { length: 1000 },
        (_, i) => `{"key":"${String(sent + i).padStart(8, "0")}","value":1}\n`,
      );
      await writer.write(encoder.encode(block.join("")));
      sent += 1000;
    }
  } catch {
    return sent;
  }
}

/** Reads the acknowledgements of a process, and calls `enough` once some have come. */
async function readAcknowledged(stdout: ReadableStream<Uint8Array>, enough: () => void, after = 5) {
  let text = "";
  let told = false;
  for await (const chunk of stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (!told && lines(text).length >= after) enough();
    told ||= lines(text).length >= after;
  }
  return JSON.parse(lines(text).at(-1)!).acknowledged as number;
}

/** The store must hold the first lines of the input and no others: those acknowledged. */
async function assertLines(shell: Shell, acknowledged: number): Promise<void> {
  const store = await KvStore.open(shell.dir);
  const keys = [...store.keys()];
  assertEquals(keys.length, acknowledged);
  keys.forEach((key, i) => assertEquals(key, String(i).padStart(8, "0")));
  await store.close();
}

for (const [name, status] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  cliTest(`${name} during import: status ${status}, the store holds what was acknowledged`, async (shell) => {
    const child = shell.start(["import", "--json"]);
    const fed = feedNumbers(child.stdin);
    const acknowledged = await readAcknowledged(child.stdout, () => child.kill(name));
    const [{ code, signal }, err] = await Promise.all([child.status, new Response(child.stderr).text()]);
    await fed;
    assertEquals({ code, signal, err }, { code: status, signal: null, err: "" });
    await assertLines(shell, acknowledged);
  });
}

cliTest("SIGINT while nothing comes in on standard input: ends at once", async (shell) => {
  const child = shell.start(["import", "--json"]);
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode('{"key":"a","value":1}\n{"key":"half'));
  const acknowledged = await readAcknowledged(child.stdout, () => child.kill("SIGINT"), 1);
  assertEquals(acknowledged, 1);
  assertEquals((await child.status).code, 130);
  await child.stderr.cancel();
  await writer.close().catch(() => {});
  assertEquals(await shell.ok(["list"]), "a\n");
});

cliTest("SIGINT while exporting to a file: no file, whole or half", async (shell) => {
  const input = Array.from({ length: 300_000 }, (_, i) => `{"key":"k${i}","value":"${"v".repeat(50)}"}\n`).join("");
  await shell.ok(["import"], input);
  const child = shell.start(["export", `${shell.root}/all`]);
  while (![...Deno.readDirSync(shell.root)].some((entry) => entry.name.startsWith("all."))) await pause(2);
  child.kill("SIGINT");
  const { code } = await child.output();
  assertEquals(code, 130);
  assertEquals([...Deno.readDirSync(shell.root)].map((entry) => entry.name), ["store"]);
});

cliTest("SIGINT while listing to a reader that takes nothing: ends at once with 130", async (shell) => {
  const input = Array.from({ length: 20_000 }, (_, i) => `{"key":"a long key to fill the pipe ${i}","value":1}\n`).join(
    "",
  );
  await shell.ok(["import"], input);
  for (const command of ["list", "export"]) {
    const child = shell.start([command]);
    await pause(500);
    child.kill("SIGINT");
    assertEquals((await child.status).code, 130);
    await Promise.all([child.stdout.cancel(), child.stderr.cancel(), child.stdin.close()]);
  }
});

Deno.test({
  name: "cli: a closed pipe is no error",
  ignore: !canStartProcesses,
  fn: async () => {
    const root = await Deno.makeTempDir({ prefix: "kvstore-cli-" });
    const store = await KvStore.open(`${root}/store`);
    await Promise.all(
      Array.from({ length: 30_000 }, (_, i) => store.set(`key ${i}`, "v".repeat(20), { durability: "write" })),
    );
    await store.close();
    for (const command of ["list", "list --values", "export", "export --format resp", "log", "list --json"]) {
      const kvstore = `'${Deno.execPath()}' run -A --no-check '${CLI}' --dir '${root}/store' ${command}`;
      const script = `set -o pipefail; ${kvstore} | head -1`;
      const { code, stdout, stderr } = await new Deno.Command("bash", { args: ["-c", script] }).output();
      const seen = lines(new TextDecoder().decode(stdout)).length;
      assertEquals([command, code, seen, new TextDecoder().decode(stderr)], [command, 0, 1, ""]);
    }
    await Deno.remove(root, { recursive: true });
  },
});

cliTest("import goes on when nobody reads its acknowledgements", async (shell) => {
  const input = Array.from({ length: 20_000 }, (_, i) => `{"key":"k${i}","value":1}\n`).join("");
  const child = shell.start(["import", "--json"]);
  await child.stdout.cancel();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  assertEquals((await child.status).code, 0);
  await child.stderr.cancel();
  assertEquals(await shell.ok(["count"]), "20000\n");
});

cliTest("two processes: writing is refused with LOCKED, or waits; reading goes on", async (shell) => {
  const holder = await KvStore.open(shell.dir);
  await holder.set("k", "v");
  for (const args of [["set", "k", "w"], ["delete", "k"], ["import"], ["compact"], ["repair"]]) {
    const { code, out, err } = await shell.run(args);
    assertEquals([args, code, out, lines(err).length], [args, 3, "", 1]);
  }
  assertEquals(JSON.parse((await shell.run(["set", "k", "w", "--json"])).err).error.code, "LOCKED");
  assertEquals((await shell.run(["set", "k", "w", "--wait", "0.2"])).code, 3);
  assertEquals(await shell.ok(["get", "k"]), "v\n");
  assertEquals(await shell.ok(["list", "--values"]), 'k\t"v"\n');
  assertEquals(await shell.ok(["export"]), '{"key":"k","value":"v"}\n');
  assertEquals(await shell.ok(["count"]), "1\n");
  assertMatch(await shell.ok(["stats"]), /^keys +1$/m);
  assertStringIncludes(await shell.ok(["verify"]), "no damage found");
  assertStringIncludes(await shell.ok(["log"]), "set");
  assertEquals((await shell.run(["backup", `${shell.root}/copy`])).code, 0);

  const waiting = shell.run(["set", "k", "w", "--wait", "30"]);
  await pause(600);
  await holder.close();
  assertEquals((await waiting).code, 0);
  assertEquals(await shell.ok(["get", "k"]), "w\n");
});

cliTest("--nolock: writing commands do without the lock, and whoever had it fails", async (shell) => {
  const holder = await KvStore.open(shell.dir);
  await holder.set("k", "v");
  for (const args of [["set", "l", "w"], ["delete", "l"], ["import"], ["compact"], ["repair"]]) {
    const { code, err } = await shell.run(["--nolock", ...args]);
    assertEquals([args, code, err.includes("LOCKED")], [args, 0, false], err);
  }
  const error = await assertRejects(() => holder.set("k", "late"), KvStoreError);
  assertEquals(error.code, "FAILED");
  await holder.close().catch(() => {});
  assertEquals(await shell.ok(["list", "--values"]), 'k\t"v"\n');
  assertStringIncludes(await shell.ok(["verify"]), "no damage found");
});

cliTest("a large value reaches a slow reader whole", async (shell) => {
  const bytes = new Uint8Array(5_000_000).map((_, i) => i % 251);
  await shell.ok(["set", "large", "-"], bytes);
  const child = shell.start(["get", "large", "--raw"]);
  const parts: number[] = [];
  let seen = 0;
  for await (const chunk of child.stdout) {
    if (parts.push(chunk.length) < 5) await pause(20);
    for (const byte of chunk) assertEquals(byte === seen++ % 251, true);
  }
  await child.stderr.cancel();
  assertEquals([seen, (await child.status).code], [bytes.length, 0]);
});

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
