/**
 * Chained batches for Level.
 *
 * @module
 */
import { AbstractChainedBatch } from "abstract-level";
import { copyBytes } from "./copies.ts";
import { paced } from "./event_loop.ts";
import type { Data } from "./level_format.ts";

/** An operation of a batch, with key and value encoded by `abstract-level`. */
export type Operation = { type: "put"; key: Data; value: Data } | { type: "del"; key: Data };

/** The method of the database that writes a batch. */
type Write<D> = { _batch(operations: Operation[], options: object): Promise<void> } & D;

/** A batch that is filled call by call. It copies what it is given, as callers may use a buffer again for the next call. */
export class KvLevelChainedBatch<D extends object, K, V> extends AbstractChainedBatch<D, K, V> {
  #operations: Operation[] = [];

  /** Makes an empty batch for a database. */
  constructor(database: D) {
    // The second argument asks for whole operations, through `_add`. The declarations do not know it.
    super(...([database, { add: true }] as unknown as [D]));
  }

  /** Adds an operation. Called by `abstract-level`. */
  _add(operation: Operation): void {
    const key = copyBytes(operation.key);
    this.#operations.push(
      operation.type === "put" ? { type: "put", key, value: copyBytes(operation.value) } : { type: "del", key },
    );
  }

  /** Removes all operations. Called by `abstract-level`. */
  _clear(): void {
    this.#operations = [];
  }

  /** Writes the operations. Called by `abstract-level`. */
  async _write(options: object): Promise<void> {
    await (this.db as Write<D>)._batch(this.#operations, options);
  }

  /** Ends the batch; an empty one is only closed, not written. Called by `abstract-level`. */
  async _close(): Promise<void> {
    await paced(() => {});
  }
}
