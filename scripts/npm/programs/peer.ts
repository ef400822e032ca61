/**
 * The other process of the packaging tests, in any runtime: does what the lines of its input say, each an object in
 * JSON with `call`, and answers each with a line `{"is":…}` or, if the call failed, `{"code":…,"message":…}`. Under
 * Deno it runs with permission to read and write its directory and nothing else.
 *
 * @module
 */

import process from "node:process";
import { KvStore, KvStoreError, type OpenOptions, verifyStore } from "../../../mod.ts";
import { digest, operations } from "./data.ts";

/** A line of the input. */
interface Request {
  call: string;
  directory?: string;
  options?: OpenOptions;
  seed?: number;
  count?: number;
  rounds?: number;
}

let store: KvStore | undefined;

function opened(): KvStore {
  if (store === undefined) throw new Error("no store is open");
  return store;
}

const calls: Record<string, (request: Request) => unknown> = {
  open: async ({ directory, options }) => {
    store = await KvStore.open(directory!, options);
    return store.size;
  },
  close: async () => {
    await opened().close();
    store = undefined;
  },
  digest: () => digest(opened().entries()),
  compact: () => opened().compact(),
  clear: () => opened().clear(),
  refresh: () => opened().refresh(),
  segments: () => opened().stats().segments,
  write,
  churn,
  follow,
  verify: async ({ directory }) => (await verifyStore(directory!)).problems.map(({ reason }) => reason),
};

/** Writes operations, half of them one by one, half in batches of ten; all are acknowledged at the end. */
async function write({ seed, count }: Request): Promise<void> {
  const list = operations(seed!, count!);
  const writes: Promise<unknown>[] = [];
  for (let i = 0; i < list.length; i += 10) {
    const ten = list.slice(i, i + 10);
    if (i % 20 === 0) writes.push(opened().batch(ten));
    else {
      for (const operation of ten) {
        const { key } = operation;
        writes.push(operation.type === "set" ? opened().set(key, operation.value) : opened().delete(key));
      }
    }
  }
  await Promise.all(writes);
}

/** Counts up in two keys at once, as fast as it goes, with rotations, compactions and clearings in between. */
async function churn({ rounds }: Request): Promise<void> {
  for (let round = 1; round <= rounds!; round++) {
    const filler = { type: "set", key: `filler ${round % 20}`, value: "f".repeat(200) } as const;
    const count = (key: string) => ({ type: "set", key, value: round }) as const;
    await opened().batch([count("first"), filler, count("last")], { durability: "write" });
    if (round % 100 === 0) await opened().compact();
    if (round % 170 === 0) await opened().clear();
  }
  await opened().flush();
}

/**
 * Follows what `churn` does in another process, until it has seen the last round; resolves to the number of states it
 * saw.
 */
async function follow({ rounds }: Request): Promise<number> {
  let seen = 0;
  let states = 0;
  const end = Date.now() + 20_000;
  while (seen < rounds!) {
    if (await opened().refresh()) states++;
    const [first, last] = opened().getMany(["first", "last"]) as (number | undefined)[];
    if (first !== last) throw new Error(`half a batch is visible: ${first}, ${last}`);
    if (first !== undefined && first < seen) throw new Error(`went back from ${seen} to ${first}`);
    seen = first ?? seen;
    if (Date.now() > end) throw new Error(`got no further than round ${seen} of ${rounds}`);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return states;
}

async function answer(line: string): Promise<unknown> {
  try {
    const request: Request = JSON.parse(line);
    return { is: await calls[request.call]!(request) };
  } catch (error) {
    const code = error instanceof KvStoreError ? error.code : "ERROR";
    return { code, message: error instanceof Error ? error.message : String(error) };
  }
}

async function main(): Promise<void> {
  process.stdout.write(`{"is":"ready"}\n`);
  let rest = "";
  process.stdin.setEncoding("utf8");
  for await (const chunk of process.stdin) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
  }
  await store?.close();
}

main();
