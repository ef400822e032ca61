/**
 * A store that filled its volume could not be got out of it: deletes, `clear`, `compact`, `close` and opening for
 * writing all rejected, as each needs a few bytes first, if only for the next MANIFEST. Now a file is kept in reserve
 * and given up for them; where recovery has no room for a copy of the tail, it makes it durable where it is.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { MemoryPlatform, MemoryPlatformError } from "../support/memory_platform.ts";
import { onExpiring, runOf, type Subject } from "./support/crash_cases.ts";
import { casesOf, oneIn } from "./support/crash_replay.ts";
import { CUT, goDown, KILLED, type Moment, sweepCrashes, TORN } from "./support/crash_sweep.ts";
import { newMachine } from "./support/disk.ts";
import { usedBytes } from "./support/disk_full_sweep.ts";
import { codeOf, contentsOf, History } from "./support/history.ts";
import { assertIntact, DIRECTORY, OPTIONS, reopen, Run, runSteps, SMALL, type Step } from "./support/scenario.ts";

const RESERVE = `${DIRECTORY}/RESERVE`;
const RESERVE_BYTES = 128 * 1024;

/** Leaves the disk no byte more than it has. */
function fill(platform: MemoryPlatform): void {
  platform.capacityBytes = usedBytes(platform);
}

/** Runs the steps; from the `n`th write behind the creation on nothing fits any more, of that one `share`. */
async function runUntilFull(subject: Subject, n: number, share: number): Promise<Run | undefined> {
  const run = runOf(subject, { isFaulty: true });
  const { platform } = run;
  await run.open();
  // Something that compaction gives back, however early the disk is full.
  for (const key of ["v", "w", "x", "y"]) run.set(key, "x".repeat(2000));
  await run.close();
  let writes = 0;
  platform.onOperation = ({ kind, bytes = 0 }) => {
    if (kind !== "write" || ++writes !== n) return;
    platform.capacityBytes = usedBytes(platform) + Math.floor(bytes * share);
  };
  await runSteps(run, subject.steps);
  platform.onOperation = undefined;
  if (writes < n) {
    await run.close();
    return undefined;
  }
  return run;
}

/** Everything that is to be possible without a free byte, and that it makes room. */
async function getOut(run: Run, where: string): Promise<void> {
  const { platform, history } = run;
  const check = (when: string) =>
    assertEquals(contentsOf(run.store!, history.keys), history.present(), `${where}: ${when}`);
  const must = async (step: () => void, what: string) => {
    const before = history.rejections;
    step();
    await run.settled();
    assertEquals(history.rejections, before, `${where}: ${what} was refused`);
    check(what);
  };
  check("on the full disk");
  for (const key of [...run.store!.keys()].slice(0, 3)) await must(() => run.delete(String(key)), "delete");
  await must(() => run.compact(), "compact");
  await must(() => run.clear(), "clear");
  await must(() => run.compact(), "compact behind clear");
  await must(() => run.set("~", "x".repeat(100)), "set, in the room that was made");
  await reopen(run);
  check("opened again");
  await run.close();
  assert(platform.readFile(RESERVE).length > RESERVE_BYTES - 4096, `${where}: the reserve is not back`);
  await assertIntact(platform, where);
}

for (const share of [0, 0.5]) {
  Deno.test(`the disk fills up in every write, of which ${share * 100} % fit, and stays full: there is a way out`, async (t) => {
    const cases = casesOf(t);
    const subject = await onExpiring(SMALL);
    let isOver = false;
    for (let n = 1; !isOver; n += oneIn(3)) {
      await cases.run(`write ${n}`, async () => {
        const run = await runUntilFull(subject, n, share);
        if (run === undefined) return void (isOver = true);
        await getOut(run, `full from write ${n} on`);
      });
    }
    assert(cases.met > 30, `only ${cases.met} writes`);
  });

  Deno.test(`the disk fills up in every write, of which ${share * 100} % fit, and the process ends: there is a way out`, async (t) => {
    const cases = casesOf(t);
    const subject = await onExpiring(SMALL);
    const ways = { ...KILLED, ...CUT, ...TORN };
    let isOver = false;
    for (let n = 1; !isOver; n += oneIn(7)) {
      for (const way of Object.keys(ways)) {
        await cases.run(`write ${n} ${way}`, async (random) => {
          const run = await runUntilFull(subject, n, share);
          if (run === undefined) return void (isOver = true);
          const { platform, history } = run;
          history.isFrozen = true;
          const name = `full from write ${n} on`;
          const moment: Moment = { platform, history, backups: [], after: "write", id: String(n), name };
          const left = goDown(moment, way, ways, random);
          const next = new Run(left.platform, { isFaulty: true }, left.history);
          await next.open();
          assertEquals(next.history.rejections, 0, `${left.name}: opening was refused`);
          left.history.settle(contentsOf(next.store!, left.history.keys), left.after, left.name);
          await getOut(next, left.name);
          platform.crash();
          await run.store!.close().catch(codeOf);
        });
      }
    }
  });
}

/**
 * A store whose process died with a tail that is larger than the reserve, on a disk without a byte left, and without a
 * reserve.
 */
async function onFullDisk(steps: Step[], isSyncFailing: boolean = false): Promise<Subject> {
  const platform = newMachine();
  const history = new History();
  const run = new Run(platform, { open: { segmentBytes: 1 << 20 } }, history);
  await run.open();
  const value = "x".repeat(2000);
  for (let i = 0; i < 100; i++) run.set(`k${i}`, value);
  await run.settled();
  for (let i = 0; i < 100; i++) run.set(`k${i % 70}`, `${i} ${value}`, "write");
  await run.settled();
  if (isSyncFailing) {
    platform.onOperation = ({ kind, path }) => {
      if (kind === "sync" && path.endsWith(".seg")) throw new MemoryPlatformError("EIO", "injected");
    };
  }
  // Durable, and no mark says so.
  run.batch(["b0", "b1", "k3!"], value);
  await run.settled();
  platform.onOperation = undefined;
  const machine = platform.kill();
  fill(machine);
  return { steps, machine, history, open: { segmentBytes: 1 << 20 } };
}

