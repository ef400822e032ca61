/**
 * Time that tests of the queue let pass themselves.
 *
 * @module
 */
import { platform } from "../../../src/platform/mod.ts";
import { nextTurn } from "../../../src/platform/turn.ts";

/** As many turns as the queue takes to do all that it can do without time passing. */
const TURNS = 30;

/** A clock, which may be set, and timers, which do not look at it. */
export class FakeTime {
  /** What the clock says. */
  now = 1_800_000_000_000;
  #passedMs = 0;
  #timers = new Map<number, { at: number; action: () => void }>();
  #lastTimer = 0;

  /** How many timers are running. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Starts a timer. */
  startTimer(delayMs: number, action: () => void): { stop(): void } {
    // A longer one would fire at once.
    if (delayMs > 2 ** 31 - 1) throw new RangeError(`a timer of ${delayMs} ms`);
    const id = ++this.#lastTimer;
    this.#timers.set(id, { at: this.#passedMs + delayMs, action });
    return { stop: () => void this.#timers.delete(id) };
  }

  /** Lets time pass. Timers fire on the way, and what they begin is done before the next one fires. */
  async pass(ms: number): Promise<void> {
    const end = this.#passedMs + ms;
    await this.settle();
    for (;;) {
      const due = Array.from(this.#timers).filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (due === undefined) break;
      const [id, { at, action }] = due;
      this.#timers.delete(id);
      this.#passTo(at);
      action();
      await this.settle();
    }
    this.#passTo(end);
  }

  /** Waits until nothing more happens without time passing. */
  async settle(): Promise<void> {
    for (let i = 0; i < TURNS; i++) await nextTurn();
  }

  #passTo(at: number): void {
    this.now += Math.max(0, at - this.#passedMs);
    this.#passedMs = Math.max(this.#passedMs, at);
  }
}

/** Runs something while queues go by a clock of its own. Handlers that fail print nothing. */
export async function withFakeTime<T>(action: (time: FakeTime) => Promise<T>): Promise<T> {
  const time = new FakeTime();
  const { now, startTimer } = platform;
  const { error } = console;
  platform.now = () => time.now;
  platform.startTimer = (delayMs, action) => time.startTimer(delayMs, action);
  console.error = () => {};
  try {
    return await action(time);
  } finally {
    Object.assign(platform, { now, startTimer });
    console.error = error;
  }
}
