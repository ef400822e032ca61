/**
 * What the package `@deno/kv` does otherwise than Deno's own KV, which this store follows: the cases of the conformance
 * suite that fail on it, and why. scripts/npm/deno_kv.ts runs them.
 *
 * @module
 */
import { cases } from "./conformance.ts";

/** The reasons, with the cases that fail for them. `…` in a name stands for anything. */
export const PACKAGE_DIFFERENCES: Record<string, readonly string[]> = {
  "its errors are of other kinds, have other messages, or are thrown by `list` instead of by `next`": [
    "keys: a part may not be null",
    "keys: a part may not be undefined",
    "keys: a part may not be {}",
    "keys: a part may not be []",
    "keys: a part may not be function",
    "expireIn: not …",
    'check: "0" is no versionstamp',
    'check: "000000000000000000000" is no versionstamp',
    "check: 5 is no versionstamp",
    "sum: what is no number of 64 bits",
    "min: what is no number of 64 bits",
    "max: what is no number of 64 bits",
    "list: … is no cursor",
    "list: a cursor of another list",
    "list: neither limit nor batchSize may be …",
    "list: selectors that are none",
    "list: unknown consistency",
    "limits: keys that are written have 2,048 bytes at most",
    "limits: bounds of lists have 2,049 bytes at most",
    "limits: the empty key cannot be written",
    "limits: values have 65,536 bytes at most",
    "limits: 10 keys at a time",
    "limits: 1,000 entries a batch",
    "limits: 1,000 mutations",
    "limits: messages have 65,536 bytes at most",
    "limits: messages count among the 1,000 mutations",
    "enqueue: what cannot be stored is refused",
    "listenQueue: in the end the keys get bytes as bytes, and a number of 64 bits as a plain object",
  ],
  "it accepts arguments that Deno refuses, and the reverse": [
    "get: consistency",
    'check: "" is no versionstamp',
    "mutate: what is no mutation",
    "atomic: cannot be awaited",
    "enqueue: delays from 0 to 30 days, without fractions",
    "enqueue: schedules of 5 times at most, of an hour at most",
    "enqueue: keys that are none",
  ],
  "it takes 10 checks instead of 100, a key of 2,049 bytes in `get`, and leaves keys out of the size of a commit": [
    "limits: 100 checks",
    "limits: keys that are read have 2,048 bytes at most, too",
    "limits: 81,920 bytes of keys that get values",
    "limits: 819,200 bytes a commit, with its keys, and once more those that get values",
    "limits: messages count in the bytes of a commit, with 4 for each time of a schedule",
  ],
  "it encodes values once the commit is called, so what changes or cannot be stored until then counts": [
    "set: no value that cannot be cloned",
    "set: the value is copied",
    "enqueue: the value is copied",
  ],
  "it gives bytes as a Buffer in the memory of the whole answer": ["set: bytes come back as bytes of their own"],
  "it has no commitVersionstamp": ["commitVersionstamp: …"],
  "it refuses to read and to watch the empty key": [
    "get: the empty key has no value",
    "watch: a key may be there twice, or be empty",
  ],
  'its cursors have a form of their own, and "" is none': ["list: cursors", "list: …, resumed after each entry"],
  "the iterator of a list is another object": ["list: it stays at its end"],
  "it shows what is inside when it is printed": [
    "how it is printed",
    "atomic: how it is printed",
    "atomic: how messages are printed",
  ],
  "it refuses expireIn: 0": ["expireIn: 0 is over at once"],
  "dispose throws after close, as calls do, with a plain Error": [
    "close: later calls fail",
    "close: what was called before takes its course",
  ],
  "a call of listenQueue runs one handler at a time, and does not end while it runs": [
    "listenQueue: handlers run at the same time",
    "listenQueue: 100 handlers run at the same time",
    "listenQueue: resolves when the handle is closed, whatever its handlers do",
  ],
  "it does not heed backoffSchedule": [
    "listenQueue: what fails is delivered again, as the schedule says, and no more",
    "listenQueue: in the end the keys get the value, in one commit",
  ],
  "a watch shows nothing while none of its entries is there, and a watch of no keys throws": [
    "watch: with a loop, over every kind of commit",
    "watch: a slow consumer gets the first state and then the last",
    "watch: no keys",
    "watch: several of one key",
    "watch: cancelled while a read waits",
    "watch: ends when the handle is closed, after what it has ready",
    "watch: 10 keys of 2,049 bytes at most, and nothing else",
    "watch: an entry that expires is a change",
  ],
  "Deno's own differs likewise: see DIFFERENCES": [
    "expireIn: an entry is gone at its time",
    "atomic: what fails in its middle changes nothing",
    "mutate: sum takes no numbers but KvU64",
    "list: all entries are of one state",
    "listenQueue: those that are due at once come in the order of their calls",
  ],
};

/** The names of the cases that a name of the table stands for. */
export function casesNamed(name: string): string[] {
  const [begin, end = ""] = name.split("…");
  const isMeant = (other: string) =>
    name.includes("…") ? other.startsWith(begin!) && other.endsWith(end) : other === name;
  return cases.map((one) => one.name).filter(isMeant);
}

/** The cases that fail, by name. */
export const FAILING: ReadonlySet<string> = new Set(Object.values(PACKAGE_DIFFERENCES).flat().flatMap(casesNamed));

/** Where what failed is not what the table says. */
export function unlikeTheTable(failed: readonly [name: string, error: string][]): string[] {
  const others = failed.filter(([name]) => !FAILING.has(name)).map(([name, error]) => `${name}: ${error}`);
  const names = new Set(failed.map(([name]) => name));
  const passed = [...FAILING].filter((name) => !names.has(name)).map((name) => `${name}: passes, unlike the table`);
  return [...others, ...passed];
}
