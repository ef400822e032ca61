/**
 * Callers that wait: for a write, or for the sync after it. All that wait for the same one share a promise.
 *
 * @module
 */
import { Deferred } from "./turn.ts";

/** The promises of callers that wait for something to be written, or synced. */
export class Waiters {
  /** For callers that wait for the next write. */
  #written: Deferred | undefined;
  /** For callers that wait until what is pending is synced. */
  #synced: Deferred | undefined;
  /** For callers that wait until what is written is synced. */
  #due: Deferred[] = [];

  /** Whether callers wait until what is pending is synced. */
  get wantSync(): boolean {
    return this.#synced !== undefined;
  }

  /** Whether callers wait for a sync of what is written. */
  get areDue(): boolean {
    return this.#due.length > 0;
  }

  /** Resolves with the next write. */
  written(): Promise<void> {
    return (this.#written ??= new Deferred()).promise;
  }

  /** Resolves once what is pending is synced, or only what is written. */
  synced(isPending: boolean): Promise<void> {
    if (isPending) return (this.#synced ??= new Deferred()).promise;
    if (this.#due.length === 0) this.#due.push(new Deferred());
    return this.#due.at(-1)!.promise;
  }

  /** Everything pending is written. */
  onWritten(): void {
    this.#written?.resolve();
    if (this.#synced !== undefined) this.#due.push(this.#synced);
    this.#written = this.#synced = undefined;
  }

  /** Takes those whom the next sync serves. */
  take(): Deferred[] {
    return this.#due.splice(0);
  }

  /** What was pending will not be written. */
  reject(error: Error): void {
    this.#written?.reject(error);
    this.#synced?.reject(error);
    this.#written = this.#synced = undefined;
  }
}