const WAY_OUT: Step[] = [
  (run) => run.delete("k5"),
  (run) => {
    run.delete("k6", "write");
    run.delete("k7", "write");
  },
  reopen,
  (run) => run.clear(),
  (run) => run.compact(),
  (run) => run.set("~", "there is room"),
];

Deno.test("a tail that there is no room to copy is made durable where it is", async () => {
  for (const [isReserved, isSyncFailing] of [[true, false], [false, false], [true, true]] as const) {
    // After a failed sync the pages count as clean, and a sync alone would not bring them to the disk.
    const subject = await onFullDisk([], isSyncFailing);
    const platform = subject.machine.fork();
    if (!isReserved) platform.remove(RESERVE);
    fill(platform);
    const segment = `${DIRECTORY}/00000001.seg`;
    const before = platform.readFile(segment);
    const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
    const found = contentsOf(store, subject.history.keys);
    subject.history.assertPossible(found, "write", "opened on a full disk");
    assertEquals(platform.readFile(segment), before, "not a byte is another");
    // Nothing has been acknowledged by now; but what an open shows, stays.
    const cut = platform.image({});
    const again = await KvStore.openOn(cut, DIRECTORY, OPTIONS);
    assertEquals(contentsOf(again, subject.history.keys), found, "after a power cut");
    cut.capacityBytes = Infinity;
    await again.close();
    await assertIntact(cut, "after a power cut");
  }
});

Deno.test("on a full disk, death and power cuts at every operation of the way out", async (t) => {
  const subject = await onFullDisk(WAY_OUT);
  const cases = casesOf(t);
  await sweepCrashes(subject, cases, { ways: { ...KILLED, ...CUT, ...TORN }, isThorough: false });
  assert(cases.met > 100, `only ${cases.met} cases`);
});

Deno.test("on a full disk, compaction begins with what takes the least room", async () => {
  const platform = newMachine();
  const segmentBytes = 256 * 1024;
  const value = "x".repeat(1000);
  const open = () => KvStore.openOn(platform, DIRECTORY, { ...OPTIONS, segmentBytes });
  const store = await open();
  // Of the first and the last segment half will be kept, more than the reserve has, and of those in between nothing.
  for (let i = 0; i < 1000; i++) await store.set(`key ${i}`, value, { durability: "write" });
  fill(platform);
  const before = usedBytes(platform);
  platform.capacityBytes = before;
  await store.batch(Array.from({ length: 750 }, (_, i) => ({ type: "delete", key: `key ${i + 125}` })));
  await store.compact();
  platform.capacityBytes = Infinity;
  const after = usedBytes(platform);
  assert(after < before / 2, `${before} bytes before, ${after} after`);
  assertEquals(store.size, 250);
  await store.close();
  await assertIntact(platform, "compacted on a full disk");
});

Deno.test("the space that is left is looked up for each segment, even if all of it is written at once", async () => {
  const platform = new MemoryPlatform();
  let looks = 0;
  platform.availableBytes = () => {
    looks++;
    return 1024 * 1024;
  };
  const store = await KvStore.openOn(platform, "/s", { durability: "write", compaction: { auto: false } });
  looks = 0;
  const writes = Array.from({ length: 1000 }, (_, i) => store.set(`key ${i}`, "x".repeat(1000)));
  await Promise.all(writes);
  const { segments } = store.stats();
  assert(segments > 10 && looks >= segments - 1, `${looks} looks for ${segments} segments`);
  await store.close();
});

Deno.test("writes of values never take the reserve, nor do deletes take what MANIFEST needs", async () => {
  for (const refusesLongWrites of [false, true]) {
    await fillAndGetOut(Object.assign(newMachine(), { refusesLongWrites }));
  }
});

async function fillAndGetOut(platform: MemoryPlatform): Promise<void> {
  const store = await KvStore.openOn(platform, DIRECTORY, { ...OPTIONS, segmentBytes: 1 << 20 });
  const count = 6000;
  const operations = Array.from({ length: count }, (_, i) => ({ type: "set", key: `key ${i}`, value: "x" }) as const);
  await store.batch(operations);
  fill(platform);
  for (let i = 0; i < 20; i++) {
    assertEquals(await store.set("new", "x".repeat(100)).catch(codeOf), "IO");
    assertEquals(
      await store.batch([{ type: "delete", key: "key 0" }, { type: "set", key: "n", value: 1 }]).catch(codeOf),
      "IO",
    );
  }
  assertEquals(platform.readFile(RESERVE).length, RESERVE_BYTES, "sets took of the reserve");
  let deleted = 0;
  const next = () => Array.from({ length: 50 }, (_, i) => ({ type: "delete", key: `key ${deleted + i}` }) as const);
  while (await store.batch(next(), { durability: "write" }).catch(codeOf) !== "IO") deleted += 50;
  assert(deleted > 2000 && deleted < count, `${deleted} deletes`);
  assert(platform.readFile(RESERVE).length >= 16 * 1024, "deletes took the share of MANIFEST");
  await store.clear();
  await store.compact();
  await store.close();
  const again = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  assertEquals([again.size, platform.readFile(RESERVE).length], [0, RESERVE_BYTES]);
  await again.set("new", "x".repeat(100));
  await again.close();
  await assertIntact(platform, "got out");
}
