/** `get` and `has`. @module */

import { Buffer } from "node:buffer";
import type { Key, Reader, Value } from "../../../mod.ts";
import { KEY_OPTION, keyArgument } from "../arguments.ts";
import { type Command, type Context, hasSwitch } from "../command.ts";
import { EXIT } from "../errors.ts";
import { entryLine, keyForm, keyText } from "../notation.ts";
import { withStore } from "../open.ts";
import { reportError } from "../report.ts";

/** Prints a value. */
export const get: Command = {
  name: "get",
  args: [{ name: "KEY" }],
  options: [KEY_OPTION, { name: "raw", about: "the exact bytes and nothing behind them" }],
  summary: "print the value of a key",
  description: `Prints a string or bytes as they are and JSON as JSON text, then a line feed. Nothing is escaped, on a
terminal neither (as with cat); --json escapes. Exits with 1 if the key is not there.`,
  json: '{"key":…,"value":…}, a line as in an export, with "expiresAt" if the key expires',
  example: ["kvstore get greeting", "hello world"],
  run: (context) => {
    const key = keyArgument(context, 0);
    return withStore(context, "read", (store) => printValue(context, key, store.snapshot()));
  },
};

/** Tells by its exit status whether a key is there. */
export const has: Command = {
  name: "has",
  args: [{ name: "KEY" }],
  options: [KEY_OPTION],
  summary: "tell by the exit status whether a key is there",
  description: "Exits with 0 if it is and with 1 if it is not, and prints nothing. Reads no record.",
  json: '{"key":…,"present":true}',
  example: ["kvstore has greeting && echo yes", "yes"],
  run: (context) => {
    const key = keyArgument(context, 0);
    return withStore(context, "read", async (store) => {
      const present = store.has(key);
      if (context.json) context.out.add(JSON.stringify({ key: keyForm(key), present }) + "\n");
      await context.out.flush();
      return present ? EXIT.done : EXIT.absent;
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
    await context.out.bytes(bytes);
    if (!hasSwitch(context, "raw")) context.out.add("\n");
  }
  await context.out.flush();
  return EXIT.done;
}

function valueText(value: Exclude<Value, Uint8Array>): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Says that a key is not there: no failure, so nothing under `--quiet`. */
export function keyAbsent(context: Context, key: Key): number {
  if (!context.quiet) {
    reportError("KEY_NOT_FOUND", `key not found: ${keyText(key)}`, context.json);
  }
  return EXIT.absent;
}
