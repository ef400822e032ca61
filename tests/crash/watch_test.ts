/**
 * Crashes under a watch: the process dies, or the power fails, at every operation, and what a watch had told by then is
 * true for ever. Whoever applies the changes that it told, opens what is left, and goes on from the last one, comes to
 * the contents of the store.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type Change, KvStore } from "../../mod.ts";
import { nextTurn } from "../../src/platform/turn.ts";
import { verifyOn } from "../../src/check/verify.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { onEmptyDisk, runOf } from "./support/crash_cases.ts";
import { casesOf, SEED } from "./support/crash_replay.ts";
import { CUT, isChange, KILLED, TORN } from "./support/crash_sweep.ts";
import { withSeed } from "./support/disk.ts";
import { type Contents, contentsOf, textOf } from "./support/history.ts";
import { DIRECTORY, OPTIONS, runSteps, SMALL } from "./support/scenario.ts";

const WAYS = { ...KILLED, ...CUT, ...TORN };

/** A moment of a run, and how many changes had been told. */
interface Moment {
  platform: MemoryPlatform;
  told: number;
  id: string;
}

/** What is told of a store, through closing and opening. */
class Teller {
  readonly told: Change[] = [];
  #store: KvStore | undefined;

  /** Goes on with a store, if it is another one. */
  follow(store: KvStore | undefined): void {
    if (store === undefined || store === this.#store) return;
    this.#store = store;
    this.#read(store);
  }

  async #read(store: KvStore): Promise<void> {
    for await (const change of store.watch({ since: this.told.at(-1)?.seq ?? 0 })) this.told.push(change);
  }
}

/** Everything that is told from a sequence number on, until there is nothing more. */
async function tellFrom(store: KvStore, since: number): Promise<Change[]> {
  const told: Change[] = [];
  const watch = store.watch({ since });
  let failure: unknown;
  const end = (async () => {
    for await (const change of watch) told.push(change);
  })().catch((error) => failure = error);
  for (let before = -1; before < told.length;) {
    before = told.length;
    for (let turns = 0; turns < 3; turns++) await nextTurn();
  }
  await watch.return();
  await end;
  if (failure !== undefined) throw failure;
  return told;
}

function apply(contents: Contents, changes: Change[]): void {
  let last = 0;
  for (const change of changes) {
    assert(change.seq > last, "in order, each once");
    last = change.seq;
    if (change.type === "clear") contents.clear();
    else if (change.type === "delete") contents.delete(String(change.key));
    else contents.set(String(change.key), change.value);
  }
}

Deno.test("watch: what it told survives every crash, and it goes on from there to what the store holds", async (t) => {
  const cases = casesOf(t);
  const run = runOf(onEmptyDisk(SMALL));
  const teller = new Teller();
  const moments: Moment[] = [];
  await withSeed(SEED, async () => {
    run.platform.onOperation = (operation) => {
      teller.follow(run.store);
      if (!isChange(operation)) return;
      moments.push({ platform: run.platform.fork(), told: teller.told.length, id: String(operation.count) });
    };
    // A watch that compaction leaves behind would be told so when the store is opened again: this one keeps up.
    await runSteps(run, SMALL, async () => {
      for (let turns = 0; turns < 20; turns++) await nextTurn();
    });
    await run.close();
  });
  assert(moments.length > 200 && teller.told.length > 50, `${moments.length} moments, ${teller.told.length} told`);
  for (const moment of moments) {
    for (const [way, goDown] of Object.entries(WAYS)) {
      await cases.run(`${moment.id} ${way}`, async (random) => {
        const left = goDown(moment.platform, random);
        const told = teller.told.slice(0, moment.told);
        const store = await KvStore.openOn(left, DIRECTORY, OPTIONS);
        const rest = await tellFrom(store, told.at(-1)?.seq ?? 0);
        const contents: Contents = new Map();
        apply(contents, [...told, ...rest]);
        assertEquals(textOf(contents), contentsOf(store, [...contents.keys()]));
        await store.close();
        assertEquals((await verifyOn(left, DIRECTORY, {})).problems, []);
      });
    }
  }
  console.log(`${cases.count} crashes`);
});
