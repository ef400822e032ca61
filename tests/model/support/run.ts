/**
 * Does what a scene says, and checks all the way.
 *
 * @module
 */
import fc from "fast-check";
import { KvStoreError } from "../../../src/errors.ts";
import { nextTurn } from "../../../src/platform/turn.ts";
import type { BatchOperation, Durability, Expiry, VerifyReport } from "../../../src/types.ts";
import { Random } from "../../support/random.ts";
import type { SoakFigures } from "../../soak/support/round.ts";
import { assertReads, HeldIterator, HeldSnapshot, isFailure } from "./checks.ts";
import { type Command, type Commands, type Operation, type Scene, scenes } from "./commands.ts";
import { type Entry, entryOf, nameOf, printable } from "./data.ts";
import type { Call } from "./call.ts";
import { ReaderBeside } from "./reader.ts";
import { DIRECTORY, Session, Stopped } from "./session.ts";

/** So long a failing scene is made smaller. */
const MAX_SHRINK_MS = 40_000;

/** Closing ends what is under way. */
function isClosed(error: unknown): boolean {
  return error instanceof KvStoreError && error.code === "CLOSED";
}

type Does = { [K in keyof Commands]: (command: Commands[K]) => void | Promise<void> };

/** One run: a store, and what is done to it. */
class Run implements Does {
  readonly session: Session;
  readonly #commands: Command[];
  #reader: ReaderBeside | undefined;
  #backups = 0;

  constructor(scene: Scene) {
    this.session = new Session(scene);
    this.#commands = scene.commands;
  }

