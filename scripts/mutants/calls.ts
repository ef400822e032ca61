/**
 * Mutants of what a call does with its caller: with the stack, and with what is handed over.
 *
 * @module
 */

import type { Promised } from "./types.ts";

/** Rules that other stores paid for: calls. */
export const callRules: Promised[] = [
  {
    sentence:
      "Where the caller's stack ends within a call, nothing of it is written; if the index may have taken a half of it, the " +
      "store fails.",
    mutants: [
      {
        id: "half-a-call-taken-for-none",
        file: "src/log/writer.ts",
        find: "if (!isStackOverflow(error) && this.#takeBack(end, at)) log.failure = undefined;",
        replace: "if (this.#takeBack(end, at)) log.failure = undefined;",
        killers: [[
          "tests/log/cut_off_test.ts",
          "a batch that a stack overflow cuts off fails the store with a code, and nothing of it is there after reopening",
        ]],
      },
      {
        id: "left-overs-of-a-call-written",
        file: "src/store/core.ts",
        find: "    this.writer.tail.stagedEnd = this.writer.tail.length;\n",
        replace: "",
        killers: [[
          "tests/log/cut_off_test.ts",
          "what a call that was cut off left staged is not written with the next one",
        ]],
      },
    ],
  },
  {
    sentence: "Keys and values are copied when they are taken, also those that a generator yields.",
    mutants: [
      {
        id: "key-of-a-generator-kept",
        file: "src/store/operations.ts",
        find: "const key = ownKey(operation.key);",
        replace: "const key = operation.key;",
        killers: [[
          "tests/contract/handed_over.ts",
          "handed over: a batch takes the key, value and object that its generator uses again for the next one",
        ]],
      },
      {
        id: "keys-asked-for-kept",
        file: "src/store/reader.ts",
        find: "list.push(ownKey(key))",
        replace: "list.push(key)",
        killers: [[
          "tests/contract/handed_over.ts",
          "handed over: getMany takes the key that its generator uses again",
        ]],
      },
    ],
  },
];
