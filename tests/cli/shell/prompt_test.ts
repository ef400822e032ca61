import { assertEquals, assertStringIncludes } from "@std/assert";
import process from "node:process";
import { PassThrough } from "node:stream";
import { Prompt } from "../../../src/cli/shell/prompt.ts";

/** A prompt over streams, with what it has written, and whether keys come one by one. */
class Typist {
  readonly input: PassThrough & { setRawMode?: (isRaw: boolean) => void } = new PassThrough();
  readonly output: PassThrough = new PassThrough();
  readonly prompt: Prompt;
  written = "";
  isRaw = false;

  constructor(offered: string[] = []) {
    this.input.setRawMode = (isRaw) => this.isRaw = isRaw;
    this.output.on("data", (data) => this.written += data);
    const completer = (line: string) => {
      const typed = line.split(" ").at(-1)!;
      return Promise.resolve<[string[], string]>([offered.filter((word) => word.startsWith(typed)), typed]);
    };
    this.prompt = new Prompt({ input: this.input, output: this.output }, completer);
  }

  /** Types keys, and returns the line that they make. */
  async line(...keys: string[]): Promise<string | undefined> {
    const line = this.prompt.next();
    for (const key of keys) await this.press(key);
    return await line;
  }

  async press(key: string): Promise<void> {
    this.input.write(key);
    await new Promise((resolve) => setTimeout(resolve));
    await new Promise((resolve) => setTimeout(resolve));
  }
}

Deno.test("cli shell prompt: lines are edited, completed and remembered", async () => {
  const typist = new Typist(["user:1"]);
  assertEquals(await typist.line("get x", "\x7f", "y\r"), "get y");
  assertEquals(await typist.line("get us", "\t", "\r"), "get user:1");
  assertEquals(await typist.line("\x1b[A", "\x1b[A", "\r"), "get y");
  assertStringIncludes(typist.written, "kvstore> ");
  typist.prompt.close();
});

Deno.test("cli shell prompt: Ctrl-C drops the line, Ctrl-D ends", async () => {
  const typist = new Typist();
  assertEquals(await typist.line("delete everything", "\x1b[D\x1b[D", "\x03"), "");
  assertStringIncludes(typist.written, "^C\n");
  assertEquals(await typist.line("get a\r"), "get a");
  assertEquals(await typist.line("\x04"), undefined);
  assertEquals(await typist.line(), undefined);
});

Deno.test("cli shell prompt: pasted lines run one after the other, and answer no question", async () => {
  const typist = new Typist();
  assertEquals(await typist.line("set a 1\rset b 2\rget a\r"), "set a 1");
  const answer = typist.prompt.ask("Really? ");
  await typist.press("y\r");
  assertEquals(await answer, "y");
  assertStringIncludes(typist.written, "Really? ");
  assertEquals([await typist.line(), await typist.line()], ["set b 2", "get a"]);
  const refused = typist.prompt.ask("Really? ");
  await typist.press("yes\x03");
  assertEquals(await refused, "");
  typist.prompt.close();
});

// Ctrl-C behind a line ended the shell now and then: it was a signal before the command listened to signals.
Deno.test("cli shell prompt: while a command runs, Ctrl-C is a signal, and somebody listens", async () => {
  const typist = new Typist();
  const seen: [isRaw: boolean, listeners: number][] = [];
  const look = () => seen.push([typist.isRaw, process.listenerCount("SIGINT")]);
  typist.input.setRawMode = (isRaw) => {
    typist.isRaw = isRaw;
    look();
  };
  assertEquals(await typist.line("clear\r"), "clear");
  await typist.prompt.during(async () => {
    const answer = typist.prompt.ask("Really? ");
    await typist.press("y\r");
    await answer;
  });
  typist.prompt.close();
  look();
  assertEquals(seen, [[false, 1], [true, 1], [false, 1], [true, 1], [false, 0], [false, 0]]);
});
