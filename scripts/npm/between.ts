/**
 * What must hold between two processes of any two runtimes: they read each other's stores, never write at the same
 * time, and a reader follows a writer.
 *
 * @module
 */

import { join } from "node:path";
import { Model, operations } from "./programs/data.ts";
import type { Peer, Peers } from "./peers.ts";
import { assertSame, type Results } from "./results.ts";
import type { Runtime } from "./runtimes.ts";

/** The rows of the table. */
export const ROWS = {
  exchange: "one store, written and read by any two",
  races: "races for the lock between any two",
  killed: "races for the lock of a killed process",
  follow: "a reader follows a writer",
};

const COLUMN = "between runtimes";
/** Operations in each turn of writing. */
const OPERATIONS = 300;
/** Races of each two runtimes. */
const RACES = 12;
/** Races of each two runtimes that end with the winner killed. */
const KILLS = 2;
/** Turns of a reader that follows turn by turn: enough for compactions and clearings in any order. */
const TURNS = 20;
/** Batches that a writer at full speed writes. */
const ROUNDS = 500;

/** Small segments, so that there are many, and no compaction but that which is asked for. */
const SMALL = { segmentBytes: 4096, compaction: { auto: false } };

/** All pairs, in both orders, of different runtimes. */
function orderedPairs(runtimes: Runtime[]): [Runtime, Runtime][] {
  return runtimes.flatMap((one) =>
    runtimes.filter((other) => other !== one).map((other): [Runtime, Runtime] => [one, other])
  );
}

/** All pairs in one order, each runtime with itself included. */
function pairs(runtimes: Runtime[]): [Runtime, Runtime][] {
  return runtimes.flatMap((one, i) => runtimes.slice(i).map((other): [Runtime, Runtime] => [one, other]));
}

/** One writes a store, the other one goes on, the first one reads again. `exportOf` runs the command `export`. */
export async function checkExchange(
  peers: Peers,
  exportOf: (runtime: Runtime, directory: string) => Promise<string>,
  results: Results,
): Promise<void> {
  for (const [i, [first, second]] of orderedPairs(peers.runtimes).entries()) {
    const names = `${first.name}, ${second.name}, ${first.name}`;
    await results.check(ROWS.exchange, COLUMN, names, async () => {
      const directory = join(peers.directory, `exchange-${i}`);
      const model = new Model();
      let seed = i * 1000;
      for (const runtime of [first, second, first]) {
        const peer = await peers.of(runtime);
        await peer.tell("open", { directory, options: { ...SMALL, durability: "write" } });
        assertSame(await peer.tell("digest"), model.digest(), `${runtime.name} found`);
        model.apply(operations(++seed, OPERATIONS));
        await peer.tell("write", { seed, count: OPERATIONS });
        if (runtime === second) await peer.tell("compact");
        assertSame(await peer.tell("digest"), model.digest(), `${runtime.name} wrote`);
        await peer.tell("close");
      }
      const other = await peers.of(second);
      assertSame(await other.tell("verify", { directory }), [], "problems");
      const [one, two] = [await exportOf(first, directory), await exportOf(second, directory)];
      if (one !== two || one === "") throw new Error("the exports differ");
    });
  }
}

/** Both open at once: one gets the store, the other hears `LOCKED`. */
export async function checkRaces(peers: Peers, results: Results): Promise<void> {
  for (const [i, [first, second]] of pairs(peers.runtimes).entries()) {
    const two = [await peers.of(first), await peers.of(second, first === second)] as const;
    for (let race = 0; race < RACES; race++) {
      // every other race is for a store that is not there yet
      const directory = join(peers.directory, `race-${i}-${race - race % 2}`);
      await results.check(ROWS.races, COLUMN, `${first.name}, ${second.name}`, async () => {
        const { winner, loser } = await raceFor(directory, two);
        assertSame((await loser.ask("open", { directory })).code, "LOCKED", "opened again");
        await winner.tell("close");
        await loser.tell("open", { directory });
        await loser.tell("close");
      });
    }
  }
}

/** The winner is killed with all that it wrote acknowledged: the loser opens at once, and finds it. */
export async function checkKills(peers: Peers, results: Results): Promise<void> {
  for (const [i, [first, second]] of pairs(peers.runtimes).entries()) {
    const directory = join(peers.directory, `kill-${i}`);
    const model = new Model();
    for (let kill = 0; kill < KILLS; kill++) {
      await results.check(ROWS.killed, COLUMN, `${first.name}, ${second.name}`, async () => {
        const two = [await peers.of(first), await peers.of(second, first === second)] as const;
        const { winner, loser } = await raceFor(directory, two);
        const seed = i * 100 + kill;
        model.apply(operations(seed, OPERATIONS));
        await winner.tell("write", { seed, count: OPERATIONS });
        await peers.kill(winner);
        await loser.tell("open", { directory });
        assertSame(await loser.tell("digest"), model.digest(), `${loser.runtime.name} found`);
        await loser.tell("close");
      });
    }
  }
}

async function raceFor(directory: string, two: readonly [Peer, Peer]): Promise<{ winner: Peer; loser: Peer }> {
  const answers = await Promise.all(two.map((peer) => peer.ask("open", { directory, options: { ...SMALL } })));
  const codes = answers.map(({ code, message }) => code === undefined || code === "LOCKED" ? code : message);
  assertSame([...codes].sort(), ["LOCKED", undefined], "the two heard");
  const [winner, loser] = codes[0] === undefined ? two : [two[1], two[0]];
  return { winner, loser };
}

/** A reader beside a writer that rotates, compacts and clears: turn by turn, then both at full speed. */
export async function checkFollowing(peers: Peers, results: Results): Promise<void> {
  const deno = peers.runtimes.find(({ kind }) => kind === "deno")!;
  const pairs = orderedPairs(peers.runtimes).filter((pair) => pair.includes(deno));
  for (const [i, [writing, reading]] of pairs.entries()) {
    const directory = join(peers.directory, `follow-${i}`);
    const [writer, reader] = [await peers.of(writing), await peers.of(reading)];
    const names = `${reading.name} follows ${writing.name}`;
    await results.check(ROWS.follow, COLUMN, `${names}, turn by turn`, async () => {
      await writer.tell("open", { directory, options: { ...SMALL } });
      await reader.tell("open", { directory, options: { readOnly: true } });
      const model = new Model();
      for (let turn = 1; turn <= TURNS; turn++) {
        const seed = i * 100 + turn;
        await writer.tell("write", { seed, count: OPERATIONS / 3 });
        model.apply(operations(seed, OPERATIONS / 3));
        if (turn % 4 === 0) await writer.tell("compact");
        if (turn % 10 === 0) {
          await writer.tell("clear");
          model.clear();
        }
        assertSame(await reader.tell("refresh"), true, `refresh of turn ${turn}`);
        assertSame(await reader.tell("digest"), model.digest(), `turn ${turn}`);
        assertSame(await reader.tell("refresh"), false, `second refresh of turn ${turn}`);
      }
      assertSame(await writer.tell("segments") as number > 2, true, "there are rotations");
    });
    await results.check(ROWS.follow, COLUMN, `${names}, at full speed`, async () => {
      const [, states] = await Promise.all([
        writer.tell("churn", { rounds: ROUNDS }),
        reader.tell("follow", { rounds: ROUNDS }),
      ]);
      assertSame(states as number > 1, true, "saw states in between");
      await reader.tell("close");
      await writer.tell("close");
    });
  }
}
