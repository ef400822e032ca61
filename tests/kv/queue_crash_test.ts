/**
 * The queue on the simulated disk, with a clock of its own: random histories, and crashes at every operation.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Kv } from "../../src/kv/kv.ts";
import { casesOf, SEED } from "../crash/support/crash_replay.ts";
import { CUT, isChange, KILLED, TORN } from "../crash/support/crash_sweep.ts";
import { newMachine, withSeed } from "../crash/support/disk.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { Random } from "../support/random.ts";
import { IS_THOROUGH } from "../support/sweep.ts";
import { drain, openHandles } from "./support/queue_handles.ts";
import { QueueModel } from "./support/queue_model.ts";
import { withFakeTime } from "./support/queue_time.ts";

const WAYS = { ...KILLED, ...CUT, ...TORN };

Deno.test("kv: random histories of a queue", async () => {
  for (let seed = 1; seed <= (IS_THOROUGH ? 150 : 25); seed++) {
    await withFakeTime(async (time) => {
      const model = new QueueModel(new Random(seed), time);
      try {
        await model.run(60);
      } catch (error) {
        throw new Error(`seed ${seed}: ${model.log.slice(-60).join(" | ")}`, { cause: error });
      }
    });
  }
});

/** What was promised by a moment: messages that are enqueued, some of them done, and how often each was delivered. */
interface Promised {
  enqueued: number;
  done: Set<number>;
  attempts: Map<number, number>;
}

/** Every third message succeeds, every third fails, every third is held. */
function handle(kv: Kv, promised: Promised): Promise<void> {
  return kv.listenQueue(async (i: number) => {
    promised.attempts.set(i, (promised.attempts.get(i) ?? 0) + 1);
    if (i % 3 === 1) throw new Error("injected");
    if (i % 3 === 2) return await new Promise(() => {});
    // A commit after the removal lasts no longer than that.
    setTimeout(() => void kv.set(["done"], i).then(() => promised.done.add(i), () => {}));
  });
}

Deno.test("kv: a crash loses no message, and delivers none again that was done", async (t) => {
  const crashes = casesOf(t);
  const moments: { platform: MemoryPlatform; promised: Promised; id: string; now: number }[] = [];
  await withSeed(SEED, () =>
    withFakeTime(async (time) => {
      const platform = newMachine();
      const promised: Promised = { enqueued: 0, done: new Set(), attempts: new Map() };
      platform.onOperation = (operation) => {
        if (!isChange(operation)) return;
        const { enqueued, done, attempts } = promised;
        const then = { enqueued, done: new Set(done), attempts: new Map(attempts) };
        moments.push({ platform: platform.fork(), promised: then, id: String(operation.count), now: time.now });
      };
      for (const round of [0, 1]) {
        const [kv] = await openHandles(platform);
        const listener = handle(kv, promised);
        for (let i = 6 * round; i < 6 * round + 6; i++) {
          await kv.enqueue(i, { backoffSchedule: [5], keysIfUndelivered: [["u", i]], delay: i % 2 });
          promised.enqueued = i + 1;
        }
        await time.pass(20);
        await new Promise((resolve) => setTimeout(resolve, 5));
        await kv[Symbol.asyncDispose]();
        await listener;
      }
      assertEquals(promised.done.size, 4);
    }));
  for (const { platform, promised: { enqueued, done, attempts }, id, now } of moments) {
    for (const [way, goDown] of Object.entries(WAYS)) {
      await crashes.run(`${id} ${way}`, (random) =>
        withFakeTime(async (time) => {
          time.now = now;
          const left = goDown(platform, random);
          const got = await drain(left, time);
          const [kv] = await openHandles(left);
          for (let i = 0; i < enqueued; i++) {
            const isUndelivered = (await kv.get(["u", i])).value === i;
            const count = got.filter((other) => other === i).length;
            const where = `${id} ${way}: ${i}`;
            assert(count <= 1 && !(done.has(i) && count > 0), `${where} is delivered ${count} times`);
            // Of those that succeed, one may be done that nobody has been told of.
            assert(count === 1 || isUndelivered || (i % 3 === 0 && attempts.get(i)! > 0), `${where} is lost`);
            const most = way === "killed" ? 2 : Infinity;
            assert((attempts.get(i) ?? 0) + count <= most, `${where} has had more attempts than it may`);
          }
          await kv[Symbol.asyncDispose]();
        }));
    }
  }
  assert(moments.length > 50, `${moments.length} moments`);
});
