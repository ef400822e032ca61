/**
 * Chained batches for Level.
 *
 * @module
 */
import { AbstractChainedBatch } from "abstract-level";
import type { Data } from "./level_format.ts";
import { ownCopy } from "./defensive_copy.ts";

/** An operation as `abstract-level` hands it on, encoded. */
export type Operation = { type: "put"; key: Data; value: Data } | { type: "del"; key: Data };

/** What does the operations in the end. */
type Write<D> = { _batch(operations: Operation[], options: object): Promise<void> } & D;

/**
 * A batch that is put together call by call. It owns what it is given: a buffer that is used again for the next call
 * must not change what the last one has put.
 */
export class KvLevelChainedBatch<D extends object, K, V> extends AbstractChainedBatch<D, K, V> {
  #operations: Operation[] = [];

  /** An empty batch for a database. */
  constructor(database: D) {
    // The declarations do not know the second argument: to be told of operations by `_add`, whole.
    super(...([database, { add: true }] as unknown as [D]));
  }

  /** Called by `abstract-level` for each operation. */
  _add(operation: Operation): void {
    const key = ownCopy(operation.key);
    this.#operations.push(
      operation.type === "put" ? { type: "put", key, value: ownCopy(operation.value) } : { type: "del", key },
    );
  }

  /** Called by `abstract-level` to begin anew. */
  _clear(): void {
    this.#operations = [];
  }

  /** Called by `abstract-level` in the end. */
  async _write(options: object): Promise<void> {
    await (this.db as Write<D>)._batch(this.#operations, options);
  }
}
