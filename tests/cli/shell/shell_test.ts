/** `kvstore shell` as a process: with lines from a pipe, beside a writer, and on a terminal. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { KvStore, KvStoreError, verifyStore } from "../../../mod.ts";
import { blocksOf } from "../../docs/support/blocks.ts";
import { canStartProcesses } from "../../support/permissions.ts";
import { CLI, cliTest, lines } from "../support/shell.ts";

cliTest("shell: lines from a pipe run on one store; after one that fails the others follow", async (shell) => {
  const script = [
    "set greeting 'hello  world'",
    "get greeting",
    "",
    "get absent",
    "get greeting --json",
    "frob",
    "set k -",
    'get "greeting',
    "shell",
    "--dir other set a 1",
    "--dir other list",
    "has absent",
    "repair",
    "count\r",
    "exit",
    "get greeting",
  ];
  const { code, out, err } = await shell.run(["shell"], script.join("\n") + "\n");
  assertEquals(lines(out), [
    "hello  world",
    '{"key":"greeting","value":"hello  world"}',
    "a",
    "no damage found, nothing to repair",
    "kept 1 record",
    "1",
  ]);
  const messages = lines(err).filter((line) => line.startsWith("kvstore: "));
  assertEquals(messages.map((line) => line.replace(/; wanted one of.*/, "")), [
    "kvstore: key not found: absent",
    'kvstore: line 6: there is no command "frob"',
    "kvstore: line 7: in a shell, standard input has the lines; wanted a FILE",
    'kvstore: line 8: the line is not complete: it lacks a "',
    "kvstore: line 9: this is a shell; it cannot run another one",
  ]);
  assertEquals(code, 2);
  assertStringIncludes(err, "Usage: kvstore set KEY VALUE");

  const json = await shell.run(["shell", "--json"], "get greeting\nget absent\nfrob");
  assertEquals(json.out, '{"key":"greeting","value":"hello  world"}\n');
  assertEquals(lines(json.err).map((line) => JSON.parse(line).error.code), ["KEY_NOT_FOUND", "USAGE"]);
  assertEquals(json.code, 2);
  assertEquals((await shell.run(["shell"], "has greeting\nhas absent\nhas greeting")).code, 1);
});

// From the eleventh line that printed, the runtime warned of a leak.
cliTest("shell: many lines leave nothing behind that is warned of", async (shell) => {
  const { out, err } = await shell.run(["shell"], "set k v\n" + "get k\n".repeat(20));
  assertEquals([out, err], ["v\n".repeat(20), ""]);
});

cliTest("shell: reading, it locks nobody out and sees what others write; writing, it has the lock", async (shell) => {
  const child = shell.start(["shell"]);
  const typist = child.stdin.getWriter();
  const [printed, errors] = [new Printed(child.stdout), new Printed(child.stderr)];
  const type = (line: string) => typist.write(new TextEncoder().encode(line + "\n"));

  await type("get k");
  await errors.until("line 1: there is no store");
  const writer = await KvStore.open(shell.dir);
  for (const value of ["one", "two"]) {
    await writer.set("k", value);
    await type("get k");
    await printed.until(`${value}\n`);
  }
  await type("set k three");
  await errors.until(`line 4: another process or open store is writing to ${shell.dir}`);
  await type("get k");
  await printed.until("two\n");
  await writer.close();
  await type("set k three");
  await type("get k");
  await printed.until("three\n");
  assertEquals((await assertRejects(() => KvStore.open(shell.dir), KvStoreError)).code, "LOCKED");
  await typist.close();
  await Promise.all([printed.cancel(), errors.cancel()]);
  assertEquals((await child.status).code, 3);
});

cliTest("shell: a reader that goes away ends it, a signal ends it with its status", async (shell) => {
  await shell.ok(["set", "k", "v"]);
  const endless = shell.start(["shell"]);
  const typist = endless.stdin.getWriter();
  const typing = (async () => {
    for (;;) await typist.write(new TextEncoder().encode("get k\n".repeat(100)));
  })();
  await endless.stdout.cancel();
  await typing.catch(() => {});
  assertEquals((await endless.output()).code, 0);

  const waiting = shell.start(["shell"]);
  const writer = waiting.stdin.getWriter();
  await writer.write(new TextEncoder().encode("set k w\nget k\n"));
  const printed = new Printed(waiting.stdout);
  await printed.until("w\n");
  waiting.kill("SIGTERM");
  assertEquals((await waiting.status).code, 143);
  await Promise.all([printed.cancel(), waiting.stderr.cancel(), writer.close().catch(() => {})]);
});

