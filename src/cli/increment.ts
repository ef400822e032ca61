/** `incr`. @module */

import type { Key, KvStore, Value } from "../../mod.ts";
import { KEY_OPTION, keyArgument } from "./command_line/arguments.ts";
import type { Command } from "./command_line/definition.ts";
import { EXIT, InputError, UsageError } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { keyForm, keyText } from "./text/notation.ts";

/** Adds to a number. */
export const increment: Command = {
  name: "incr",
  elsewhere: ["increment", "incrby", "decr", "decrby"],
  args: [{ name: "KEY", completion: "key" }, { name: "BY", optional: true }],
  options: [KEY_OPTION],
  summary: "add to a number and print the sum",
  description:
    `Adds BY, or 1, to the value of KEY, in one step. A key that is not there counts as 0. The value is a number of
JSON, or a string that is one, as "kvstore set n 5" stores it; it stays what it was, and keeps its expiry. To
subtract, write BY after --. Any other value ends the command with status 3.`,
  json: '{"key":…,"value":6}',
  example: ["kvstore incr visits", "1", "kvstore incr visits -- -1", "0"],
  endsGently: () => true,
  run: (context) => {
    const key = keyArgument(context, 0);
    const typed = context.args[1] ?? "1";
    if (!/^-?[0-9]+(\.[0-9]+)?$/.test(typed)) {
      throw new UsageError(`BY is "${typed}"; wanted a number, such as 1 or -0.5`);
    }
    const by = Number(typed);
    return withStore(context, "write", async (store) => {
      const sum = await add(store, key, by);
      context.out.add((context.json ? JSON.stringify({ key: keyForm(key), value: sum }) : String(sum)) + "\n");
      await context.out.flush();
      return EXIT.done;
    });
  },
};

/** Adds to the value of a key, in one step, and returns the sum. */
async function add(store: KvStore, key: Key, by: number): Promise<number> {
  let sum = 0;
  await store.update(key, (value: Value = 0) => {
    const number = typeof value === "string" ? numberOf(value) : value;
    if (typeof number !== "number") throw new InputError(`the value of ${keyText(key)} is no number`);
    sum = number + by;
    if (!Number.isFinite(sum) || (Number.isInteger(sum) && !Number.isSafeInteger(sum))) {
      throw new InputError(`${number} + ${by} is beyond the whole numbers that are exact, up to 2^53 - 1`);
    }
    return typeof value === "string" ? String(sum) : sum;
  });
  return sum;
}

/** Returns the number that a string is. Other notations, such as 007, would not be what they were before. */
function numberOf(text: string): number | undefined {
  const number = Number(text);
  return String(number) === text ? number : undefined;
}
