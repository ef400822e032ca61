/** `set`. @module */

import type { Value } from "../../mod.ts";
import { durationMs, KEY_OPTION, keyArgument, optionText } from "./command_line/arguments.ts";
import type { Command, Context } from "./command_line/definition.ts";
import { EXIT, InputError, UsageError } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { readAll } from "./input_output/input.ts";
import { counted } from "./text/format.ts";
import { parseJson } from "./text/json_text.ts";
import { decodeText, keyForm, keyText } from "./text/notation.ts";

const VALUE_TYPES = ["string", "json", "bytes"] as const;
type ValueType = typeof VALUE_TYPES[number];

/** The library takes no larger value, so no more is read. */
const LIMIT_VALUE_BYTES = 64 * 1024 * 1024;

/** Stores a value. */
export const set: Command = {
  name: "set",
  elsewhere: ["put", "store", "write", "add"],
  args: [{ name: "KEY", completion: "key" }, { name: "VALUE", optional: true }],
  forms: ["KEY VALUE", "KEY -", "KEY --file FILE"],
  options: [
    KEY_OPTION,
    { name: "file", value: "FILE", about: "take the value from FILE, as bytes", completion: "file" },
    { name: "ttl", value: "DURATION", about: "let the key expire after it: 500ms, 10s, 10m, 1h30m, 7d" },
    { name: "type", value: "TYPE", about: "store the value as string, json or bytes", completion: VALUE_TYPES },
  ],
  summary: "store a value",
  description:
    `Stores VALUE as a string, exactly as typed. With - as VALUE it stores standard input, as bytes; after --, - is a
value like any other. Creates the store if there is none. Returns once the value would survive a power cut.
Without --ttl the key does not expire, even if it was to expire before.`,
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
      // Asked at once: the key may expire soon.
      const expiresAt = store.expiresAt(key);
      await written;
      if (context.json) context.out.add(JSON.stringify({ key: keyForm(key), type, bytes, expiresAt }) + "\n");
      const until = duration === undefined ? "" : `, which expires in ${duration}`;
      context.tell(`stored ${keyText(key)} (${type}, ${counted(bytes, "byte")})${until}`);
      await context.out.flush();
      return EXIT.done;
    });
  },
};

/** Reads the value that the command line names, with what `--json` prints of it. */
async function readValue(context: Context): Promise<{ value: Value; bytes: number; type: ValueType }> {
  const type = valueType(context);
  const source = valueSource(context);
  if (source === undefined) {
    const text = context.args[1]!;
    const asTyped = type ?? "string";
    const bytes = new TextEncoder().encode(text);
    if (asTyped !== "json") return { value: asTyped === "bytes" ? bytes : text, bytes: bytes.length, type: asTyped };
    return asJson(text, (reason) => new UsageError(`VALUE is ${reason}`));
  }
  const bytes = await readAll(source, context, LIMIT_VALUE_BYTES);
  if (type === undefined || type === "bytes") return { value: bytes, bytes: bytes.length, type: "bytes" };
  const name = source === "-" ? "standard input" : source;
  const text = decodeText(bytes);
  if (text === undefined) throw new InputError(`${name} is not UTF-8; without --type ${type} it is stored as bytes`);
  if (type === "string") return { value: text, bytes: bytes.length, type };
  return asJson(text, (reason) => new InputError(`${name} is ${reason}`));
}

function asJson(text: string, failure: (reason: string) => Error): { value: Value; bytes: number; type: ValueType } {
  let value: Value;
  try {
    value = parseJson(text, { outerLevels: 0 }) as Value;
  } catch (error) {
    throw failure((error as Error).message);
  }
  if (value === Infinity || value === -Infinity) throw failure("a number that is too large for JavaScript");
  // To the library a JSON string is a string.
  if (typeof value === "string") return { value, bytes: new TextEncoder().encode(value).length, type: "string" };
  return { value, bytes: new TextEncoder().encode(JSON.stringify(value)).length, type: "json" };
}

function valueType(context: Context): ValueType | undefined {
  const name = optionText(context, "type");
  const type = VALUE_TYPES.find((candidate) => candidate === name);
  if (name === undefined || type !== undefined) return type;
  throw new UsageError(`--type is "${name}"; wanted string, json or bytes`);
}

/** Returns the file to read the value from, `-` for standard input; `undefined` if the value is an argument. */
function valueSource(context: Context): string | undefined {
  const file = optionText(context, "file");
  if (file === undefined && context.args.length < 2) {
    throw new UsageError("set needs a VALUE after the key, - for standard input, or --file FILE");
  }
  if (file !== undefined && context.args.length > 1) {
    throw new UsageError(`set was given both VALUE "${context.args[1]}" and --file; wanted one of the two`);
  }
  return file ?? (context.args[1] === "-" && context.plainArgs > 1 ? "-" : undefined);
}
