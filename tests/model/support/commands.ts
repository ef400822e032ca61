/**
 * What can be done to a store and the machine below it, as plain data that fast-check generates and shrinks.
 *
 * @module
 */
import fc from "fast-check";
import type { OperationKind } from "../../support/memory_platform.ts";
import type { Durability } from "../../../src/types.ts";
import { type Profile, PROFILES, type RangeOf, type ValueOf } from "./data.ts";
import { ListArbitrary } from "./shrink.ts";

/** A look at a reader, a snapshot or an iterator. */
export interface Look {
  how: number;
  keys: number[];
  range: RangeOf;
}

/** The end of the machine: the process is killed, or the power cut, and so much of what was not synced lasts. */
export interface Stop {
  isKill: boolean;
  /** In quarters. */
  share: number;
  seed: number;
}

/** What fails once: an operation, or a sync only after it was begun. A write may first take a part, a few times. */
export interface Fault {
  kind: OperationKind | "syncLater";
  after: number;
  parts: number;
}

/** An opening: with which options, what somebody did to the image of the index before, and what goes wrong. */
export interface Opening {
  segmentBytes: number;
  durability: Durability;
  isTold: boolean;
  isSalvage: boolean;
  auto: boolean;
  staleRatio: number;
  minStaleBytes: number;
  image: "leave" | "keep" | "remove" | "old" | "flip" | "cut";
  at: number;
  stop: { after: number; stop: Stop } | undefined;
  fault: Fault | undefined;
}

interface Told {
  durability: Durability | undefined;
}
/** A set or, without a value, a delete. */
export interface Operation {
  key: number;
  value: ValueOf | undefined;
  lifeMs: number | undefined;
}

/** The commands, by name. */
export interface Commands {
  set: Told & { key: number; value: ValueOf; lifeMs: number | undefined };
  delete: Told & { key: number };
  batch: Told & { operations: Operation[] };
  clear: unknown;
  burst: { calls: Command[] };
  read: { look: Look };
  /** One change, a range at once, and a look at something that is held. */
  step: { change: Command; look: Look; at: number };
  hold: { range: RangeOf | undefined };
  check: { at: number; look: Look };
  release: { at: number };
  flush: { isAwaited: boolean };
  compact: { isAborted: boolean; isAwaited: boolean };
  verify: { isInside: boolean; isAwaited: boolean };
  backup: { sets: number[] };
  wait: { turns: number };
  settle: unknown;
  contents: unknown;
  time: { ms: number };
  /** Somebody sets the clock: for good, or for a moment, at which somebody may look. */
  clock: { ms: number; isForGood: boolean; isLooked: boolean };
  idle: unknown;
  reopen: unknown;
  stop: { stop: Stop };
  stopSoon: { after: number; stop: Stop };
  fault: { fault: Fault };
  fill: { bytes: number };
  heal: unknown;
  reader: { act: "check" | "hold" | "refresh" | "close"; look: Look };
}

/** A command. */
export type Command = { [K in keyof Commands]: { do: K } & Commands[K] }[keyof Commands];

/** A whole run. */
export interface Scene {
  profile: number;
  /** The openings, by turns. */
  openings: Opening[];
  /** How many turns syncs take, by turns. */
  latencies: number[];
  /** Every so many writes one takes only a part; 0 for none. */
  shortEvery: number;
  /** What salts and ids follow from. */
  seed: number;
  commands: Command[];
}

/** How often commands come; what a mix does not name comes as often as here. */
const WEIGHTS: Record<keyof Commands, number> = {
  set: 60,
  delete: 28,
  batch: 18,
  clear: 1,
  burst: 16,
  read: 26,
  step: 6,
  hold: 8,
  check: 20,
  release: 4,
  flush: 6,
  compact: 8,
  verify: 3,
  backup: 2,
  wait: 36,
  settle: 6,
  contents: 4,
  time: 4,
  clock: 3,
  idle: 3,
  reopen: 4,
  stop: 3,
  stopSoon: 3,
  fault: 3,
  fill: 1,
  heal: 4,
  reader: 20,
};

const NO_STOPS = { stop: 0, stopSoon: 0 };
/** Of a write that is taken back nobody can say whether what it had replaced was seen to expire. */
const NO_CLOCK = { clock: 0 };
const NO_FAULTS = { fault: 0, fill: 0, heal: 0 };
const NO_VIEWS = { hold: 0, check: 0, release: 0, reader: 0 };

