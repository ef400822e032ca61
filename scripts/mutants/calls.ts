/**
 * Mutants of what a call does with its caller: with the stack, and with what is handed over.
 *
 * @module
 */

import type { Promised } from "./types.ts";

/** Rules that other stores paid for: calls. */
export const callRules: Promised[] = [
  {
    sentence: "A call that changes keys by what they hold reads and writes in one step, and leaves the rest as it is.",
    mutants: [
      {
        id: "expiry-lost-by-an-update",
        in: "Writing.update",
        find: "|| (this.#reading.expiresAt(own) ?? 0)",
        replace: "|| 0",
        killers: ["update, increment: a key keeps its expiry, unless another one is given"],
      },
      {
        id: "value-made-for-each-who-asks",
        in: "Writing.getOrSet",
        find: "let making = this.#making.get(name);",
        replace: "let making: Promise<V> | undefined;",
        killers: ["getOrSet: makes the value of a key once for all who ask meanwhile"],
      },
      {
        id: "made-value-over-a-newer-one",
        in: "Writing.#make",
        find: "if (present !== undefined) return present;",
        replace: "",
        killers: ["getOrSet: what is set meanwhile stays; what has expired is made anew"],
      },
      {
        id: "range-deleted-in-pieces",
        in: "stageDeletes",
        find: "tail.stagedEnd - tail.length > FULL_BATCH_BYTES",
        replace: "tail.stagedEnd - tail.length > 24",
        killers: ["deleteRange: cut off by the death of the process it has deleted nothing"],
      },
    ],
  },
  {
    sentence:
      "When the stack overflows within a call, nothing of it is written; if the index may have taken half of it, the " +
      "index is built anew from the log, and the store goes on.",
    mutants: [
      {
        id: "half-a-call-taken-for-none",
        in: "Writer.#announce",
        find: "if (!isStackOverflow(error)) {",
        replace: "{",
        killers: ["of a batch that is cut off nothing is there, and the next call is taken"],
      },
      {
        id: "half-changed-index-kept",
        in: "Writer.mend",
        find: "this.#events.onCutOff();",
        replace: "",
        killers: ["of a batch that is cut off nothing is there, and the next call is taken"],
      },
      {
        id: "index-built-anew-without-stack",
        in: "Writer.mend",
        find: "needStack();",
        replace: "",
        killers: ["where there is too little stack to build the index anew, a later call does so"],
      },
      {
        id: "no-turn-after-a-cut-off",
        in: "Writer.publish",
        find: "if (!this.#isScheduled && this.#syncing === undefined) this.#schedule();",
        replace: "",
        killers: ["a clear that is cut off has cleared nothing, neither at once nor for a snapshot"],
      },
      {
        id: "left-overs-of-a-call-written",
        in: "Engine.beginWrite",
        find: "writer.tail.stagedEnd = writer.tail.length;",
        replace: "",
        killers: ["what a call that was cut off left staged is not written with the next one"],
      },
    ],
  },
  {
    sentence: "Keys and values are copied when they are taken, also those that a generator yields.",
    mutants: [
      {
        id: "key-of-a-generator-kept",
        in: "encodeOperation",
        find: "const key = isReused ? ownKey(operation.key) : operation.key;",
        replace: "const key = operation.key;",
        killers: [
          "handed over: a batch takes the key, value and object that its generator uses again for the next one",
        ],
      },
      {
        id: "keys-asked-for-kept",
        in: "Reading.getMany",
        find: "list.push(ownKey(key))",
        replace: "list.push(key)",
        killers: ["handed over: getMany takes the key that its generator uses again"],
      },
    ],
  },
  {
    sentence: "A loop of awaited calls leaves the event loop its turn: timers, signals, syncs in the background and " +
      "compaction go on.",
    mutants: [
      {
        id: "loop-without-a-turn",
        in: "Writer.#schedule",
        find: "settled().then(",
        replace: "Promise.resolve().then(",
        killers: ["event loop: …, awaited in a loop, leaves others their turn"],
      },
      {
        id: "settled-without-a-turn",
        in: "settled",
        find: "return isOver(countingSince) ? nextTurn() : Promise.resolve();",
        replace: "return Promise.resolve();",
        killers: ["event loop: …, awaited in a loop, leaves others their turn"],
      },
      {
        id: "rejected-without-a-turn",
        in: "rejected",
        find: "return settled().then(() => {",
        replace: "return Promise.resolve().then(() => {",
        killers: ["event loop: …, awaited in a loop, leaves others their turn"],
      },
      {
        id: "adapter-without-a-turn",
        in: "turnIfDue",
        find: "return Math.abs(now() - began) < LONGEST_MS ? undefined : nextTurn();",
        replace: "return undefined;",
        killers: ["level: no call, awaited in a loop, keeps timers from firing"],
      },
    ],
  },
  {
    sentence: "A backup that fails or is aborted removes what it made, and nothing else.",
    mutants: [
      {
        id: "failed-backup-left-behind",
        in: "backupStore",
        find: "removeCopy(platform, target, { isNew, made });",
        replace: "if (made.length < 0) removeCopy(platform, target, { isNew, made });",
        killers: [
          "backup: one that fails at any operation leaves nothing behind, and the next one to the same place works",
        ],
      },
      {
        id: "failed-backup-removes-anothers",
        in: "removeCopy",
        find: "for (const name of made.reverse())",
        replace: "for (const name of [...made, ...platform.list(target)])",
        killers: ["backup: of two to one place at a time one is refused, and takes nothing of the other's away"],
      },
    ],
  },
  {
    sentence:
      "Whatever a store, its directory or an argument holds, the command line prints nothing that controls a terminal.",
    mutants: [
      {
        id: "controls-printed",
        in: "StreamOutput.flush",
        find: "printable(text, stream.isTTY)",
        replace: "text",
        killers: ["output: text is printable everywhere, bytes on a terminal, unless they are raw"],
      },
      {
        id: "direction-printed",
        in: "SUSPICIOUS",
        find: "\\u2028-\\u202e",
        replace: "\\u2028-\\u202d",
        killers: ["printable: of all characters, those that do not print are escaped, and no others"],
      },
      {
        id: "controls-in-errors",
        in: "reportError",
        find: "onOneLine(line)",
        replace: "line",
        killers: ["no command prints what controls a terminal: not of keys, values, arguments, names of files"],
      },
    ],
  },
  {
    sentence: "Text that no value can be is refused by the command line before it is parsed.",
    mutants: [
      {
        id: "deep-lines-parsed",
        in: "checkBounds",
        find: "if (++depth > maxLevels) throw",
        replace: "if (++depth > maxLevels * 1000) throw",
        killers: ["cli json: is as deep as a value may be, and is refused beyond, whatever its strings hold"],
      },
      {
        id: "brackets-in-strings-counted",
        in: "checkBounds",
        find: "at = endOfString(text, at);",
        replace: "endOfString(text, at);",
        killers: ["cli json: is as deep as a value may be, and is refused beyond, whatever its strings hold"],
      },
      {
        id: "endless-lines-kept",
        in: "LineAssembler.push",
        find: "if (this.#bytes + (end || chunk.length) > LINE_LIMIT_BYTES)",
        replace: "if (this.#bytes + end > LINE_LIMIT_BYTES)",
        killers: ["cli input: a line has a limit, beyond which nothing is kept"],
      },
    ],
  },
  {
    sentence: "The command line deletes and replaces only what was named, or asks first.",
    mutants: [
      {
        id: "cleared-unasked",
        in: "clear",
        find: "if (!isSure && keys > 0 && !await isConfirmed(context, keys)) {",
        replace: "if (!isSure && keys < 0 && !await isConfirmed(context, keys)) {",
        killers: [
          "on a terminal: clear asks; the shell prompts and completes, Ctrl-C ends a command only; and docs/cli.md is right",
        ],
      },
      {
        id: "cleared-for-an-empty-variable",
        in: "clear",
        find: 'if (context.args[0] === "") throw',
        replace: "if (context.args.length > 1) throw",
        killers: ["clear: all keys or those of a prefix, and without a terminal only with --yes"],
      },
      {
        id: "renamed-onto-another",
        in: "move",
        find: '!hasSwitch(context, "force") && store.has(to)',
        replace: '!hasSwitch(context, "force") && !store.has(from)',
        killers: ["rename: with type and expiry, never over another key unasked, and onto itself"],
      },
      {
        id: "renamed-onto-itself",
        in: "move",
        find: "if (context.args[0] === context.args[1]) return EXIT.done;",
        replace: "",
        killers: ["rename: with type and expiry, never over another key unasked, and onto itself"],
      },
    ],
  },
  {
    sentence: "A Keyv without a namespace clears none of those of its directory.",
    mutants: [
      {
        id: "all-namespaces-cleared",
        in: "clearWithout",
        find: "keys.length === store.size ? store.clear()",
        replace: "keys.length <= store.size ? store.clear()",
        killers: ["keyv …: without a namespace, clear deletes what is in none, and nothing else"],
      },
      {
        id: "separator-of-the-other-keyv",
        in: "KvKeyv.clear",
        find: 'Object.hasOwn(this, "namespace") ? ":" : "::"',
        replace: '"::"',
        killers: ["keyv …: without a namespace, clear deletes what is in none, and nothing else"],
      },
    ],
  },
];
