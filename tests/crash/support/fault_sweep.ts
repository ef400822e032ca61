/**
 * Every single operation on the disk fails, once or from then on until somebody mends it: the caller learns, contents
 * are those of the calls that succeeded, the store works again once the disk does, and after a failed sync writes
 * nothing more until it is opened anew.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { MemoryPlatformError, type Operation, type OperationKind } from "../../support/memory_platform.ts";
import { type Cases, runOf, type Subject } from "./crash_cases.ts";
import { assertExpiries } from "./crash_expiring.ts";
import { assertBackup } from "./crash_sweep.ts";
import { CHANGES } from "./disk.ts";
import { codeOf, contentsOf } from "./history.ts";
import { assertIntact, DIRECTORY, type Run, runSteps } from "./scenario.ts";

/** What goes wrong: from some operation on, and until it is mended. */
export interface Fault {
  name: string;
  /** Where it may begin. */
  begins: (operation: Operation) => boolean;
  /** What becomes of an operation, the first being number 0: it throws, goes in part, or happens. */
  meets: (operation: Operation, number: number, first: Operation) => number | void;
}

const fail = (code: string, { kind, path }: Operation): never => {
  throw new MemoryPlatformError(code, `${kind} of ${path}: injected`);
};
const always = () => true;
const isOf = (...kinds: OperationKind[]) => ({ kind }: Operation) => kinds.includes(kind);
const needsDescriptor = isOf("open", "list", "lock", "syncDirectory");
const needsPermission = isOf("open", "list", "lock", "rename", "remove", "makeDirectory", "syncDirectory");
const changes = ({ kind, mode }: Operation) =>
  mode === undefined ? CHANGES.includes(kind) && !kind.startsWith("sync") : mode !== "read";

/** The operation fails, and works the next time. */
export const ONCE: Fault = {
  name: "EIO once",
  begins: always,
  meets: (operation, number) => number === 0 ? fail("EIO", operation) : undefined,
};
/** All operations of its kind fail from then on. */
export const OF_A_KIND: Fault = {
  name: "EIO of a kind",
  begins: always,
  meets: (operation, _, { kind }) => operation.kind === kind ? fail("EIO", operation) : undefined,
};
/** The disk is gone. */
export const GONE: Fault = { name: "EIO of all", begins: always, meets: (operation) => fail("EIO", operation) };
/** The file system is read-only from then on. */
export const READ_ONLY: Fault = {
  name: "EROFS",
  begins: changes,
  meets: (operation) => changes(operation) ? fail("EROFS", operation) : undefined,
};
/** The process has no descriptor left. */
export const NO_DESCRIPTOR: Fault = {
  name: "EMFILE",
  begins: needsDescriptor,
  meets: (operation) => needsDescriptor(operation) ? fail("EMFILE", operation) : undefined,
};
/** Somebody took the rights away on one file or directory. */
export const NO_PERMISSION: Fault = {
  name: "EACCES",
  begins: needsPermission,
  meets: (operation, _, { path }) =>
    operation.path === path && needsPermission(operation) ? fail("EACCES", operation) : undefined,
};
/** Some bytes of a write are taken; the rest is refused. */
export const SHORT_THEN_FULL: Fault = {
  name: "a short write, then ENOSPC",
  begins: isOf("write"),
  meets: (operation, number) => {
    if (operation.kind !== "write") return;
    if (number === 0) return Math.min(30, operation.bytes! >> 1);
    if (number === 1) fail("ENOSPC", operation);
  },
};
/** All bytes of a write but some are taken, then none. */
export const SHORT_THEN_NOTHING: Fault = {
  name: "a short write, then none",
  begins: isOf("write"),
  meets: ({ kind, bytes = 0 }, number) => {
    if (kind === "write" && number <= 1) return number === 0 ? Math.max(1, bytes - 5) : 0;
  },
};

/** Who heard of the faults. */
export interface Tally {
  rejected: number;
  reported: number;
  /** Where nobody did. */
  unnoticed: string[];
}