/** One thing often hides another, so most runs do without something (swarm testing: Groce et al., 2012). */
const MIXES: readonly Partial<Record<keyof Commands, number>>[] = [
  { ...NO_CLOCK },
  { ...NO_STOPS, ...NO_FAULTS },
  { ...NO_FAULTS, stop: 8, stopSoon: 8, hold: 0 },
  { ...NO_CLOCK, ...NO_STOPS, fault: 12, fill: 3, heal: 8 },
  { ...NO_CLOCK, fault: 16, heal: 8, stop: 6, stopSoon: 6, reader: 60, hold: 0, compact: 0 },
  { ...NO_FAULTS, ...NO_VIEWS, compact: 30, time: 20, reopen: 10 },
  { ...NO_STOPS, ...NO_FAULTS, reader: 100, time: 10, idle: 8, set: 100 },
  { ...NO_VIEWS, ...NO_FAULTS, stop: 10, time: 12, idle: 12, flush: 0, compact: 0, clear: 4 },
  { ...NO_FAULTS, compact: 0, verify: 0, backup: 0, clear: 4, hold: 20, check: 60 },
  // Ranges behind single changes, with snapshots and iterators open, and taken back now and then.
  { ...NO_CLOCK, ...NO_STOPS, step: 240, hold: 12, release: 12, clear: 3 },
  { ...NO_FAULTS, ...NO_VIEWS, step: 200, time: 20, stop: 5, reopen: 8 },
  // Much that expires: in views, under rollbacks, before and behind compactions.
  { ...NO_CLOCK, ...NO_STOPS, time: 40, fault: 8, hold: 20, check: 40, compact: 12 },
  { ...NO_FAULTS, time: 40, stop: 6, stopSoon: 6, reader: 40, compact: 12 },
  // Clocks that go forward and back.
  { ...NO_STOPS, ...NO_FAULTS, clock: 60, time: 10, compact: 12, reopen: 8, hold: 20, check: 40 },
  { ...NO_FAULTS, ...NO_VIEWS, clock: 60, compact: 12, stop: 8, stopSoon: 8, reopen: 8 },
  { ...NO_STOPS, ...NO_FAULTS, clock: 40, reader: 100, compact: 12, backup: 8 },
];

const FAULTS = ["write", "write", "write", "open", "rename", "remove", "read", "list", "sync", "syncLater"] as const;

const oftenNot = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const usually = <T>(one: fc.Arbitrary<T>, weight: number, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: one }, { weight: 1, arbitrary: other });

const stop: fc.Arbitrary<Stop> = fc.record({ isKill: fc.boolean(), share: fc.nat(4), seed: fc.nat() });
const stopSoon = { after: usually(fc.integer({ min: 1, max: 12 }), 2, fc.integer({ min: 1, max: 60 })), stop };
const fault: fc.Arbitrary<Fault> = fc.record({
  kind: usually<Fault["kind"]>(fc.constantFrom(...FAULTS), 8, fc.constant("syncDirectory")),
  after: usually(fc.integer({ min: 1, max: 2 }), 1, fc.integer({ min: 1, max: 8 })),
  parts: fc.nat(2),
});
const never = fc.constant(undefined);
// How long a key lives, if not for good: some spans end just when time passes, some are over.
const lifeMs = oftenNot(fc.constantFrom(400, 1000, 1001, 2000, 2999, 70_000, 0, -1));
const clock = {
  ms: fc.constantFrom(-1, -400, -1000, -2000, -70_000, 1, 400, 1000, 70_000, 1e9, 2e12),
  isForGood: fc.boolean(),
  isLooked: usually(fc.constant(true), 2, fc.constant(false)),
};

function openings(profile: Profile, mix: Partial<typeof WEIGHTS>): fc.Arbitrary<Opening[]> {
  const opening: fc.Arbitrary<Opening> = fc.record({
    segmentBytes: fc.constantFrom(...profile.segmentBytes),
    durability: fc.constantFrom("sync", "write"),
    isTold: fc.boolean(),
    isSalvage: usually(fc.constant(false), 8, fc.constant(true)),
    auto: usually(fc.constant(true), 2, fc.constant(false)),
    staleRatio: fc.constantFrom(0.5, 0.01, 0.3, 0.7, 1),
    minStaleBytes: fc.constantFrom(0, 0, 500, 5000),
    image: fc.constantFrom("leave", "leave", "leave", "keep", "keep", "remove", "old", "flip", "cut"),
    at: fc.nat(),
    stop: mix.stop === 0 ? never : oftenNot(fc.record(stopSoon)),
    fault: mix.fault === 0 ? never : oftenNot(fault),
  });
  return fc.array(opening, { minLength: 1, maxLength: 8, size: "max" });
}

