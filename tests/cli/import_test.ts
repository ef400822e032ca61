import { assertEquals } from "@std/assert";
import process from "node:process";
import type { Context } from "../../src/cli/command_line/definition.ts";
import { importCommand } from "../../src/cli/import.ts";
import { cliTest } from "./support/shell.ts";

/** The calls of an import of a file on its store. */
async function callsOf(file: string, json: boolean): Promise<string[]> {
  const calls: string[] = [];
  const store = {
    batch(operations: unknown[], { durability }: { durability: string }) {
      calls.push(`batch of ${operations.length}, ${durability}`);
      return Promise.resolve();
    },
    set(key: string, value: unknown, { durability, expiresAt }: { durability: string; expiresAt?: number }) {
      calls.push(`set ${key} ${value} ${expiresAt}, ${durability}`);
      return Promise.resolve();
    },
    flush() {
      calls.push("flush");
      return Promise.resolve();
    },
  };
  const context = {
    args: [file],
    plainArgs: 1,
    json,
    quiet: true,
    signal: new AbortController().signal,
    note: (text: string) => calls.push(text),
    session: { use: (_context: unknown, _access: unknown, action: (s: unknown) => unknown) => action(store) },
  };
  const { write } = process.stdout;
  process.stdout.write = ((text: string, done: () => void) => {
    calls.push(text.trimEnd());
    done();
    return true;
  }) as typeof write;
  try {
    await importCommand.run(context as unknown as Context);
  } finally {
    process.stdout.write = write;
  }
  return calls;
}

cliTest(
  "import: what is acknowledged was synced, group by group; without --json all is synced at the end",
  async (shell) => {
    const lines = Array.from({ length: 1500 }, (_, i) => `{"key":"k${i}","value":${i}}\n`).join("");
    const many = shell.file("many", lines);
    const one = shell.file("one", '{"key":"k","value":1,"expiresAt":5}');
    assertEquals(await callsOf(many, false), [
      "batch of 1024, write",
      "batch of 476, write",
      "flush",
      "imported 1,500 lines",
    ]);
    assertEquals(await callsOf(one, false), ["set k 1 5, write", "flush", "imported 1 line"]);
    assertEquals((await callsOf(many, true)).filter((call) => call !== "flush"), [
      "batch of 1024, sync",
      '{"acknowledged":1024}',
      "batch of 476, sync",
      '{"acknowledged":1500}',
    ]);
    assertEquals((await callsOf(one, true))[0], "set k 1 5, sync");
  },
);