  async run(): Promise<void> {
    const { session } = this;
    await session.open();
    for (const command of this.#commands) {
      await this.#survive(async () => {
        session.catchUp();
        // A failed store is of little use for long.
        await (session.hasFailed && command.do === "wait" ? this.reopen() : this.#do(command));
      });
    }
    for (let isDone = false; !isDone;) {
      isDone = await this.#survive(async () => {
        session.heal();
        session.machine.isCalm = true;
        await session.settle();
        await this.reopen();
        await session.close();
      });
    }
    await session.assertIntact(DIRECTORY);
  }

  /** Does something; if the machine stops meanwhile, recovers. */
  async #survive(action: () => Promise<void>): Promise<boolean> {
    const { session } = this;
    try {
      await action();
    } catch (error) {
      const isStop = error instanceof Stopped || (error instanceof KvStoreError && error.code === "IO");
      if (session.machine.next === undefined || !isStop) throw error;
    }
    if (session.machine.next === undefined) return true;
    await session.recover();
    return false;
  }

  #do(command: Command): void | Promise<void> {
    this.session.note(JSON.stringify(command).slice(0, 200));
    return (this[command.do] as (command: Command) => void | Promise<void>)(command);
  }

  set({ key, value, lifeMs, durability }: Commands["set"]): void {
    const { session } = this;
    const [theKey, theValue] = [session.data.key(key), session.data.value(value)];
    const { expiry, expiresAt } = this.#expiryOf(lifeMs);
    const put = entryOf(theKey, theValue, expiresAt);
    this.#write({ what: `set ${printable(put[0])}`, durability }, [put], (options) => {
      const call = session.store.set(theKey, theValue, lifeMs === undefined ? options : { ...options, ...expiry });
      // Keys and values are the caller's again once the call has returned.
      for (const mine of [theKey, theValue]) if (mine instanceof Uint8Array) mine.fill(1);
      return call;
    });
  }

  delete({ key, durability }: Commands["delete"]): void {
    const { session } = this;
    const theKey = session.data.key(key);
    const name = nameOf(theKey);
    const isThere = session.history.present.has(name);
    const what = `delete ${printable(name)}`;
    const check = (value: unknown) => {
      if (value !== isThere) throw new Error(`${what} says ${value}`);
    };
    this.#write({ what, durability, check }, isThere ? [[name, undefined]] : [], (options) => {
      return session.store.delete(theKey, options);
    });
  }

  batch({ operations, durability }: Commands["batch"]): void {
    const { data, history, store } = this.session;
    const puts: [name: string, entry: Entry | undefined][] = [];
    const names = new Set(history.present.keys());
    const take = ({ key: number, value, lifeMs }: Operation): BatchOperation => {
      const key = data.key(number);
      if (value === undefined) {
        if (names.delete(nameOf(key))) puts.push([nameOf(key), undefined]);
        return { type: "delete", key };
      }
      const { expiry, expiresAt } = this.#expiryOf(lifeMs);
      const operation = { type: "set" as const, key, value: data.value(value), ...expiry };
      puts.push(entryOf(key, operation.value, expiresAt));
      names.add(nameOf(key));
      return operation;
    };
    const list = operations.map(take);
    this.#write({ what: `batch of ${list.length}`, durability }, puts, (options) => store.batch(list, options));
  }

  clear(): void {
    const { session } = this;
    const id = session.history.clear();
    session.track({ what: "clear", id, durability: "sync", changes: true }, () => session.store.clear());
  }

  /** Several calls in one go, so that they are pending together. */
  burst({ calls }: Commands["burst"]): void {
    for (const call of calls) {
      this.session.catchUp();
      this.#do(call);
    }
  }

  read({ look }: Commands["read"]): void {
    const { store, history, machine, data } = this.session;
    machine.calmly(() => assertReads(store, history.present, { look, data }));
  }

  step({ change, look, at }: Commands["step"]): void {
    this.#do(change);
    this.session.catchUp();
    this.read({ look: { ...look, how: 4 } });
    this.check({ at, look });
  }

  hold({ range }: Commands["hold"]): void {
    const { store, history, held, machine, data } = this.session;
    if (held.length > 5) return;
    const { present, lastId } = history;
    const moment = { state: present, nowMs: machine.clock.now(), id: lastId };
    machine.calmly(() => {
      if (range === undefined) held.push(new HeldSnapshot(store.snapshot(), moment));
      else held.push(new HeldIterator(store, moment, data.range(range)));
    });
  }

  check({ at, look }: Commands["check"]): void {
    const { held, machine, data } = this.session;
    if (held.length > 0) machine.calmly(() => held[at % held.length]!.check({ look, data }));
  }

  release({ at }: Commands["release"]): void {
    const { held, machine } = this.session;
    if (held.length > 0) machine.calmly(() => held.splice(at % held.length, 1)[0]!.release());
  }

  async flush({ isAwaited }: Commands["flush"]): Promise<void> {
    const { session } = this;
    const id = session.history.lastId;
    session.track({ what: "flush", id, durability: "sync", changes: false }, () => session.store.flush());
    if (isAwaited) await session.settle();
  }

  async compact({ isAborted, isAwaited }: Commands["compact"]): Promise<void> {
    const { session } = this;
    const controller = new AbortController();
    const mayReject = (error: unknown) => error === "stop" || isClosed(error);
    const call: Call = { what: "compact", id: session.history.lastId, durability: "sync", changes: false, mayReject };
    session.track(call, () => session.store.compact(isAborted ? { signal: controller.signal } : {}));
    if (isAborted) await this.wait({ turns: 3 });
    controller.abort("stop");
    if (isAwaited) await session.settle();
  }

  async verify({ isInside, isAwaited }: Commands["verify"]): Promise<void> {
    const { session } = this;
    if (!isInside) return await session.assertIntact(DIRECTORY);
    const check = (report: unknown) => {
      const { problems } = report as VerifyReport;
      if (problems.length > 0) throw new Error(`verify: ${JSON.stringify(problems.slice(0, 5))}`);
    };
    const call = { what: "verify", id: 0, durability: undefined, changes: false, check, mayReject: isClosed };
    session.track(call, () => session.store.verify());
    if (isAwaited) await session.settle();
  }

  async backup({ sets }: Commands["backup"]): Promise<void> {
    const { session } = this;
    const { history, machine, store } = session;
    const directory = `/backups/${++this.#backups}`;
    const from = history.length;
    session.unfinishedBackups.add(directory);
    const done = session.outcomeOf(store.backup(directory));
    done.catch(() => {});
    for (const key of sets) {
      session.catchUp();
      this.set({ key, value: { kind: "bytes", length: 50 }, lifeMs: undefined, durability: undefined });
      await nextTurn();
    }
    const { error } = await done;
    session.catchUp();
    if (error !== undefined && machine.faults > 0 && isFailure(error)) return;
    if (error !== undefined) throw error;
    session.unfinishedBackups.delete(directory);
    await session.assertBackup(directory, machine.faults > 0 ? 0 : from);
  }

  async wait({ turns }: Commands["wait"]): Promise<void> {
    for (let turn = 0; turn <= turns; turn++) await (turn % 2 === 0 ? Promise.resolve() : nextTurn());
  }

  async settle(): Promise<void> {
    await this.session.settle();
  }

  contents(): void {
    this.session.assertContents();
  }

  time({ ms }: Commands["time"]): void {
    this.session.machine.clock.pass(ms);
  }

  async idle(): Promise<void> {
    await this.session.idle();
  }

  async reopen(): Promise<void> {
    await this.session.close();
    await this.session.open();
    this.session.assertContents();
  }

  stop({ stop }: Commands["stop"]): void {
    this.session.machine.stop(stop);
  }

  stopSoon(stop: Commands["stopSoon"]): void {
    this.session.machine.armStop(stop);
  }

  fault({ fault }: Commands["fault"]): void {
    this.session.machine.armFault(fault);
  }

  fill({ bytes }: Commands["fill"]): void {
    this.session.machine.fill(bytes);
  }

  heal(): void {
    this.session.heal();
  }

  /** Something with the reader beside the writer. */
  async reader({ act, look }: Commands["reader"]): Promise<void> {
    if (this.#reader?.isRunning !== true) this.#reader = await ReaderBeside.open(this.session);
    const reader = this.#reader;
    if (act === "check") reader.check(look);
    else if (act === "hold") reader.hold(look);
    else if (act === "refresh") await reader.refresh();
    else {
      this.#reader = undefined;
      await reader.close();
    }
  }

  /** An expiry that ends so much later: odd spans name the time, as do those that are over. */
  #expiryOf(lifeMs: number | undefined): { expiry: Expiry; expiresAt: number } {
    if (lifeMs === undefined) return { expiry: {}, expiresAt: Infinity };
    const expiresAt = this.session.machine.clock.now() + lifeMs;
    return { expiry: lifeMs > 0 && lifeMs % 2 === 0 ? { ttl: lifeMs } : { expiresAt }, expiresAt };
  }

  #write(
    { what, durability: told, check }: { what: string; durability: Durability | undefined; check?: Call["check"] },
    puts: [name: string, entry: Entry | undefined][],
    action: (options: { durability?: Durability } | undefined) => Promise<unknown>,
  ): void {
    const { session } = this;
    const changes = puts.length > 0;
    const id = changes ? session.history.put(puts) : session.history.lastId;
    const call: Call = { what, id, durability: told ?? session.durability, changes, ...(check ? { check } : {}) };
    session.track(call, () => action(told === undefined ? undefined : { durability: told }));
  }
}

