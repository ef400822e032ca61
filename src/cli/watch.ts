/** `watch`. @module */

import { setImmediate } from "node:timers";
import type { Change, Watch, WatchOptions } from "../../mod.ts";
import { KEY_OPTION, optionText, wholeNumber } from "./command_line/arguments.ts";
import type { Command, Context } from "./command_line/definition.ts";
import { EXIT } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { MATCH_OPTION, Selection } from "./command_line/selection.ts";
import { changeLine } from "./text/notation.ts";

/** Prints changes as they become durable. */
export const watch: Command = {
  name: "watch",
  elsewhere: ["monitor", "subscribe"],
  args: [{ name: "PREFIX", optional: true, completion: "key" }],
  forms: ["[PREFIX]", "--match PATTERN"],
  options: [
    KEY_OPTION,
    MATCH_OPTION,
    { name: "since", value: "SEQ", about: "begin with the changes after that sequence number" },
  ],
  summary: "print changes as they become durable, until Ctrl-C",
  description:
    `Prints NDJSON: a line for each change, with its sequence number, its type (set, delete or clear), and its key
and value in the form of an export. With PREFIX or --match, changes of other keys are left out; a clear is
printed, as it affects all keys. Prints what another process writes within two seconds after it is durable. The
expiry of a key is no change, as nothing is written then; the line that set the key has "expiresAt".

--since continues after a line that was printed before. If the log cannot, the command ends with status 3
(TRIMMED): compaction has dropped some of the changes, or the reader of the output has fallen too far behind, or
the store has not reached that number, since an older state of it was restored. Ctrl-C ends the command with
status 130. If the reader closes the pipe, it ends with 0 at the next line.`,
  example: ["kvstore watch user: --since 17", '{"seq":18,"type":"set","key":"user:1","value":{"name":"Ada"}}'],
  endsGently: () => true,
  run: (context) => {
    const selection = new Selection(context, { hasPrefix: true });
    const options: WatchOptions = { signal: context.signal };
    if (selection.range.prefix !== undefined) options.prefix = selection.range.prefix;
    const since = optionText(context, "since");
    if (since !== undefined) options.since = wholeNumber(since, "--since", 0);
    return withStore(context, "read", (store) => {
      selection.hint(store);
      return printChanges(context, store.watch(options), selection);
    });
  },
};

async function printChanges(context: Context, changes: Watch, selection: Selection): Promise<number> {
  try {
    for (;;) {
      const step = await nextOrFlush(context, changes.next());
      if (step.done) return EXIT.done;
      if (step.value.type !== "clear" && !selection.has(step.value.key)) continue;
      if (context.out.add(changeLine(step.value) + "\n")) await context.out.flush();
    }
  } finally {
    await changes.return();
  }
}

type Step = IteratorResult<Change, undefined>;

/** Returns the next change. If it has to wait for one, it first writes the buffered lines. */
async function nextOrFlush(context: Context, next: Promise<Step>): Promise<Step> {
  const first = await new Promise<Step | undefined>((resolve, reject) => {
    next.then(resolve, reject);
    setImmediate(() => resolve(undefined));
  });
  if (first !== undefined) return first;
  await context.out.flush();
  return await next;
}
