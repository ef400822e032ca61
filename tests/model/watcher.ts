/**
 * A read-only store beside the writer.
 *
 * @module
 */
import { KvStore } from "../../src/store.ts";
import type { Value } from "../../src/types.ts";
import type { State } from "./data.ts";
import { assertReads, assertSame, contentsOf, HeldIterator, HeldSnapshot } from "./held.ts";
import { DIRECTORY, type Subject } from "./subject.ts";

/** A reader, what it must show, and what is held of it. */
export class Watcher {
  readonly #subject: Subject;
  readonly #reader: KvStore;
  readonly #platform: unknown;
  #state: State = new Map();
  /** The last call whose change it has surely seen. */
  #id = 0;
  #held: (HeldSnapshot | HeldIterator)[] = [];

  private constructor(subject: Subject, reader: KvStore, acknowledged: number) {
    this.#subject = subject;
    this.#reader = reader;
    this.#platform = subject.machine.platform;
    this.#take(acknowledged);
  }

  /** Opens a reader. Nothing fails meanwhile. */
  static async open(subject: Subject): Promise<Watcher> {
    const { machine, history } = subject;
    const acknowledged = history.acknowledged.write;
    const opening = machine.calmly(() =>
      readingOnly(subject, () => KvStore.openOn<Value>(machine.platform, DIRECTORY, { readOnly: true }))
    );
    const { value, error } = await subject.outcomeOf(opening);
    if (error !== undefined) throw error;
    subject.catchUp();
    return new Watcher(subject, value as KvStore, acknowledged);
  }

  /** Whether the machine has not been stopped since it was opened. */
  get isRunning(): boolean {
    return this.#platform === this.#subject.machine.platform;
  }

  /** Reads something; what the writer does meanwhile makes no difference. */
  check(): void {
    const { random, machine } = this.#subject;
    machine.calmly(() => {
      if (random.chance(0.3)) assertSame(contentsOf(this.#reader), this.#state, "reader");
      else assertReads(this.#reader, this.#state, this.#subject);
      if (this.#held.length > 0) random.pick(this.#held).check(this.#subject);
    });
  }

  /** Holds something across refreshes. */
  hold(): void {
    const { random, data, machine } = this.#subject;
    machine.calmly(() => {
      if (this.#held.length > 2) return this.#held.shift()!.release();
      this.#held.push(
        random.chance(0.5)
          ? new HeldSnapshot(this.#reader.snapshot(), this.#state, 0)
          : new HeldIterator(this.#reader, this.#state, 0, data.range()),
      );
    });
  }

  /** Takes in what is new. */
  async refresh(): Promise<void> {
    const { machine, history } = this.#subject;
    const before = this.#state;
    const refreshing = machine.calmly(() => readingOnly(this.#subject, () => this.#reader.refresh()));
    // Whatever it took in, it has by now: the writer goes on while the promise resolves.
    this.#take(history.acknowledged.write);
    const { value, error } = await this.#subject.outcomeOf(refreshing);
    if (error !== undefined) throw error;
    if (value === false) assertSame(this.#state, before, "reader: refresh() says that nothing changed");
  }

  /** Closes the reader. */
  async close(): Promise<void> {
    const { error } = await this.#subject.outcomeOf(this.#reader.close());
    if (error !== undefined) throw error;
  }

  /** Shows a state between the one before and the present one, and all that had been acknowledged. */
  #take(acknowledged: number): void {
    const { history, machine, tornId } = this.#subject;
    const contents = machine.calmly(() => contentsOf(this.#reader));
    this.#state = contents;
    // A failed append may leave whole records that nobody has told readers about yet.
    if (history.lastWritten(acknowledged) <= tornId) {
      this.#id = 0;
      return;
    }
    const from = Math.max(history.positionOf(this.#id), history.positionOf(acknowledged));
    const positions = history.positions(contents, from);
    if (positions.length === 0) {
      const earlier = history.positions(contents, 0).at(-1);
      if (earlier === undefined) assertSame(contents, history.head, "reader (compared with the last state)");
      throw new Error(`reader: position ${earlier}, wanted is at least ${from} of ${history.length}`);
    }
    this.#id = history.idAt(positions[0]!);
  }
}

/** Expects that an action changes nothing on the disk. */
function readingOnly<T>({ machine }: Subject, action: () => T): T {
  const changes = () => {
    const { write, sync, syncDirectory, rename, remove, makeDirectory, lock } = machine.platform.operations;
    return [write, sync, syncDirectory, rename, remove, makeDirectory, lock].join();
  };
  const before = changes();
  const result = action();
  if (changes() !== before) throw new Error(`a reader changed something: ${before} became ${changes()}`);
  return result;
}