/**
 * Salts, ids and seeds of hashes decide what collides: with these from the scene, too, it can be run again as it was.
 */
async function withSeededCrypto(seed: number, action: () => Promise<void>): Promise<void> {
  const original = crypto.getRandomValues;
  const random = new Random(seed);
  crypto.getRandomValues = <T extends ArrayBufferView | null>(array: T): T => {
    if (array !== null) {
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(random.bytes(array.byteLength));
    }
    return array;
  };
  try {
    await action();
  } finally {
    crypto.getRandomValues = original;
  }
}

/**
 * Runs generated scenes. If one fails, rejects with a smaller one that fails, too, and with the command that runs it.
 */
export async function runScenes(
  { seed, rounds, path }: { seed: number; rounds: number; path?: string | undefined },
): Promise<SoakFigures> {
  const figures = { faults: 0, states: 0 };
  let shrinkUntil = Infinity;
  const property = fc.asyncProperty(scenes, async (scene) => {
    // What is left to try when the time is over counts as passed, so that the smallest failure so far is reported.
    if (performance.now() > shrinkUntil) return;
    const run = new Run(scene);
    try {
      await withSeededCrypto(scene.seed, () => run.run());
    } catch (error) {
      shrinkUntil = Math.min(shrinkUntil, performance.now() + MAX_SHRINK_MS);
      const trace = run.session.trace.map((line) => `  ${line}`).join("\n");
      throw new Error(`the last steps:\n${trace}\n${error instanceof Error ? error.stack : error}`);
    } finally {
      figures.faults += run.session.machine.accidents;
      figures.states += run.session.states;
    }
  });
  const replay = path === undefined ? { numRuns: rounds } : { numRuns: 1, path, endOnFailure: true };
  const found = await fc.check(property, { seed, ...replay });
  if (!found.failed) return figures;
  const { commands, ...rest } = found.counterexample![0];
  const again = `KVSTORE_TEST_SEED=${seed} KVSTORE_TEST_PATH=${found.counterexamplePath}`;
  const lines = commands.map((command) => `  ${JSON.stringify(command)}`);
  throw new Error(
    `to be run again with\n  ${again} deno test -A tests/model/model_test.ts\nafter ${found.numRuns} runs and ` +
      `${found.numShrinks} times smaller: ${JSON.stringify(rest)}, ${lines.length} commands\n${lines.join("\n")}\n` +
      (found.errorInstance as Error).message,
  );
}
