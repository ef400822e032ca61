/** `get`. @module */

import { Buffer } from "node:buffer";
import type { Key, Reader, Value } from "../../mod.ts";
import { hasSwitch, KEY_OPTION, keyArguments } from "./command_line/arguments.ts";
import type { Command, Context } from "./command_line/definition.ts";
import { EXIT } from "./command_line/errors.ts";
import { withSnapshot } from "./command_line/open_store.ts";
import { keyAbsent } from "./input_output/report_error.ts";
import { entryLine } from "./text/notation.ts";

/** Prints the values of keys. */
export const get: Command = {
  name: "get",
  elsewhere: ["mget", "read", "cat", "show"],
  args: [{ name: "KEY", repeated: true, completion: "key" }],
  options: [KEY_OPTION, { name: "raw", about: "print the exact bytes, without a line feed" }],
  summary: "print the value of a key, or of several",
  description:
    `Prints a string or bytes as they are, JSON as its text, and then a line feed. On a terminal, escapes characters
that do not print, such as those that control it; --raw does not. Exits with 1 if the key is not there.

Of several keys it prints the values of one moment in the order of the keys, says of each that is not there that
it is not, and exits with 1 if there was one. With --json each line has its key.`,
  json: '{"key":…,"value":…}, as a line of an export, with "expiresAt" if the key expires',
  example: ["kvstore get greeting", "hello world"],
  run: (context) => {
    const keys = keyArguments(context);
    return withSnapshot(context, async (snapshot) => {
      let status: number = EXIT.done;
      for (const key of keys) status = Math.max(status, await printValue(context, key, snapshot));
      return status;
    });
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
