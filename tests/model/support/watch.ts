/**
 * A watch on the store under test, through closing, crashes and recovery: whoever applies what it tells, and goes on
 * from the last change each time, must have what the store holds.
 *
 * @module
 */
import { type KvStore, KvStoreError } from "../../../mod.ts";
import { nextTurn } from "../../../src/platform/turn.ts";
import type { Change, Watch } from "../../../src/types.ts";
import { assertSame, contentsOf } from "./checks.ts";
import { aliveAt, type Entry, entryOf, nameOf, type State } from "./data.ts";
import type { Session } from "./session.ts";

/** What somebody knows who watches. */
export class Watcher {
  /** Changes told so far. */
  told = 0;
  /** How often it had to begin anew, as compaction had dropped what it had not seen. */
  trimmed = 0;
  readonly #session: Session;
  /** Whether it stands still between two checks: then it is behind most of the time. */
  readonly #isSlow: boolean;
  #state: State = new Map();
  #position = 0;
  #watch: Watch | undefined;
  #failure: unknown;
  /** Whether what it knows is worth nothing any more. */
  #isLost = false;
  #isHeld = false;
  #goOn = () => {};

  /** Nothing has been told yet. */
  constructor(session: Session, isSlow: boolean) {
    this.#session = session;
    this.#isSlow = isSlow;
  }

  /** Goes on with a store that was just opened: all that it holds is durable. */
  async follow(store: KvStore): Promise<void> {
    this.#watch = undefined;
    await this.check();
    if (!this.#isLost) return;
    this.#isLost = false;
    this.#state = this.#session.machine.calmly(() => contentsOf(store));
    this.#position = 0;
    this.#begin(store.watch());
  }

  /** Compares with the store, in which everything is durable by now. */
  async check(): Promise<void> {
    const { machine, store } = this.#session;
    const wasCalm = machine.isCalm;
    machine.isCalm = true;
    try {
      // What has ended by accident goes on.
      if (this.#watch === undefined && !this.#isLost) this.#begin(store.watch({ since: this.#position }));
      this.#isHeld = false;
      this.#goOn();
      for (let before = -1; before !== this.told;) {
        before = this.told;
        for (let turns = 0; turns < 4; turns++) await nextTurn();
      }
      this.#isHeld = this.#isSlow;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#watch === undefined || machine.next !== undefined) return;
      assertSame(this.#present(contentsOf(store)), contentsOf(store), "what a watch told");
    } finally {
      machine.isCalm = wasCalm;
    }
  }

  /** What it knows, without what has expired, which may have been by a clock that was ahead. */
  #present(contents: State): State {
    const { machine, history } = this.#session;
    const isGone = (name: string, { expiresAt }: Entry) => expiresAt <= history.latestMs && !contents.has(name);
    return new Map([...aliveAt(machine.clock.now(), this.#state)].filter(([name, entry]) => !isGone(name, entry)));
  }

  #begin(watch: Watch): void {
    const { platform } = this.#session.machine;
    this.#watch = watch;
    this.#read(watch).catch((error) => {
      // A machine that was stopped is started anew on another platform.
      if (watch === this.#watch && platform === this.#session.machine.platform) this.#end(error);
    });
  }

  async #read(watch: Watch): Promise<void> {
    for (;;) {
      if (this.#isHeld) await new Promise<void>((resolve) => this.#goOn = resolve);
      const { value, done } = await watch.next();
      if (done || watch !== this.#watch) return;
      this.#apply(value);
    }
  }

  #end(error: unknown): void {
    const { machine } = this.#session;
    this.#watch = undefined;
    if (machine.next !== undefined) return;
    if (KvStoreError.is(error) && error.code === "TRIMMED" && error.historyFloor! > this.#position) {
      this.#isLost = true;
      this.trimmed++;
    } else if (machine.faults === 0) this.#failure = error;
  }

  #apply(change: Change): void {
    if (change.seq <= this.#position) throw new Error(`a watch tells of ${change.seq} after ${this.#position}`);
    this.#position = change.seq;
    this.told++;
    if (change.type === "clear") this.#state.clear();
    else if (change.type === "delete") this.#state.delete(nameOf(change.key));
    else this.#state.set(...entryOf(change.key, change.value, change.expiresAt));
  }
}