/** Reads what a process prints. */
class Printed {
  readonly #reader: ReadableStreamDefaultReader<string>;
  /** All that has been printed. */
  text = "";
  /** How much of it has been waited for. */
  #seen = 0;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Waits until `wanted` is printed, after what was waited for before. */
  async until(wanted: string): Promise<void> {
    for (;;) {
      const found = this.text.indexOf(wanted, this.#seen);
      if (found >= 0) {
        this.#seen = found + wanted.length;
        return;
      }
      const { value } = await this.#reader.read();
      if (value === undefined) throw new Error(`wanted ${JSON.stringify(wanted)}, printed was:\n${this.text}`);
      this.text += value;
    }
  }

  /** Waits for the end of the process. */
  async toItsEnd(): Promise<void> {
    while ((await this.#reader.read()).value !== undefined);
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }
}

/** Whether there is the `script` of util-linux, which runs a command on a terminal. */
function hasTerminals(): boolean {
  if (!canStartProcesses) return false;
  try {
    const { stdout } = new Deno.Command("script", { args: ["--version"] }).outputSync();
    return new TextDecoder().decode(stdout).includes("util-linux");
  } catch {
    return false;
  }
}

if (hasTerminals()) {
  cliTest(
    "on a terminal: clear asks; the shell prompts and completes, Ctrl-C ends a command only; and docs/cli.md is right",
    async (shell) => {
      const dir = `${shell.root}/kvstore-data`;
      const store = await KvStore.open(dir);
      await store.set("old", 1);
      await store.close();
      const kvstore = `'${Deno.execPath()}' run -A --no-check '${CLI}'`;
      // Without `exec`, Ctrl-C would end a shell of the system, too.
      const command = `${kvstore} clear; exec ${kvstore} shell`;
      const env = { KVSTORE_DIR: "", NO_COLOR: "", SHELL: "/bin/sh", TERM: "xterm", DENO_NO_UPDATE_CHECK: "1" };
      const args = ["-qec", command, "/dev/null"];
      const child = new Deno.Command("script", { args, cwd: shell.root, env, stdin: "piped", stdout: "piped" }).spawn();
      const keyboard = child.stdin.getWriter();
      const screen = new Printed(child.stdout);
      const type = async (keys: string, until: string) => {
        await keyboard.write(new TextEncoder().encode(keys));
        await screen.until(until);
      };
      await screen.until("1 key");
      assertStringIncludes(screen.text, "Delete 1 key");
      await screen.until(" in ./kvstore-data? [y/N] ");
      await type("yes\r", "deleted 1 key");
      await screen.until('on ./kvstore-data; "help"');
      await screen.until("kvstore> ");
      await type("set news 'it rains'\r", "stored news (string, 8 bytes)");
      await screen.until("kvstore> ");
      await type("get ne\t", "news ");
      await type("\r", "it rains\r\n");
      await screen.until("kvstore> ");
      await type("watch --since 0\r", '"value":"it rains"');
      await type("\x03", "kvstore> ");
      await type("clear\r", "Delete 1 key in ");
      await type("\r", "nothing was deleted");
      for (const line of documentedSession()) {
        const [, typed] = /^kvstore> (.*)$/.exec(line) ?? [];
        const [, question, answer] = /^(.*\[y\/N\]) (.*)$/.exec(line) ?? [];
        if (typed !== undefined) {
          await screen.until("kvstore> ");
          await type(`${typed}\r`, typed);
        } else if (question !== undefined) {
          await screen.until(question);
          await type(`${answer}\r`, "\n");
        } else {
          await screen.until(line.replace("  ", "\t") + "\r\n");
        }
      }
      const printed = screen.toItsEnd();
      const { code } = await child.status;
      await Promise.all([printed, keyboard.close().catch(() => {})]);
      assertEquals(code, 0);
      assertEquals((await verifyStore(dir)).problems, []);
    },
  );
}

/** The lines of the session in docs/cli.md. */
function documentedSession(): string[] {
  const document = Deno.readTextFileSync(new URL("../../../docs/cli.md", import.meta.url));
  return lines(
    blocksOf(document).find(({ heading, language }) => heading === "The shell" && language === "text")!.text,
  );
}
