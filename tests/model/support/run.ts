/**
 * Does what a scene says, and checks all the way.
 *
 * @module
 */
import { KvStoreError } from "../../../mod.ts";
import { nextTurn } from "../../../src/platform/turn.ts";
import type { BatchOperation, Durability, Expiry, VerifyReport } from "../../../src/types.ts";
import { assertReads, HeldIterator, HeldSnapshot, isFailure } from "./checks.ts";
import type { Command, Commands, Operation, Scene } from "./commands.ts";
import { type Entry, entryOf, nameOf, printable } from "./data.ts";
import type { Call } from "./call.ts";
import { ReaderBeside } from "./reader.ts";
import { DIRECTORY, Session, Stopped } from "./session.ts";

/** Closing ends what is under way. */
function isClosed(error: unknown): boolean {
  return KvStoreError.is(error) && error.code === "CLOSED";
}

type Does = { [K in keyof Commands]: (command: Commands[K]) => void | Promise<void> };

/** One run: a store, and what is done to it. */
export class Run implements Does {
  readonly session: Session;
  readonly #commands: Command[];
  #reader: ReaderBeside | undefined;
  #backups = 0;

  /** A run that has not begun. */
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
      const isStop = error instanceof Stopped || (KvStoreError.is(error) && error.code === "IO");
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

  clock({ ms, isForGood, isLooked }: Commands["clock"]): void {
    const { clock } = this.session.machine;
    this.#look();
    clock.shift(ms);
    if (isForGood || isLooked) this.#look();
    if (isForGood) return;
    clock.shift(-ms);
    this.#look();
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

  /** Looks at the store and at the reader, so that what is to expire by now does. */
  #look(): void {
    const { machine, store, history } = this.session;
    history.look();
    machine.calmly(() => {
      if (store.size !== history.present.size) throw new Error(`${store.size} keys, not ${history.present.size}`);
      if (this.#reader?.isRunning === true) this.#reader.look();
    });
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
