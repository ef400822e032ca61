/** `watch`: one process changes a store, another prints the changes. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { canStartProcesses } from "../support/permissions.ts";
import { CLI, cliTest, lines, type Shell } from "./support/shell.ts";

/** A `watch` under way: its lines, one after the other. */
class Watching {
  readonly child: Deno.ChildProcess;
  readonly #chunks: AsyncIterator<string>;
  #text = "";

  constructor(shell: Shell, args: string[] = []) {
    this.child = shell.start(["watch", ...args]);
    this.#chunks = this.child.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  }

  /** The next lines. */
  async lines(count: number): Promise<string[]> {
    while (lines(this.#text).length < count) {
      const { value, done } = await this.#chunks.next();
      if (done) break;
      this.#text += value;
    }
    const all = lines(this.#text);
    const taken = all.splice(0, count);
    this.#text = this.#text.slice(taken.join("\n").length + 1);
    return taken;
  }

  /** Ends it with Ctrl-C; returns its status and what it said. */
  async interrupt(): Promise<{ code: number; err: string }> {
    this.child.kill("SIGINT");
    await this.child.stdin.close();
    const [{ code }, err] = await Promise.all([this.child.status, new Response(this.child.stderr).text()]);
    await this.#chunks.return?.();
    return { code, err };
  }
}

cliTest("watch prints what another process writes, until Ctrl-C", async (shell) => {
  const store = await KvStore.open(shell.dir);
  await store.set("before", 1);
  const watching = new Watching(shell, ["--since", "0"]);
  assertEquals(await watching.lines(1), ['{"seq":1,"type":"set","key":"before","value":1}']);
  await store.batch([{ type: "set", key: "a", value: "text" }, { type: "delete", key: "before" }]);
  await store.set(Uint8Array.of(0, 255), Uint8Array.of(1, 2));
  await store.set("x", { base64: "no bytes" });
  await store.clear();
  const found = (await watching.lines(5)).map((line) => JSON.parse(line));
  assertEquals(found.map(({ seq: _, ...change }) => change), [
    { type: "set", key: "a", value: "text" },
    { type: "delete", key: "before" },
    { type: "set", key: { base64: "AP8=" }, value: { base64: "AQI=" } },
    { type: "set", key: "x", value: { json: { base64: "no bytes" } } },
    { type: "clear" },
  ]);
  assertEquals(await watching.interrupt(), { code: 130, err: "" });
  const matching = new Watching(shell, ["--since", "0", "--match", "?"]);
  const matched = (await matching.lines(3)).map((line) => JSON.parse(line));
  assertEquals(matched.map(({ type, key }) => [type, key]), [["set", "a"], ["set", "x"], ["clear", undefined]]);
  assertEquals(await matching.interrupt(), { code: 130, err: "" });
  const again = new Watching(shell, ["--since", String(found[1].seq), "--key-base64", "AA=="]);
  assertEquals((await again.lines(2)).map((line) => JSON.parse(line).type), ["set", "clear"]);
  assertEquals((await again.interrupt()).code, 130);
  await store.close();
});

cliTest("watch without --since begins with the next change, and follows one process after the other", async (shell) => {
  await shell.ok(["set", "user:1", "old"]);
  const watching = new Watching(shell, ["user:"]);
  // It has begun once it says something.
  await shell.ok(["set", "other", "1"]);
  let printed: string[] = [];
  const first = watching.lines(1).then((found) => printed = found);
  for (let i = 0; printed.length === 0 && i < 20; i++) await shell.ok(["set", "user:1", `new ${i}`]);
  await first;
  assertStringIncludes(printed[0]!, '"value":"new ');
  assertEquals((await watching.interrupt()).code, 130);
});

Deno.test({
  name: "cli: watch ends with 0 when nobody reads its lines any more",
  ignore: !canStartProcesses,
  fn: async () => {
    const root = await Deno.makeTempDir({ prefix: "kvstore-cli-" });
    const store = await KvStore.open(`${root}/store`);
    await Promise.all(Array.from({ length: 20_000 }, (_, i) => store.set(`key ${i}`, "v".repeat(50))));
    const kvstore = `'${Deno.execPath()}' run -A --no-check '${CLI}' --dir '${root}/store' watch --since 0`;
    const script = `set -o pipefail; ${kvstore} | head -3`;
    const { code, stdout, stderr } = await new Deno.Command("bash", { args: ["-c", script] }).output();
    const seen = lines(new TextDecoder().decode(stdout)).length;
    assertEquals([code, seen, new TextDecoder().decode(stderr)], [0, 3, ""]);
    await store.close();
    await Deno.remove(root, { recursive: true });
  },
});

cliTest("watch of changes that compaction has dropped ends with status 3 and TRIMMED", async (shell) => {
  for (const value of ["1", "2", "3"]) await shell.ok(["set", "k", value.repeat(200)]);
  await shell.ok(["compact"]);
  const { code, err } = await shell.run(["watch", "--since", "0", "--json"]);
  assertEquals([code, JSON.parse(err).error.code], [3, "TRIMMED"]);
  for (const wrong of [["watch", "--since", "x"], ["watch", "a", "b"], ["watch", "--since", "-1"]]) {
    assertEquals((await shell.run(wrong)).code, 2, wrong.join(" "));
  }
});
