/** `get`. @module */

import { Buffer } from "node:buffer";
import type { Key, Reader, Value } from "../../mod.ts";
import { hasSwitch, KEY_OPTION, keyArgument } from "./command_line/arguments.ts";
import type { Command, Context } from "./command_line/definition.ts";
import { EXIT } from "./command_line/errors.ts";
import { withSnapshot } from "./command_line/open_store.ts";
import { keyAbsent } from "./input_output/report_error.ts";
import { entryLine } from "./text/notation.ts";

/** Prints the value of a key. */
export const get: Command = {
  name: "get",
  args: [{ name: "KEY", completion: "key" }],
  options: [KEY_OPTION, { name: "raw", about: "print the exact bytes, without a line feed" }],
  summary: "print the value of a key",
  description:
    `Prints a string or bytes as they are, JSON as its text, and then a line feed. On a terminal, escapes characters
that do not print, such as those that control it; --raw does not. Exits with 1 if the key is not there.`,
  json: '{"key":…,"value":…}, as a line of an export, with "expiresAt" if the key expires',
  example: ["kvstore get greeting", "hello world"],
  run: (context) => {
    const key = keyArgument(context, 0);
    return withSnapshot(context, (snapshot) => printValue(context, key, snapshot));
  },
};

async function printValue(context: Context, key: Key, store: Reader): Promise<number> {
  const value = store.get(key);
  if (value === undefined) return keyAbsent(context, key);
  if (context.json) {
    context.out.add(entryLine(key, value, store.expiresAt(key)) + "\n");
  } else {
    const bytes = ArrayBuffer.isView(value) ? value : Buffer.from(valueText(value));
    const raw = hasSwitch(context, "raw");
    await context.out.bytes(bytes, { raw });
    if (!raw) context.out.add("\n");
  }
  await context.out.flush();
  return EXIT.done;
}

function valueText(value: Exclude<Value, Uint8Array>): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
