/**
 * What programs rely on in Deno KV, as small cases over any implementation of it. Written from its documentation and
 * from what it does.
 *
 * @module
 */
import type { Case, Subject } from "./cases.ts";
import { commitCases } from "./commit_cases.ts";
import { entryCases } from "./entry_cases.ts";
import { limitCases } from "./limit_cases.ts";
import { listCases } from "./list_cases.ts";
import { listenCases } from "./listen_cases.ts";
import { queueCases } from "./queue_cases.ts";
import { watchCases } from "./watch_cases.ts";

/** What real Deno KV does otherwise, and why this store does not do the same. */
export const DIFFERENCES: Record<string, string> = {
  "expireIn: an entry is gone at its time": "Deno removes expired entries now and then, and shows them until then",
  "expireIn: 0 is over at once": "Deno removes expired entries now and then, and shows them until then",
  "watch: an entry that expires is a change": "Deno shows it once it removes the entry, up to a minute later",
  "atomic: what fails in its middle changes nothing": "Deno keeps the mutations before the one that fails",
  "list: calls of next at the same time get one entry each": "Deno gives each of them the first entry",
  "list: all entries are of one state": "Deno reads 100 entries at a time, each time from the state of the moment",
  "mutate: sum takes no numbers but KvU64": "Deno adds numbers and bigints, which it documents nowhere",
  "close: what was called before takes its course": "Deno rejects what is under way, though it may have been written",
  "listenQueue: those that are due at once come in the order of their calls": "Deno takes them in any order",
  "listenQueue: 100 handlers run at the same time": "Deno's code names this limit and does not apply it",
};

/** Every case. Names are unique. */
export const cases: readonly Case[] = [
  ...entryCases,
  ...commitCases,
  ...listCases,
  ...limitCases,
  ...queueCases,
  ...listenCases,
  ...watchCases,
];

/** Runs a case. */
export async function runCase(subject: Subject, { run }: Case): Promise<void> {
  const kv = await subject.open();
  try {
    await run(kv, subject);
  } finally {
    kv[Symbol.dispose]();
  }
}