function commands(profile: Profile, mix: Partial<typeof WEIGHTS>): fc.Arbitrary<Command> {
  // Some keys are hot, the others cold: what was written long ago and what was written just now must meet.
  const key = usually(fc.nat(Math.ceil(profile.keys / 3) - 1), 1, fc.nat(2 * profile.keys - 1));
  const length = fc.oneof(
    { weight: 87, arbitrary: fc.nat(profile.valueBytes - 1) },
    { weight: 10, arbitrary: fc.nat(2999) },
    { weight: 3, arbitrary: fc.nat(profile.largeBytes - 1) },
  );
  const value: fc.Arbitrary<ValueOf> = fc.record({
    kind: fc.constantFrom("bytes", "bytes", "bytes", "text", "json", "tiny"),
    length,
  });
  const durability = fc.constantFrom<Durability | undefined>(undefined, "sync", "write");
  const [bound, isAwaited] = [oftenNot(key), fc.boolean()];
  const range: fc.Arbitrary<RangeOf> = fc.record({
    ...{ prefix: bound, gt: bound, gte: bound, lt: bound, lte: bound, limit: oftenNot(fc.nat(7)) },
    ...{ reverse: oftenNot(usually(fc.constant(true), 4, fc.constant(false))), asBytes: oftenNot(fc.constant(true)) },
  });
  const look = fc.record({ how: fc.nat(7), keys: fc.array(key, { minLength: 1, maxLength: 5, size: "max" }), range });
  const operation: fc.Arbitrary<Operation> = fc.record({
    key,
    value: usually(value, 2, fc.constant(undefined)),
    lifeMs,
  });
  // Most batches are small even where they may be large.
  const operations = usually(
    fc.array(operation, { maxLength: 6, size: "max" }),
    2,
    fc.array(operation, { maxLength: profile.batch, size: "max" }),
  );
  const fields = {
    set: { key, value, lifeMs, durability },
    delete: { key, durability },
    batch: { operations, durability },
    clear: {},
    read: { look },
    hold: { range: usually(range, 1, fc.constant(undefined)) },
    check: { at: fc.nat(5), look },
    release: { at: fc.nat(5) },
    flush: { isAwaited },
    compact: { isAborted: usually(fc.constant(false), 6, fc.constant(true)), isAwaited },
    verify: { isInside: usually(fc.constant(true), 2, fc.constant(false)), isAwaited },
    backup: { sets: fc.array(key, { maxLength: 4, size: "max" }) },
    wait: { turns: fc.nat(6) },
    settle: {},
    contents: {},
    clock,
    time: { ms: fc.constantFrom(1000, 1000, 400, 3000, 70_000) },
    idle: {},
    reopen: {},
    stop: { stop },
    stopSoon,
    fault: { fault },
    fill: { bytes: usually(fc.nat(200), 1, fc.nat(9000)) },
    heal: {},
    reader: { act: fc.constantFrom("refresh", "refresh", "refresh", "check", "check", "hold", "close"), look },
  };
  const named = (name: keyof typeof fields) =>
    fc.record({ do: fc.constant(name), ...fields[name] }) as fc.Arbitrary<Command>;
  const weighted = (name: keyof typeof fields) => ({ weight: mix[name] ?? WEIGHTS[name], arbitrary: named(name) });
  const calls = fc.oneof(...(["set", "set", "delete", "batch", "hold", "check", "clear"] as const).map(weighted));
  const burst = fc.record({
    do: fc.constant("burst" as const),
    calls: fc.array(calls, { minLength: 1, maxLength: 12, size: "max" }),
  });
  const step = fc.record({ do: fc.constant("step" as const), change: calls, look, at: fc.nat(5) });
  return fc.oneof(
    { weight: mix.burst ?? WEIGHTS.burst, arbitrary: burst },
    { weight: mix.step ?? WEIGHTS.step, arbitrary: step },
    ...(Object.keys(fields) as (keyof typeof fields)[]).map(weighted),
  );
}

/** All runs. */
export const scenes: fc.Arbitrary<Scene> = fc.oneof(
  ...PROFILES.flatMap((profile, number) =>
    MIXES.map((mix) => ({
      weight: number < 4 ? 2 : 1,
      arbitrary: fc.record({
        // First, as it has most to shrink.
        commands: new ListArbitrary(commands(profile, mix), profile.keys > 100 ? 80 : 300),
        profile: fc.constant(number),
        openings: openings(profile, mix),
        latencies: fc.array(fc.nat(2), { minLength: 1, maxLength: 8, size: "max" }),
        shortEvery: usually(fc.constant(0), 1, fc.integer({ min: 2, max: 30 })),
        seed: fc.noShrink(fc.nat()),
      }),
    }))
  ),
);
