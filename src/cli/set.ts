/** `set`. @module */

import type { Value } from "../../mod.ts";
import { durationMs, KEY_OPTION, keyArgument, optionText } from "./command_line/arguments.ts";
import type { Command, Context } from "./command_line/definition.ts";
import { EXIT, InputError, UsageError } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { readAll } from "./input_output/input.ts";
import { decodeText, keyForm } from "./text/notation.ts";

const VALUE_TYPES = ["string", "json", "bytes"] as const;
type ValueType = typeof VALUE_TYPES[number];

/** More than the library takes need not be read. */
const LIMIT_VALUE_BYTES = 64 * 1024 * 1024;

/** Stores a value. */
export const set: Command = {
  name: "set",
  args: [{ name: "KEY" }, { name: "VALUE", optional: true }],
  forms: ["KEY VALUE", "KEY -", "KEY --file FILE"],
  options: [
    KEY_OPTION,
    { name: "file", value: "FILE", about: "the value is what is in FILE, as bytes", completion: "file" },
    { name: "ttl", value: "DURATION", about: "the key is gone after it: 500ms, 10s, 10m, 2h, 7d" },
    { name: "type", value: "TYPE", about: "store it as string, json or bytes instead", completion: VALUE_TYPES },
  ],
  summary: "store a value",
  description:
    `VALUE is stored as a string, exactly as typed; - stands for standard input, stored as bytes. Behind -- it
means itself. The store is created if there is none. Returns once the value would survive a power cut. Without
--ttl the key stays until it is deleted, also if it was to expire before.`,
  json: '{"key":…,"type":"string","bytes":11}, and "expiresAt" (milliseconds since 1970) with --ttl',
  example: [
    'kvstore set greeting "hello world"',
    'kvstore set user:1 \'{"name":"Ada"}\' --type json',
    "kvstore set code 4711 --ttl 10m",
  ],
  endsGently: () => true,
  run: async (context) => {
    const key = keyArgument(context, 0);
    const duration = optionText(context, "ttl");
    const expiry = duration === undefined ? {} : { ttl: durationMs(duration, "--ttl") };
    const { value, bytes, type } = await readValue(context);
    return await withStore(context, "create", async (store) => {
      const written = store.set(key, value, expiry);
      // Asked at once: it may be a short one.
      const expiresAt = store.expiresAt(key);
      await written;
      if (context.json) context.out.add(JSON.stringify({ key: keyForm(key), type, bytes, expiresAt }) + "\n");
      await context.out.flush();
      return EXIT.done;
    });
  },
};

/** The value that the command line names, and what `--json` says about it. */
async function readValue(context: Context): Promise<{ value: Value; bytes: number; type: ValueType }> {
  const type = valueType(context);
  const source = valueSource(context);
  if (source === undefined) {
    const text = context.args[1]!;
    const asTyped = type ?? "string";
    const bytes = new TextEncoder().encode(text);
    if (asTyped !== "json") return { value: asTyped === "bytes" ? bytes : text, bytes: bytes.length, type: asTyped };
    return asJson(text, (reason) => new UsageError(`VALUE is not JSON: ${reason}`));
  }
  const bytes = await readAll(source, context.signal, LIMIT_VALUE_BYTES);
  if (type === undefined || type === "bytes") return { value: bytes, bytes: bytes.length, type: "bytes" };
  const name = source === "-" ? "standard input" : source;
  const text = decodeText(bytes);
  if (text === undefined) throw new InputError(`${name} is not UTF-8; without --type ${type} it is stored as bytes`);
  if (type === "string") return { value: text, bytes: bytes.length, type };
  return asJson(text, (reason) => new InputError(`${name} is not JSON: ${reason}`));
}

function asJson(text: string, failure: (reason: string) => Error): { value: Value; bytes: number; type: ValueType } {
  let value: Value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw failure((error as Error).message);
  }
  if (value === Infinity || value === -Infinity) throw failure("the number is too large to be one here");
  // A JSON string and a string are the same to the library.
  if (typeof value === "string") return { value, bytes: new TextEncoder().encode(value).length, type: "string" };
  return { value, bytes: new TextEncoder().encode(JSON.stringify(value)).length, type: "json" };
}

function valueType(context: Context): ValueType | undefined {
  const name = optionText(context, "type");
  const type = VALUE_TYPES.find((candidate) => candidate === name);
  if (name === undefined || type !== undefined) return type;
  throw new UsageError(`--type is "${name}"; wanted string, json or bytes`);
}

/** The file to read the value from (`-`: standard input), or `undefined` if it stands on the command line. */
function valueSource(context: Context): string | undefined {
  const file = optionText(context, "file");
  if (file === undefined && context.args.length < 2) {
    throw new UsageError("set wants a VALUE behind the key, - for standard input, or --file FILE");
  }
  if (file !== undefined && context.args.length > 1) {
    throw new UsageError(`set was given both VALUE "${context.args[1]}" and --file; wanted one of them`);
  }
  return file ?? (context.args[1] === "-" && context.plainArgs > 1 ? "-" : undefined);
}