/** A fault in one run: counts until it begins. */
class Injection {
  where = "";
  isMended = false;
  #first: Operation | undefined;
  #number = 0;
  #count = 0;

  constructor(readonly run: Run, readonly fault: Fault, n: number) {
    run.platform.onOperation = (operation) => {
      if (this.isMended) return;
      if (this.#first === undefined) {
        if (!fault.begins(operation) || ++this.#count < n) return;
        this.#first = operation;
        this.where = `${fault.name}, from ${operation.kind} of ${operation.path} on (operation ${operation.count})`;
      }
      return fault.meets(operation, this.#number++, this.#first);
    };
    run.heal = () => this.mend();
  }

  mend(): void {
    this.isMended = true;
  }
}

/**
 * Lets a fault begin at each operation where it may, or at each `every`th. It is mended once `patience` steps have gone
 * by since a caller heard of it.
 */
export async function sweepFaults(
  subject: Subject,
  cases: Cases,
  options: { fault: Fault; patience?: number; every?: number },
): Promise<Tally> {
  const { fault, patience = 0, every = 1 } = options;
  const tally: Tally = { rejected: 0, reported: 0, unnoticed: [] };
  let isOver = false;
  for (let n = 1; !isOver; n += every) {
    await cases.run(`${fault.name} ${n}`, async () => {
      isOver = !await runWithFault(subject, { fault, n, patience }, tally);
    });
    // One case alone: the others are not run, and so nobody sees the end.
    if (n > 1e5) break;
  }
  return tally;
}

/** Runs the steps with one fault, which begins at the `n`th operation where it may. False if there are not so many. */
export async function runWithFault(
  subject: Subject,
  { fault, n, patience }: { fault: Fault; n: number; patience: number },
  tally: Tally,
): Promise<boolean> {
  const run = runOf(subject, { isFaulty: true });
  const injection = new Injection(run, fault, n);
  let seen = 0;
  let steps = 0;
  await runSteps(run, subject.steps, async () => {
    if (run.history.rejections === seen || steps++ < patience) return;
    injection.mend();
    await assertWorks(run, injection.where);
    seen = run.history.rejections;
  });
  const { where } = injection;
  injection.mend();
  if (steps > 0) await assertWorks(run, where);
  assertEquals(contentsOf(run.store!, run.history.keys), run.history.present(), where);
  await run.close();
  run.platform.onOperation = undefined;
  await assertIntact(run.platform, where);
  await run.open();
  assertEquals(contentsOf(run.store!, run.history.keys), run.history.present(), `${where}: opened again`);
  await run.close();
  assertExpiries(run.platform, DIRECTORY, where);
  for (const backup of run.backups) await assertBackup(run.platform, backup, where);
  if (where === "") return false;
  if (run.history.rejections > 0) tally.rejected++;
  else if (run.reported > 0) tally.reported++;
  else tally.unnoticed.push(where);
  return true;
}

/** After an error: contents are right, and writing goes on, or is refused with `FAILED` until opened anew. */
async function assertWorks(run: Run, where: string): Promise<void> {
  const { history } = run;
  const store = run.store!;
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

/** For one write that a full disk refuses the reserve is given up, unless there is a value in it. */
function isCovered(where: string): boolean {
  return [SHORT_THEN_FULL, SHORT_THEN_NOTHING].some(({ name }) => where.startsWith(name));
}

/** Fails if anybody should have heard of one of the faults and nobody did. */
export function assertNoticed({ rejected, reported, unnoticed }: Tally, name: string): void {
  console.log(`${name}: ${rejected} rejected, ${reported} reported, ${unnoticed.length} unnoticed`);
  assert(rejected + reported > 0, "there was nothing to fail");
  // An image that cannot be read is as good as none, and so is the reserve, whatever befalls it; a file that is not
  // needed any more may stay for the next open.
  const isHarmless = (where: string) =>
    /from (remove of|(open|read) of \S+\/INDEX on|\w+ of \S+\/RESERVE(\.tmp)? on)/.test(where) || isCovered(where);
  assertEquals(unnoticed.filter((where) => !isHarmless(where)), []);
}
