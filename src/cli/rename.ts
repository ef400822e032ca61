/** `rename`. @module */

import type { Key, KvStore } from "../../mod.ts";
import { hasSwitch, KEY_OPTION, keyArgument } from "./command_line/arguments.ts";
import type { Command, Context } from "./command_line/definition.ts";
import { EXIT } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { keyAbsent, reportError } from "./input_output/report_error.ts";
import { keyForm, keyText } from "./text/notation.ts";

/** Moves a value to another key. */
export const rename: Command = {
  name: "rename",
  elsewhere: ["mv", "move"],
  args: [{ name: "OLD", completion: "key" }, { name: "NEW", completion: "key" }],
  options: [
    { ...KEY_OPTION, about: "OLD and NEW are base64, for keys that are not text" },
    { name: "force", about: "replace the value of NEW, if it has one" },
  ],
  summary: "move a value to another key",
  description:
    `In one step, which a crash leaves done or not done. The value keeps its type and its time of expiry. Exits with 1
if OLD is not there, and with 3 if NEW is there, unless --force is given.`,
  json: '{"key":OLD,"renamed":NEW}',
  example: ["kvstore rename user:1 user:ada"],
  endsGently: () => true,
  run: (context) => {
    const [from, to] = [keyArgument(context, 0), keyArgument(context, 1)];
    return withStore(context, "write", async (store) => {
      const status = await move(context, store, { from, to });
      if (status !== EXIT.done) return status;
      if (context.json) context.out.add(JSON.stringify({ key: keyForm(from), renamed: keyForm(to) }) + "\n");
      else context.tell(`renamed ${keyText(from)} to ${keyText(to)}`);
      await context.out.flush();
      return EXIT.done;
    });
  },
};

async function move(context: Context, store: KvStore, { from, to }: { from: Key; to: Key }): Promise<number> {
  // In the store itself, the key might expire between its value and its time.
  const snapshot = store.snapshot();
  const value = snapshot.get(from);
  const expiresAt = snapshot.expiresAt(from);
  snapshot.close();
  if (value === undefined) return keyAbsent(context, from);
  // The batch would delete what it has set.
  if (context.args[0] === context.args[1]) return EXIT.done;
  if (!hasSwitch(context, "force") && store.has(to)) {
    reportError("KEY_EXISTS", `${keyText(to)} is there already; --force replaces its value`, context.json);
    return EXIT.failed;
  }
  const expiry = expiresAt === undefined ? {} : { expiresAt };
  await store.batch([{ type: "set", key: to, value, ...expiry }, { type: "delete", key: from }]);
  return EXIT.done;
}
