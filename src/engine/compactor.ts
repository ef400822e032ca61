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
import { corrupt, KvStoreError } from "../errors.ts";
import { droppableUpTo } from "./droppable.ts";
import { SegmentCopier } from "./copier.ts";
import { RecordCursor } from "./cursor.ts";
import type { Engine } from "./engine.ts";
import { PARTITIONS } from "./index.ts";
import { KIND } from "./record.ts";
import { type Relocation, Relocations } from "../relocation.ts";
import type { Segment } from "./segment.ts";
import { nextTurn, Slices } from "../platform/turn.ts";

/** What looking at an entry of the index counts for, in bytes. */
const ENTRY_BYTES = 16;

/** How a group is compacted. */
export interface GroupOptions {
  /**
   * Called at each pause with the bytes read since the last one, and before the switch. Throws to end the compaction.
   */
  onPause?: (scannedBytes: number) => void;
  /**
   * Whether the tombstone that the cursor stands on may go, though a segment outside the inputs may hold older records:
   * the result of an audit.
   */
  drops?: (tombstone: RecordCursor) => boolean;
}

/**
 * Rewrites one group of sealed segments as one new segment, and returns that. If nothing of them is kept, there is no
 * new segment.
 */
export async function compactGroup(
  engine: Engine,
  inputs: Segment[],
  options: GroupOptions = {},
): Promise<Segment | undefined> {
  const compaction = new Compaction(engine, inputs, options);
  try {
    await compaction.noteLive();
    await compaction.copy();
    // If the write fails, that concerns its callers, not the compaction.
    await engine.writer!.rotating;
    engine.writer!.write();
    await engine.writer!.reached("sync");
    await compaction.switchOver();
  } catch (error) {
    // Before anything else: a failed store removes no files.
    const failure = engine.log.failIfFinal(error);
    if (compaction.output !== undefined) engine.log.discard(compaction.output);
    throw failure;
  }
  try {
    // A turn of its own, as the switch has taken its share of this one.
    await nextTurn();
    await compaction.move();
  } catch (cause) {
    // There is no memory for it. The index still points at inputs, and the next compaction would take the copies for
    // stale.
    const reason = "a compaction could not tell the index where the records are; open the store again";
    throw engine.log.fail(new KvStoreError("FAILED", reason, { cause }));
  }
  // The inputs count until the manifest's new name is durable.
  await engine.log.syncNames();
  engine.retire(inputs);
  return compaction.output;
}

class Compaction {
  readonly #engine: Engine;
  readonly #inputs: Segment[];
  readonly #options: GroupOptions;
  /** No record up to this sequence number supersedes anything that is copied. */
  readonly #asOf: number;
  readonly #droppableUpTo: number;
  /**
   * A set that has expired by this time is a tombstone. One that expires later is copied: the index must know first.
   */
  readonly #expiredBy: number;
  /** What is live in the inputs, and where it is copied to. */
  readonly #relocations: Relocations;
  #copier: SegmentCopier | undefined;
  /** Above this sequence number the output has everything that the inputs had, in order. Watches rely on that. */
  #historyFloor = 0;
  #highestCopied = 0;

  constructor(engine: Engine, inputs: Segment[], options: GroupOptions) {
    this.#engine = engine;
    this.#inputs = inputs;
    this.#options = options;
    engine.expire();
    this.#expiredBy = engine.log.clockFloor;
    this.#asOf = engine.log.nextSequence - 1;
    this.#droppableUpTo = droppableUpTo(engine.log.segments.values(), new Set(inputs));
    this.#relocations = new Relocations(inputs);
  }

  /** The copy, if there is one. */
  get output(): Segment | undefined {
    return this.#copier?.segment;
  }

  /**
   * Notes which records of the inputs are live: the index points at them. A record that is superseded from now on is
   * copied nevertheless, and is stale in the copy. So the copy holds nothing that was superseded before the compaction
   * began, and `currentAsOf` says so. A record that a pending write supersedes may count again, so nothing is pending
   * when a table is looked at.
   *
   * This reads the tables of the index that have not been read yet, so that nothing has to be read after the switch.
   */
  async noteLive(): Promise<void> {
    await this.#eachPartition((number) => this.#engine.index.noteLive(number, this.#relocations));
  }

