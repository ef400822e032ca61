/**
 * Compaction: copies the records that still matter into a new segment and gives the old ones back. One group of
 * segments at a time, so that one segment of free space is enough, and in slices, so that the event loop goes on.
 *
 * The order that survives a crash at any point: copy, sync the copy, sync the log (what made a record stale must be
 * durable before the record goes), switch the manifest, and only then remove the inputs. Until the switch the inputs
 * count, and after it the copy.
 *
 * @module
 */
import { KvStoreError } from "../errors.ts";
import { type KeyBytes, PARTITIONS, type Place, type ReadIndex } from "./index.ts";
import { Relocation } from "./relocation.ts";
import { SegmentCopier } from "./copier.ts";
import type { RecordCursor } from "./cursor.ts";
import type { Log } from "./log.ts";
import { KIND } from "./record.ts";
import { type Segment, SEGMENT_HEADER_BYTES } from "./segment.ts";
import { Slices } from "../platform/turn.ts";
import { droppableUpTo } from "./choose.ts";
import { damaged, Scan } from "./scan.ts";

/** What looking at an entry of the index counts for, in bytes. */
const ENTRY_BYTES = 16;

/** What compaction needs to know of the store whose log it compacts. */
export interface CompactionHost {
  /** The log. */
  readonly log: Log;
  /** The present index: `clear` may replace it at any time. */
  index(): ReadIndex;
  /** Makes everything written so far durable. */
  flush(): Promise<void>;
  /**
   * Hands pending records to the operating system; if it does not take them, they are rolled back now. Afterwards no
   * rollback can bring a place back that the index does not have.
   */
  settle(): void;
  /** Lets go of what has expired by now; by the log's clock floor, afterwards. */
  expire(): void;
  /** Tells open views where the record of a key was that is removed from the index. */
  remember(key: KeyBytes, place: Place): void;
  /** Nobody needs these segments any more but those who are reading them now; so many of their records have moved. */
  retire(segments: Segment[], movedRecords: number): void;
  /** Throws if the work is to end. */
  checkpoint(scannedBytes: number): void;
}

/** What an audit found out about tombstones. */
export interface Verdicts {
  /** Whether the tombstone that the cursor stands on may go, though segments outside the inputs begin before it. */
  drops(cursor: RecordCursor): boolean;
}

/**
 * Rewrites one group of sealed segments as one new segment, or as none if nothing of them is kept. `verdicts` are those
 * of an audit that took these inputs into account.
 */
export async function compactGroup(host: CompactionHost, inputs: Segment[], verdicts?: Verdicts): Promise<void> {
  const compaction = new Compaction(host, inputs, verdicts);
  try {
    await compaction.mark();
    await compaction.copy();
    // A write of somebody else that fails is no matter of this.
    host.settle();
    await host.flush();
    compaction.switchOver();
  } catch (error) {
    // Before anything else: a failed store removes no files.
    const failure = error instanceof KvStoreError && error.code === "FAILED" ? host.log.fail(error) : error;
    compaction.abandon();
    throw failure;
  }
  try {
    await compaction.move();
  } catch (cause) {
    // No memory for it: the index points at inputs still, and the next compaction would take the copies for stale.
    const reason = "a compaction could not tell the index where the records are; open the store again";
    throw host.log.fail(new KvStoreError("FAILED", reason, { cause }));
  }
  host.retire(inputs, compaction.movedRecords);
}

class Compaction {
  readonly #host: CompactionHost;
  readonly #inputs: Segment[];
  readonly #verdicts: Verdicts | undefined;
  /** Everything that is copied had not been superseded by a record up to here. */
  readonly #asOf: number;
  readonly #droppableUpTo: number;
  /** What expires by then is a tombstone. Not what expires while this goes on: the index has to know first. */
  readonly #expiredBy: number;
  /** By segment, what is live in the inputs, and where it is copied to. */
  readonly #relocations: Map<number, Relocation>;
  #copier: SegmentCopier | undefined;
  /** Above this sequence number the output has everything that the inputs had, in order: what watches rely on. */
  #historyFloor = 0;
  #highestCopied = 0;
  /** Whether anything that the index points at has expired, and was not copied as it is. */
  #hasGraves = false;
  readonly #slices = new Slices();

  constructor(host: CompactionHost, inputs: Segment[], verdicts: Verdicts | undefined) {
    this.#host = host;
    this.#inputs = inputs;
    this.#verdicts = verdicts;
    host.expire();
    this.#expiredBy = host.log.clockFloor;
    this.#asOf = host.log.nextSequence - 1;
    this.#droppableUpTo = droppableUpTo(host.log.segments.values(), new Set(inputs));
    this.#relocations = new Map(inputs.map(({ number, endBytes }) => [number, new Relocation(endBytes)]));
  }

