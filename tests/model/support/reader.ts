/**
 * A read-only store beside the writer.
 *
 * @module
 */
import { KvStore } from "../../../mod.ts";
import type { Value } from "../../../src/types.ts";
import { assertReads, assertSame, contentsOf, HeldIterator, HeldSnapshot } from "./checks.ts";
import type { Look } from "./commands.ts";
import { aliveAt, type State } from "./data.ts";
import { DIRECTORY, type Session } from "./session.ts";

/** A reader, what it must show, and what is held of it. */
export class ReaderBeside {
  readonly #session: Session;
  readonly #reader: KvStore;
  readonly #platform: unknown;
  #state: State = new Map();
  /** The last call whose change it has surely seen. */
  #id = 0;
  readonly #held: (HeldSnapshot | HeldIterator)[] = [];

  private constructor(session: Session, reader: KvStore, acknowledged: number) {
    this.#session = session;
    this.#reader = reader;
    this.#platform = session.machine.platform;
    this.#take(acknowledged);
  }

  /** Opens a reader. Nothing fails meanwhile. */
  static async open(session: Session): Promise<ReaderBeside> {
    const { machine, history } = session;
    const acknowledged = history.acknowledged.write;
    const opening = machine.calmly(() =>
      readingOnly(session, () => KvStore.openOn<Value>(machine.platform, DIRECTORY, { readOnly: true }))
    );
    const { value, error } = await session.outcomeOf(opening);
    if (error !== undefined) throw error;
    session.catchUp();
    return new ReaderBeside(session, value as KvStore, acknowledged);
  }

  /** What of its state has not expired. */
  get #present(): State {
    return aliveAt(this.#session.machine.clock.now(), this.#state);
  }

  /** Looks at it: what has expired by now never comes back. */
  look(): void {
    this.#state = this.#present;
    const { size } = this.#reader;
    if (size !== this.#state.size) throw new Error(`reader: ${size} keys, not ${this.#state.size}`);
  }

  /** Whether the machine has not been stopped since it was opened. */
  get isRunning(): boolean {
    return this.#platform === this.#session.machine.platform;
  }

  /** Reads something; what the writer does meanwhile makes no difference. */
  check(look: Look): void {
    const { data, machine } = this.#session;
    machine.calmly(() => {
      assertReads(this.#reader, this.#present, { look, data });
      this.#held[look.keys[0]! % 3]?.check({ look, data });
    });
  }

  /** Holds something across refreshes. */
  hold({ how, range }: Look): void {
    const { data, machine } = this.#session;
    machine.calmly(() => {
      if (this.#held.length > 2) return this.#held.shift()!.release();
      const moment = { state: this.#present, nowMs: machine.clock.now(), id: 0 };
      this.#held.push(
        how % 2 === 0
          ? new HeldSnapshot(this.#reader.snapshot(), moment)
          : new HeldIterator(this.#reader, moment, data.range(range)),
      );
    });
  }

  /** Takes in what is new. */
  async refresh(): Promise<void> {
    const { machine, history } = this.#session;
    const before = this.#present;
    const refreshing = machine.calmly(() => readingOnly(this.#session, () => this.#reader.refresh()));
    const done = this.#session.outcomeOf(refreshing);
    done.catch(() => {});
    // Whatever it took in, it has by now: the writer goes on while the promise resolves.
    this.#take(history.acknowledged.write);
    const { value, error } = await done;
    if (error !== undefined) throw error;
    if (value === false) assertSame(this.#state, before, "reader: refresh() says that nothing changed");
  }

  /** Closes the reader. */
  async close(): Promise<void> {
    const { error } = await this.#session.outcomeOf(this.#reader.close());
    if (error !== undefined) throw error;
  }

  /** Shows a state between the one before and the present one, and all that had been acknowledged. */
  #take(acknowledged: number): void {
    const { history, machine, tornId } = this.#session;
    const contents = machine.calmly(() => contentsOf(this.#reader));
    this.#state = contents;
    this.#session.states++;
    // A failed append may leave whole records that nobody has told readers about yet.
    if (history.lastWritten(acknowledged) <= tornId) {
      this.#id = 0;
      return;
    }
    const from = Math.max(history.positionOf(this.#id), history.positionOf(acknowledged));
    const positions = history.positions(contents, from);
    if (positions.length === 0) {
      const earlier = history.positions(contents, 0).at(-1);
      if (earlier === undefined) assertSame(contents, history.present, "reader (compared with the last state)");
      throw new Error(`reader: position ${earlier}, wanted is at least ${from} of ${history.length}`);
    }
    this.#id = history.idAt(positions[0]!);
  }
}

/** Expects that an action changes nothing on the disk. */
function readingOnly<T>({ machine }: Session, action: () => T): T {
  const changes = () => {
    const { write, sync, syncDirectory, rename, remove, makeDirectory, lock } = machine.platform.operations;
    return [write, sync, syncDirectory, rename, remove, makeDirectory, lock].join();
  };
  const before = changes();
  const result = action();
  if (changes() !== before) throw new Error(`a reader changed something: ${before} became ${changes()}`);
  return result;
}
