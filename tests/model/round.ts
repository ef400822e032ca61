/**
 * One round of the model test: a store, and some hundred random steps.
 *
 * @module
 */
import { nextTurn } from "../../src/platform/turn.ts";
import type { BatchOperation, Durability, VerifyReport } from "../../src/types.ts";
import { KvStoreError } from "../../src/errors.ts";
import type { Random } from "../support/random.ts";
import { digestOf, type Entry, nameOf, printable, type Profile } from "./data.ts";
import { assertReads, HeldIterator, HeldSnapshot } from "./held.ts";
import { isClosed, Steps, type WeightedStep } from "./steps.ts";
import { type Call, DIRECTORY, isFailure, Stopped, Subject } from "./subject.ts";
import { Watcher } from "./watcher.ts";

/** One round. */
export class Round {
  readonly subject: Subject;
  readonly #random: Random;
  readonly #profile: Profile;
  readonly #steps: Steps;
  #watcher: Watcher | undefined;
  #backups = 0;
  #patience: number;

  constructor(random: Random, profile: Profile, patience: number) {
    this.#random = random;
    this.#profile = profile;
    this.subject = new Subject(random, profile);
    const steps: WeightedStep[] = [
      [30, () => this.#set()],
      [14, () => this.#delete()],
      [9, () => this.#batch()],
      [1, () => this.#clear()],
      [15, () => this.#read()],
      [4, () => this.#hold()],
      [10, () => this.#checkHeld()],
      [2, () => this.#release()],
      [3, () => this.#flush()],
      [4, () => this.#compact()],
      [2, () => this.#verify()],
      [0.7, () => this.#backup()],
      [8, () => this.#burst()],
      [18, () => this.#wait()],
      [3, () => this.subject.settle()],
      [2, () => this.subject.assertContents()],
      [2, () => this.#reopen()],
      [1.5, () => this.subject.machine.stop()],
      [1.5, () => this.subject.machine.armStop()],
      [1.5, () => this.subject.note(this.subject.machine.armFault())],
      [0.6, () => this.#fill()],
      [2, () => this.subject.heal()],
      [5, () => this.#watch()],
    ];
    this.#patience = patience;
    this.#steps = new Steps(steps, random, patience > 0 ? [0, 0.1, 0.1, 1] : [0, 0.1, 0.5, 1, 1, 3]);
  }

  async run(steps: number): Promise<void> {
    const { subject } = this;
    await subject.open();
    for (let i = 0; i < steps; i++) await this.#survive(() => this.#step());
    for (let isDone = false; !isDone;) {
      isDone = await this.#survive(async () => {
        subject.heal();
        subject.machine.isCalm = true;
        await subject.settle();
        await this.#reopen();
        await subject.close();
      });
    }
    await subject.assertIntact(DIRECTORY);
  }

  /** Does something; if the machine stops meanwhile, recovers. */
  async #survive(action: () => Promise<void>): Promise<boolean> {
    const { subject } = this;
    try {
      await action();
    } catch (error) {
      const isStop = error instanceof Stopped || (error instanceof KvStoreError && error.code === "IO");
      if (subject.machine.next === undefined || !isStop) throw error;
    }
    if (subject.machine.next === undefined) return true;
    await subject.recover();
    return false;
  }

  async #step(): Promise<void> {
    const { subject } = this;
    if (subject.isFresh && this.#patience > 0) await this.#letTimePass();
    subject.catchUp();
    if (subject.hasFailed && this.#random.chance(0.2)) return await this.#reopen();
    await this.#steps.pick()();
  }

  async #letTimePass(): Promise<void> {
    this.#patience--;
    this.subject.isFresh = false;
    this.subject.note("a second passes");
    await new Promise((resolve) => setTimeout(resolve, 1050));
  }

  /** Several calls in one go, so that they are pending together. */
  #burst(): void {
    const { subject } = this;
    const calls = [() => this.#set(), () => this.#set(), () => this.#delete(), () => this.#batch(), () => this.#hold()];
    for (let i = this.#random.between(2, 12); i > 0; i--) {
      subject.catchUp();
      this.#random.pick(calls)();
      subject.catchUp();
      if (this.#random.chance(0.1)) this.#clear();
      subject.catchUp();
      this.#checkHeld();
    }
  }

  #set(): void {
    const { subject } = this;
    const key = subject.data.key();
    const value = subject.data.value();
    const entry = { isString: typeof key === "string", value: digestOf(value) };
    const what = `set ${printable(nameOf(key))} ${entry.value.slice(0, 40)}`;
    this.#write(what, [[nameOf(key), entry]], (options) => {
      const call = subject.store.set(key, value, options);
      // Keys and values are the caller's again once the call has returned.
      for (const mine of [key, value]) if (mine instanceof Uint8Array) mine.fill(1);
      return call;
    });
  }

  #delete(): void {
    const { subject } = this;
    const key = subject.data.key();
    const name = nameOf(key);
    const isThere = subject.history.head.has(name);
    this.#write(`delete ${printable(name)}`, isThere ? [[name, undefined]] : [], (options) => {
      return subject.store.delete(key, options);
    }, (value) => {
      if (value !== isThere) throw new Error(`delete ${printable(name)} says ${value}`);
    });
  }

  #batch(): void {
    const { data, history, store } = this.subject;
    const operations: BatchOperation[] = [];
    const puts: [name: string, entry: Entry | undefined][] = [];
    const state = new Map(history.head);
    for (let i = this.#random.below(this.#profile.batch + 1); i > 0; i--) {
      const key = data.key();
      const name = nameOf(key);
      if (this.#random.chance(0.35)) {
        operations.push({ type: "delete", key });
        if (state.delete(name)) puts.push([name, undefined]);
      } else {
        const value = data.value();
        const entry = { isString: typeof key === "string", value: digestOf(value) };
        operations.push({ type: "set", key, value });
        puts.push([name, entry]);
        state.set(name, entry);
      }
    }
    const names = operations.slice(0, 8).map(({ type, key }) => `${type} ${printable(nameOf(key))}`);
    const what = `batch of ${operations.length}: ${names.join(", ")}`;
    this.#write(what, puts, (options) => store.batch(operations, options));
  }

  #write(
    what: string,
    puts: [name: string, entry: Entry | undefined][],
    action: (options: { durability?: Durability } | undefined) => Promise<unknown>,
    check?: (value: unknown) => void,
  ): void {
    const { subject } = this;
    const { history } = subject;
    const given = this.#random.pick([undefined, "sync", "write"] as const);
    const changes = puts.length > 0;
    const id = changes ? history.put(puts) : history.lastId;
    const call: Call = { what, id, durability: given ?? subject.durability, changes, ...(check ? { check } : {}) };
    subject.note(`${what} (${call.durability}, ${id})`);
    subject.track(call, () => action(given === undefined ? undefined : { durability: given }));
  }

  #clear(): void {
    const { subject } = this;
    if (this.#random.chance(0.5)) return;
    const id = subject.history.clear();
    subject.note(`clear (${id})`);
    subject.track({ what: "clear", id, durability: "sync", changes: true }, () => subject.store.clear());
  }

  #fill(): void {
    this.subject.note("the disk fills up");
    this.subject.machine.fill();
  }

  #read(): void {
    const { store, history, machine } = this.subject;
    machine.calmly(() => assertReads(store, history.head, this.subject));
  }

  #hold(): void {
    const { subject } = this;
    const { store, history, held, machine, data } = subject;
    if (held.length > 5) return;
    const { head, lastId } = history;
    const isSnapshot = this.#random.chance(0.5);
    subject.note(isSnapshot ? "snapshot" : "iterator");
    machine.calmly(() => {
      if (isSnapshot) held.push(new HeldSnapshot(store.snapshot(), head, lastId));
      else held.push(new HeldIterator(store, head, lastId, data.range()));
    });
  }

  #checkHeld(): void {
    const { held, machine } = this.subject;
    if (held.length > 0) machine.calmly(() => this.#random.pick(held).check(this.subject));
  }

  #release(): void {
    const { held, machine } = this.subject;
    if (held.length === 0) return;
    this.subject.note("release");
    machine.calmly(() => held.splice(this.#random.below(held.length), 1)[0]!.release());
  }

  async #flush(): Promise<void> {
    const { subject } = this;
    const id = subject.history.lastId;
    subject.note("flush");
    subject.track({ what: "flush", id, durability: "sync", changes: false }, () => subject.store.flush());
    if (this.#random.chance(0.5)) await subject.settle();
  }

  async #compact(): Promise<void> {
    const { subject } = this;
    const { history, store } = subject;
    const controller = new AbortController();
    const stop = this.#random.chance(0.15);
    subject.note(`compact${stop ? ", to be aborted" : ""}`);
    const call: Call = {
      what: "compact",
      id: history.lastId,
      durability: "sync",
      changes: false,
      mayReject: (error) => error === "stop" || isClosed(error),
    };
    subject.track(call, () => store.compact(stop ? { signal: controller.signal } : {}));
    if (this.#random.chance(0.3)) return await subject.settle();
    if (stop) await this.#wait();
    controller.abort("stop");
  }

  async #verify(): Promise<void> {
    const { subject } = this;
    const isInside = this.#random.chance(0.7);
    subject.note(isInside ? "verify" : "verifyOn");
    if (!isInside) return await subject.assertIntact(DIRECTORY);
    const check = (report: unknown) => {
      const { problems } = report as VerifyReport;
      if (problems.length > 0) throw new Error(`verify: ${JSON.stringify(problems.slice(0, 5))}`);
    };
    subject.track(
      { what: "verify", id: 0, durability: undefined, changes: false, check, mayReject: isClosed },
      () => subject.store.verify(),
    );
    if (this.#random.chance(0.3)) await subject.settle();
  }

  async #backup(): Promise<void> {
    const { subject } = this;
    const { history, machine, store } = subject;
    const directory = `/backups/${++this.#backups}`;
    subject.note(`backup to ${directory}`);
    const from = history.length;
    subject.unfinishedBackups.add(directory);
    const call = store.backup(directory);
    const done = subject.outcomeOf(call);
    done.catch(() => {});
    for (let i = this.#random.below(4); i > 0; i--) {
      subject.catchUp();
      this.#set();
      await nextTurn();
    }
    const { error } = await done;
    subject.catchUp();
    if (error !== undefined && machine.faults > 0 && isFailure(error)) return;
    if (error !== undefined) throw error;
    subject.unfinishedBackups.delete(directory);
    await subject.assertBackup(directory, machine.faults > 0 ? 0 : from);
  }

  async #wait(): Promise<void> {
    for (let turns = this.#random.below(6); turns >= 0; turns--) {
      await (this.#random.chance(0.5) ? Promise.resolve() : nextTurn());
    }
  }

  async #reopen(): Promise<void> {
    const { subject } = this;
    subject.note("close");
    await subject.close();
    await subject.open();
    subject.assertContents();
  }

  /** Something with the reader beside the writer. */
  async #watch(): Promise<void> {
    const { subject } = this;
    if (this.#watcher?.isRunning !== true) {
      subject.note("reader: open");
      this.#watcher = await Watcher.open(subject);
    }
    const watcher = this.#watcher;
    for (let i = this.#random.below(3); i >= 0; i--) {
      subject.catchUp();
      const step = this.#random.pick(["check", "check", "hold", "refresh", "refresh", "flush", "close"]);
      subject.note(`reader: ${step}`);
      if (step === "check") watcher.check();
      else if (step === "hold") watcher.hold();
      else if (step === "refresh") await watcher.refresh();
      else if (step === "flush") await this.#flush();
      else if (this.#random.chance(0.3)) {
        this.#watcher = undefined;
        return await watcher.close();
      }
    }
  }
}
