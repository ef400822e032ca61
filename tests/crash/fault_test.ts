/**
 * Every single operation on the disk fails once, or goes on failing until somebody has heard of it: the caller
 * learns, contents are those of the calls that succeeded, the store works again once the disk does, and after a
 * failed sync writes nothing more until it is opened anew.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { MemoryPlatformError, type Operation, type OperationKind } from "../support/memory_platform.ts";
import { brokenDisk, newMachine, withSeed } from "./disk.ts";
import { codeOf, contentsOf } from "./history.ts";
import { assertIntact, LARGE, Run, runSteps, SMALL, type Step } from "./scenario.ts";

/** Who heard of the faults. */
interface Tally {
  faults: number;
  rejected: number;
  reported: number;
  unnoticed: string[];
}

/** What happens to the operations of one kind from the `n`th on: throws, limits a write, or lets it happen. */
type Fault = (operation: Operation, nth: number, n: number, isKnown: boolean) => number | void;

const once: Fault = (operation, nth, n) => {
  if (nth === n) throw brokenDisk(operation);
};

const untilKnown: Fault = (operation, nth, n, isKnown) => {
  if (nth >= n && !isKnown) throw brokenDisk(operation);
};

/** Some bytes are written; the rest is refused. */
const shortThenFull: Fault = (_, nth, n) => {
  if (nth === n) return 30;
  if (nth === n + 1) throw new MemoryPlatformError("ENOSPC", "injected");
};

/** All bytes but some are written, then none. */
const shortThenNothing: Fault = ({ bytes = 0 }, nth, n) => {
  if (nth === n) return Math.max(1, bytes - 5);
  if (nth === n + 1) return 0;
};

/** Runs the scenario with a fault at the `n`th operation of a kind. False if there are not so many. */
async function runWithFault(
  steps: Step[],
  fault: { kind: OperationKind; n: number; what: Fault; isWanted?: (operation: Operation) => boolean },
  tally: Tally,
): Promise<boolean> {
  const platform = newMachine();
  const run = new Run(platform, { isFaulty: true });
  const isKnown = () => run.history.rejections + run.reported > 0;
  let count = 0;
  let where = "";
  platform.onOperation = (operation) => {
    if (operation.kind !== fault.kind || fault.isWanted?.(operation) === false) return;
    count++;
    if (count === fault.n) where = `${operation.kind} ${fault.n} (of ${operation.path}) fails`;
    return fault.what(operation, count, fault.n, isKnown());
  };
  let seen = 0;
  const afterStep = async () => {
    if (run.history.rejections === seen) return;
    await assertWorks(run, where);
    seen = run.history.rejections;
  };
  await runSteps(run, steps, afterStep);
  assertEquals(run.read(run.store!) ?? run.read(run.store!), run.history.present(), where);
  await run.close();
  platform.onOperation = undefined;
  await assertIntact(platform, where);
  await run.open();
  assertEquals(contentsOf(run.store!, run.history.keys), run.history.present(), `${where}: opened again`);
  await run.close();
  if (where === "") return false;
  tally.faults++;
  if (run.history.rejections > 0) tally.rejected++;
  else if (run.reported > 0) tally.reported++;
  else tally.unnoticed.push(where);
  return true;
}

/**
 * After an error: contents are right, and writing goes on, or is refused with `FAILED` until the store is opened
 * anew.
 */
async function assertWorks(run: Run, where: string): Promise<void> {
  const store = run.store!;
  const { history } = run;
  if (await store.flush().then(() => false, (error) => codeOf(error) === "FAILED")) {
    history.assertPossible(contentsOf(store, history.keys), "sync", `${where}: after a failed sync`);
    for (const write of [store.set("~", 1), store.delete("a1"), store.clear(), store.batch([]), store.compact()]) {
      assertEquals(await write.then(() => "done", codeOf), "FAILED", where);
    }
    await run.close();
    await run.open();
  }
  assertEquals(contentsOf(run.store!, history.keys), history.present(), where);
  assertEquals((await run.store!.verify()).problems, [], `${where}: verify of the open store`);
  await run.store!.set("~", 1);
  assertEquals(await run.store!.delete("~"), true, where);
}

async function sweep(
  kind: OperationKind,
  what: Fault,
  steps: Step[] = SMALL,
  isWanted?: (operation: Operation) => boolean,
): Promise<Tally> {
  const tally: Tally = { faults: 0, rejected: 0, reported: 0, unnoticed: [] };
  await withSeed(1, async () => {
    const from = { kind, what, ...(isWanted === undefined ? {} : { isWanted }) };
    for (let n = 1; await runWithFault(steps, { ...from, n }, tally); n++);
  });
  console.log(kind, { ...tally, unnoticed: tally.unnoticed.length });
  assert(tally.faults > 0, "there was nothing to fail");
  return tally;
}

for (
  const kind of ["write", "sync", "open", "rename", "syncDirectory", "list", "lock", "makeDirectory", "read"] as const
) {
  Deno.test(`every ${kind} fails once`, async () => {
    const { unnoticed } = await sweep(kind, once);
    // An image that cannot be opened is as good as none.
    assertEquals(unnoticed.filter((where) => !where.includes("INDEX")), []);
  });
}

for (const kind of ["write", "open", "rename"] as const) {
  Deno.test(`every ${kind} fails until somebody has heard of it`, async () => {
    assertEquals((await sweep(kind, untilKnown)).unnoticed, []);
  });
}

Deno.test("every remove fails once: files that are not needed any more may stay for the next open", async () => {
  await sweep("remove", once);
});

Deno.test("every write is cut short, and the disk takes no more", async () => {
  await sweep("write", shortThenFull);
});

Deno.test("every write is cut short, and the next takes nothing", async () => {
  await sweep("write", shortThenNothing);
});

for (const kind of ["open", "sync", "rename", "remove"] as const) {
  Deno.test(`every ${kind} of an image of the index fails once`, async () => {
    await sweep(kind, once, LARGE, ({ path }) => path.includes("INDEX"));
  });
}

Deno.test("writes of an image of the index fail (every 199th)", async () => {
  let count = 0;
  await sweep("write", once, LARGE, ({ path }) => path.includes("INDEX") && count++ % 199 === 0);
});

Deno.test("short writes are gone on with", async () => {
  await withSeed(1, async () => {
    const platform = newMachine();
    platform.onOperation = ({ kind, bytes = 0 }) => kind === "write" ? Math.ceil(bytes / 3) : undefined;
    const run = new Run(platform);
    await runSteps(run, SMALL);
    assertEquals(contentsOf(run.store!, run.history.keys), run.history.present());
    await run.close();
    await assertIntact(platform, "short writes");
  });
});
