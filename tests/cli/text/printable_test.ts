import { assert, assertEquals } from "@std/assert";
import { StreamOutput, type Writable } from "../../../src/cli/input_output/output.ts";
import { escaped, onOneLine, printable } from "../../../src/cli/text/printable.ts";

/** What no text may hold when it leaves for a terminal. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

Deno.test("printable: of all characters, those that do not print are escaped, and no others", () => {
  for (let code = 0; code <= 0x10ffff; code++) {
    const character = String.fromCodePoint(code);
    const text = printable(character);
    if (text === character && !UNPRINTABLE.test(character)) continue;
    if (character === "\n" || character === "\t") assertEquals(text, character);
    else assert(/^(\\u[0-9a-f]{4})+$/.test(text) && JSON.parse(`"${text}"`) === character, `U+${code.toString(16)}`);
  }
});

Deno.test("printable: JSON means the same, a joiner within a word or an emoji stays", () => {
  const hostile = [
    "\x1b]0;title\x07",
    "\u009b31m",
    "\u202egpj.exe",
    "\u2066\u2069",
    "\ud800",
    "\u{e0041}",
    "\x7f\ufeff",
  ];
  const json = JSON.stringify({ [hostile.join()]: hostile });
  assert(!UNPRINTABLE.test(printable(json)));
  assertEquals(JSON.parse(printable(json)), JSON.parse(json));
  for (const word of ["👩‍👧‍👦", "❤️‍🔥", "👩🏽‍🚀", "می‌خواهم", "ක්‍ර"]) assertEquals(printable(word), word);
  // Among ASCII letters, or in a row, joiners only make different keys look the same.
  assertEquals(printable("us\u200der, م\u200c\u200c"), "us\\u200der, م\u200c\\u200c");
  assertEquals(escaped("a\\\r\n\t\u202e"), "a\\\\\\r\\n\\t\\u202e");
  assertEquals(onOneLine("a\r\nb\tc\x1b"), "a b c\\u001b");
});

/** Returns what a stream gets. */
async function written(isTTY: boolean, write: (out: StreamOutput) => Promise<void>): Promise<string> {
  const chunks: (string | Uint8Array)[] = [];
  const stream: Writable = {
    isTTY,
    write(data, done) {
      chunks.push(data);
      done();
      return true;
    },
    on: () => {},
  };
  await write(new StreamOutput(undefined, () => stream));
  return chunks.map((chunk) => typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk)).join("");
}

Deno.test("output: text is printable everywhere, bytes on a terminal, unless they are raw", async () => {
  const hostile = "\u009b2J\x1b]0;x\x07";
  const bytes = new TextEncoder().encode(hostile);
  for (const isTTY of [false, true]) {
    const text = await written(isTTY, (out) => (out.add(`${hostile}\n`), out.flush()));
    assertEquals(text, "\\u009b2J\\u001b]0;x\\u0007\n");
    assertEquals(await written(isTTY, (out) => out.bytes(bytes, { raw: true })), hostile);
  }
  assertEquals(await written(false, (out) => out.bytes(bytes)), hostile);
  assertEquals(await written(true, (out) => out.bytes(bytes)), "\\u009b2J\\u001b]0;x\\u0007");
  // What a painter adds colours a terminal, and is no part of a file.
  assertEquals(await written(true, (out) => (out.add("\x1b[32mlive\x1b[0m"), out.flush())), "\x1b[32mlive\x1b[0m");
  assertEquals(await written(false, (out) => (out.add("\x1b[32m"), out.flush())), "\\u001b[32m");
});
