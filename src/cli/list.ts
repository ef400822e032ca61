/** `list`. @module */

import type { Key, Value } from "../../mod.ts";
import { hasSwitch, KEY_OPTION } from "./command_line/arguments.ts";
import type { Command, Context } from "./command_line/definition.ts";
import { EXIT } from "./command_line/errors.ts";
import { withSnapshot, withStore } from "./command_line/open_store.ts";
import { MATCH_OPTION, Selection } from "./command_line/selection.ts";
import { entryLine, keyForm, keyText, valueForm } from "./text/notation.ts";

/** Prints the keys. */
export const list: Command = {
  name: "list",
  aliases: ["ls"],
  elsewhere: ["keys", "scan"],
  args: [{ name: "PREFIX", optional: true, completion: "key" }],
  forms: ["[PREFIX]", "--match PATTERN"],
  options: [
    KEY_OPTION,
    MATCH_OPTION,
    { name: "values", about: "print values too, after a tab, as JSON in the form of an export" },
    { name: "limit", value: "N", about: "print at most N keys" },
    { name: "reverse", about: "print the last key first" },
  ],
  summary: "print the keys, sorted, one on each line",
  description:
    `Sorts keys by their bytes. Escapes the backslash and characters that do not print (\\\\, \\n, \\t, \\u0000).
Prints a key that is not text as base64:…; no other key looks like that.

PREFIX is taken as it is. In PATTERN, * stands for any characters, ? for one, [a-z] for one of these, [!a-z] for
one that is none of these, and \\x for the character x. A pattern is for the whole key: 'user:*', not 'user:'.`,
  json: 'a line for each key, a string or {"base64":"…"}; with --values {"key":…,"value":…} as in an export',
  example: ["kvstore list user: --limit 2", "user:1", "user:2"],
  run: (context) => {
    const selection = new Selection(context, { hasPrefix: true });
    return hasSwitch(context, "values") ? listEntries(context, selection) : listKeys(context, selection);
  },
};

function listEntries(context: Context, selection: Selection): Promise<number> {
  const write = context.json ? entryLine : readableEntry;
  return withSnapshot(context, async (snapshot) => {
    for (const [key, value] of selection.entries(snapshot)) {
      if (context.out.add(write(key, value, snapshot.expiresAt(key)) + "\n")) await context.out.flush();
    }
    await context.out.flush();
    selection.hint(snapshot);
    return EXIT.done;
  });
}

function listKeys(context: Context, selection: Selection): Promise<number> {
  return withStore(context, "read", async (store) => {
    for (const key of selection.keys(store)) {
      const line = context.json ? JSON.stringify(keyForm(key)) : keyText(key);
      if (context.out.add(line + "\n")) await context.out.flush();
    }
    await context.out.flush();
    selection.hint(store);
    return EXIT.done;
  });
}

function readableEntry(key: Key, value: Value): string {
  return `${keyText(key)}\t${JSON.stringify(valueForm(value))}`;
}
