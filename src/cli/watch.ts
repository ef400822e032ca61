/** `watch`. @module */

import { setImmediate } from "node:timers";
import type { Change, KvStore, WatchOptions } from "../../mod.ts";
import { KEY_OPTION, keyArgument, optionText, wholeNumber } from "./command_line/arguments.ts";
import type { Command, Context } from "./command_line/definition.ts";
import { EXIT } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { changeLine } from "./text/notation.ts";

/** Prints changes as they come. */
export const watch: Command = {
  name: "watch",
  args: [{ name: "PREFIX", optional: true }],
  options: [
    KEY_OPTION,
    { name: "since", value: "SEQ", about: "begin with the changes after that sequence number, not with the next one" },
  ],
  summary: "print changes as they become durable, until Ctrl-C",
  description: `NDJSON: a line for each change, with its sequence number, its type (set, delete or clear), and key and
value in the form of an export. PREFIX leaves out other keys, but not a clear, which concerns all of them. What
another process writes is printed within two seconds of being safe from a power cut. A key that expires is no
change, as nothing is written then; its line had an expiresAt.

--since goes on from a line that was printed before. Where the log cannot, it ends with status 3 (TRIMMED): if
compaction has dropped some of the changes asked for, or the reader of the output falls too far behind, or the
store has not come to that number, which is then from before an older state was put back. Ctrl-C ends it with
status 130; a reader that closes the pipe, with 0 at the next line.`,
  example: ["kvstore watch user: --since 17", '{"seq":18,"type":"set","key":"user:1","value":{"name":"Ada"}}'],
  endsGently: () => true,
  run: (context) => {
    const options: WatchOptions = { signal: context.signal };
    if (context.args.length > 0) options.prefix = keyArgument(context, 0);
    const since = optionText(context, "since");
    if (since !== undefined) options.since = wholeNumber(since, "--since", 0);
    return withStore(context, "read", (store) => printChanges(context, store, options));
  },
};

async function printChanges(context: Context, store: KvStore, options: WatchOptions): Promise<number> {
  const changes = store.watch(options);
  try {
    for (;;) {
      const step = await nextOrFlush(context, changes.next());
      if (step.done) return EXIT.done;
      if (context.out.add(changeLine(step.value) + "\n")) await context.out.flush();
    }
  } finally {
    await changes.return();
  }
}

type Step = IteratorResult<Change, undefined>;

/** The next change. If it is not there at once, those gathered before go out first. */
async function nextOrFlush(context: Context, next: Promise<Step>): Promise<Step> {
  const first = await new Promise<Step | undefined>((resolve, reject) => {
    next.then(resolve, reject);
    setImmediate(() => resolve(undefined));
  });
  if (first !== undefined) return first;
  await context.out.flush();
  return await next;
}