  /**
   * Copies what is kept and makes the copy durable. Throws at a record that cannot be read: it may be the only one of
   * its key, so the input stays.
   */
  async copy(): Promise<void> {
    const slices = new Slices((scannedBytes) => {
      this.#copier?.file.syncBehind();
      this.#options.onPause?.(scannedBytes);
    });
    for (const input of this.#inputs) {
      const relocation = this.#relocations.of(input.number)!;
      await readSealed(input, slices, (cursor) => this.#take(cursor, input, relocation), relocation);
    }
    this.#options.onPause?.(0);
    if (this.#copier === undefined) return;
    await this.#copier.end().finish();
    await this.#engine.log.syncNames();
  }

  /** Makes the copy count instead of the inputs, in one step. Only what it takes before that takes time. */
  async switchOver(): Promise<void> {
    const { output } = this;
    const { log } = this.#engine;
    this.#options.onPause?.(0);
    if (output !== undefined) output.currentAsOf = this.#asOf;
    const add = output === undefined ? [] : [output];
    const change = () => ({ add, retire: this.#inputs, active: log.active, historyFloor: this.#historyFloor });
    const prepared = await log.prepare(change());
    this.#options.onPause?.(0);
    log.reserve.lend(0, () => log.change(change(), { clean: false, prepared }));
  }

  /**
   * Points the index at the copies, and removes entries that had expired. This changes an entry only if it still points
   * into an input: any other was written or deleted since. Nothing is pending when a table is changed. Otherwise a
   * rollback could bring back an entry that points into an input, and a view that was opened after a pending write
   * would lose, with that write, what it is told here. Nothing is read from the disk, as there is no way back after the
   * switch. Only memory can be missing, for the notes of views about what has expired.
   */
  async move(): Promise<void> {
    if (this.#relocations.count === 0) return;
    const engine = this.#engine;
    const relocate = (number: number) => engine.index.relocate(number, this.#relocations, this.output, engine.observer);
    await this.#eachPartition(relocate);
    this.#engine.changes += this.#relocations.count;
  }

  /**
   * Goes through the index in slices, and visits each partition when nothing is pending. `visit` returns how many
   * entries it looked at.
   */
  async #eachPartition(visit: (number: number) => number): Promise<void> {
    const slices = new Slices();
    for (let number = 0; number < PARTITIONS; number++) {
      await this.#engine.writer!.rotating;
      this.#engine.writer!.write();
      if (slices.count(visit(number) * ENTRY_BYTES)) await slices.pause();
    }
  }

  #take(cursor: RecordCursor, input: Segment, relocation: Relocation): void {
    if (cursor.kind === KIND.mark) return;
    const isCurrent = cursor.kind === KIND.set && relocation.has(cursor.offset);
    const isGrave = isCurrent && cursor.expiresAt !== 0 && cursor.expiresAt <= this.#expiredBy;
    if (isGrave) relocation.move(cursor.offset, 0);
    const isSet = isCurrent && !isGrave;
    // A current set that has expired is a tombstone. A set that was superseded before is not: the later record is one.
    const isTombstone = isGrave || cursor.kind !== KIND.set;
    const isKept = isSet || (isTombstone && this.#needs(cursor));
    if (!isKept || isGrave || cursor.sequence < this.#highestCopied) {
      this.#historyFloor = Math.max(this.#historyFloor, cursor.sequence);
    } else this.#highestCopied = cursor.sequence;
    if (!isKept) return;
    if (!isGrave && !cursor.checkValue()) throw damaged(input, cursor.offset, "checksum of a value");
    this.#copier ??= new SegmentCopier(this.#engine.log, this.#inputs.map(({ number }) => number));
    if (isGrave) return this.#copier.bury(cursor);
    const target = this.#copier.copy(cursor);
    if (isSet) relocation.move(cursor.offset, target);
  }

  #needs(tombstone: RecordCursor): boolean {
    return tombstone.sequence > this.#droppableUpTo && this.#options.drops?.(tombstone) !== true;
  }
}

/**
 * Shows each record of a sealed segment to `visit`, in slices. `wanted` has those whose value will be checked. Throws
 * `CORRUPT` where a record does not check out.
 */
export async function readSealed(
  segment: Segment,
  slices: Slices,
  visit: (cursor: RecordCursor) => void,
  wanted?: Relocation,
): Promise<void> {
  const cursor = new RecordCursor(segment, segment.headerBytes, segment.endBytes);
  cursor.wanted = wanted;
  while (cursor.next()) {
    visit(cursor);
    if (slices.count(cursor.length)) await slices.pause();
  }
  if (cursor.reason !== undefined) throw damaged(segment, cursor.offset, cursor.reason);
}

/** The error for damage in a segment, which compaction leaves alone from now on. */
function damaged(segment: Segment, offset: number, reason: string): KvStoreError {
  segment.isDamaged = true;
  return corrupt(segment.name, offset, reason);
}