  /** How many records were copied whose entries are moved. */
  get movedRecords(): number {
    return [...this.#relocations.values()].reduce((sum, { count }) => sum + count, 0);
  }

  /**
   * Marks what the index points at in the inputs. What is superseded from now on is copied all the same, and is stale in
   * the copy: nothing that was superseded before this compaction began is, and that is what `cleanAsOf` says. What a
   * pending write supersedes may count again; so each table is looked at when nothing is pending.
   *
   * Reads the tables of the index that have not been read yet, so that behind the switch nothing has to be read.
   */
  async mark(): Promise<void> {
    await this.#eachPartition((number) => this.#host.index().mark(number, this.#relocations));
  }

  /** Copies what is kept and makes the copy durable. */
  async copy(): Promise<void> {
    const scan = new Scan((scannedBytes) => {
      this.#copier?.syncBehind();
      this.#host.checkpoint(scannedBytes);
    });
    // It ends with an error at what cannot be read: that may be all that is left of a record, and the input stays.
    for (const input of this.#inputs) await scan.read(input, (cursor) => this.#take(cursor, input));
    this.#host.checkpoint(0);
    if (this.#copier === undefined) return;
    await this.#copier.finish();
    this.#host.log.syncNames();
  }

  /** Makes the copy count instead of the inputs, in one step. */
  switchOver(): void {
    const { log } = this.#host;
    this.#host.checkpoint(0);
    const output = this.#copier?.segment;
    const historyFloor = log.historyFloor;
    for (const input of this.#inputs) {
      log.segments.delete(input.number);
      log.retired.set(input.number, input);
    }
    if (output !== undefined) {
      output.sealed = true;
      output.cleanAsOf = this.#asOf;
      output.isAudited = this.#verdicts !== undefined || this.#inputs.every(({ isAudited }) => isAudited);
      log.segments.set(output.number, output);
    }
    log.historyFloor = Math.max(historyFloor, this.#historyFloor);
    try {
      log.reserve.lend(0, () => log.replaceManifest({ clean: false }));
    } catch (error) {
      for (const input of this.#inputs) {
        log.retired.delete(input.number);
        log.segments.set(input.number, input);
      }
      if (output !== undefined) log.segments.delete(output.number);
      log.historyFloor = historyFloor;
      throw error;
    }
    if (output !== undefined) log.platform.pool.release(output.handle);
  }

  /**
   * Points the index at the copies, and takes out what had expired. Only an entry that is still in one of the inputs is
   * concerned: any other was written, or deleted, since. A rollback would bring entries back into the inputs, and a view
   * that was opened behind a pending write would forget with it what it is told here; so nothing is pending when a table
   * is changed. Nothing is read from the disk for it, as there is no way back behind the switch. Only memory can be
   * missing: for the notes of views, where something has expired.
   */
  async move(): Promise<void> {
    const output = this.#copier?.segment;
    if (output === undefined && !this.#hasGraves) return;
    const remember = (key: KeyBytes, place: Place) => this.#host.remember(key, place);
    await this.#eachPartition((number) => {
      const index = this.#host.index().changeable();
      const { count, bytes } = index.relocate(number, this.#relocations, output?.number ?? 0, remember);
      if (output !== undefined) output.liveBytes += bytes;
      return count;
    });
  }

  /** Goes through the index in slices, each table when nothing is pending. `visit` returns how many entries it looked at. */
  async #eachPartition(visit: (number: number) => number): Promise<void> {
    for (let number = 0; number < PARTITIONS; number++) {
      this.#host.settle();
      if (this.#slices.count(visit(number) * ENTRY_BYTES)) await this.#slices.pause();
    }
  }

  /** Gives the copy up. */
  abandon(): void {
    if (this.#copier !== undefined) this.#host.log.discard(this.#copier.segment);
  }

  #take(cursor: RecordCursor, input: Segment): void {
    if (cursor.kind === KIND.mark) return;
    const relocation = this.#relocations.get(input.number)!;
    const isCurrent = cursor.kind === KIND.set && relocation.has(cursor.offset);
    const isGrave = isCurrent && cursor.expiresAt !== 0 && cursor.expiresAt <= this.#expiredBy;
    if (isGrave) this.#hasGraves = true;
    const isSet = isCurrent && !isGrave;
    // What was current and has expired is a tombstone. What was superseded before is none: the later record is.
    const isTombstone = isGrave || cursor.kind !== KIND.set;
    const isKept = isSet || (isTombstone && this.#needs(cursor));
    if (!isKept || isGrave || cursor.sequence < this.#highestCopied) {
      this.#historyFloor = Math.max(this.#historyFloor, cursor.sequence);
    } else this.#highestCopied = cursor.sequence;
    if (!isKept) return;
    if (!isGrave && !cursor.checkValue()) throw damaged(input, cursor.offset, "checksum of a value");
    this.#copier ??= new SegmentCopier(this.#host.log, this.#begin());
    const target = this.#copier.copy(cursor, isGrave ? KIND.delete : undefined);
    if (isSet) relocation.move(cursor.offset, target);
  }

  #begin(): Segment {
    const { log } = this.#host;
    const inputs = this.#inputs.map(({ number }) => number);
    return log.reserve.lend(SEGMENT_HEADER_BYTES, () => log.beginSegment(inputs));
  }

  #needs(tombstone: RecordCursor): boolean {
    return tombstone.sequence > this.#droppableUpTo && this.#verdicts?.drops(tombstone) !== true;
  }
}
