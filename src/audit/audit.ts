/**
 * Audit of tombstones: finds out which of them hide anything. Compaction knows of a whole segment only where it begins
 * and as of when it is current. By that, a segment with data that stays keeps every younger tombstone as soon as one
 * record in it is superseded. An audit asks the records themselves: it reads headers and keys, and rewrites nothing.
 *
 * A tombstone may go if one of two things is true of the segments that stay when it goes:
 *
 * - They have no set of its key with a lower sequence number. Then there is nothing to hide.
 * - They, or the tombstones that are audited with it, have a record of its key with a higher number. Then that record
 *   decides about the key, whatever else there is. If it is a tombstone, it is judged by itself.
 *
 * Both are facts about sealed segments, which never change. So it does not matter what is written, rolled back or lost
 * in a crash meanwhile: that adds no record with a lower number than those here. And no record that was seen goes away
 * before the tombstone does, as only one compaction runs at a time.
 *
 * So each tombstone that is kept is the only one of its key, and a stale set of that key, which is at least as long, is
 * kept as well. Tombstones take no more than what is stale, and that has a bound of its own.
 *
 * @module
 */
import { hashKey } from "../hash.ts";
import { Index } from "../engine/index.ts";
import { ENTRY_FIELDS, type Partition } from "../engine/partition.ts";
import type { RecordCursor } from "../engine/cursor.ts";
import { KIND } from "../engine/record.ts";
import type { Segment } from "../engine/segment.ts";
import { keptBytesOf, outputBytesOf } from "../maintenance/gain.ts";
import { compactGroup, type GroupOptions, readSealed } from "../engine/compactor.ts";
import type { Engine } from "../engine/engine.ts";
import { Slices } from "../platform/turn.ts";
import { AUDITED, groupsOf, judgeableUpTo, witnessesOf } from "./selection.ts";

/** What an audit found out about the newest tombstone of a key. */
const HIDES_NOTHING = 1;
const NEEDED = 2;
const SUPERSEDED = 3;

/** How tombstones are compacted. */
export interface AuditOptions extends Pick<GroupOptions, "onPause"> {
  /** Segments are sealed at this size. */
  segmentBytes: number;
  /** Share of the inputs' bytes that has to be won. */
  leastShare: number;
}

/**
 * Audits the tombstones in `inputs`, oldest records first. Then rewrites the inputs without the tombstones that may go,
 * in groups that each fit into a segment, if more than `leastShare` of their bytes is won. Returns how many groups were
 * rewritten.
 */
export async function compactTombstones(
  engine: Engine,
  inputs: Segment[],
  { segmentBytes, leastShare, onPause = () => {} }: AuditOptions,
): Promise<number> {
  const audit = new Audit(engine, inputs);
  await audit.run(() => onPause(0));
  const kept = inputs.map((input, rank) => keptBytesOf(input, Infinity) + audit.neededBytes[rank]!);
  const groups = groupsOf(inputs, kept, segmentBytes);
  const inputBytes = inputs.reduce((sum, { endBytes }) => sum + endBytes, 0);
  const outputBytes = groups.reduce((sum, group) => sum + outputBytesOf(group.inputs.length, group.keptBytes), 0);
  if (inputBytes - outputBytes <= leastShare * inputBytes) {
    for (const input of inputs) AUDITED.add(input);
    return 0;
  }
  // In this order, one after the other: a set that a tombstone hides in an earlier group is gone when its turn comes.
  for (const group of groups) {
    const output = await compactGroup(engine, group.inputs, { onPause, drops: (tombstone) => audit.drops(tombstone) });
    if (output !== undefined) AUDITED.add(output);
  }
  return groups.length;
}

class Audit {
  readonly #engine: Engine;
  readonly #inputs: Segment[];
  readonly #expiredBy: number;
  /** Tombstones above this cannot be judged: they may hide something in a segment that is not read. */
  readonly #judgedUpTo: number;
  /**
   * Per key the newest tombstone: what was found out, its rank among the inputs, its length; and its sequence number.
   */
  readonly #tombstones = new Index();
  /** The newest clear, which has no key: what was found out, its rank among the inputs, its length. */
  #clear = { sequence: 0, verdict: HIDES_NOTHING, rank: 0, lengthBytes: 0 };
  /** For each input, bytes of the tombstones that have to stay. */
  readonly neededBytes: number[];

  constructor(engine: Engine, inputs: Segment[]) {
    engine.expire();
    this.#engine = engine;
    this.#inputs = inputs;
    this.#expiredBy = engine.log.clockFloor;
    this.#judgedUpTo = judgeableUpTo(engine.log.segments.values(), new Set(inputs));
    this.neededBytes = inputs.map(() => 0);
  }

  async run(onPause: () => void): Promise<void> {
    const slices = new Slices(onPause);
    const witnesses = witnessesOf(this.#engine.log.segments.values(), new Set(this.#inputs));
    for (const [rank, input] of this.#inputs.entries()) {
      await readSealed(input, slices, (cursor) => this.#note(cursor, rank, input));
    }
    let highest = 0;
    for (const [rank, input] of this.#inputs.entries()) {
      // What is in an earlier one is gone, or copied as it is current, when a later one is rewritten.
      if (Math.max(input.lowestSequence - 1, input.currentAsOf) < highest) {
        await readSealed(input, slices, (cursor) => this.#look(cursor, rank));
      }
      highest = Math.max(highest, input.highestTombstone, input.graveBytes > 0 ? input.highestSequence : 0);
    }
    for (const witness of witnesses) await readSealed(witness, slices, (cursor) => this.#look(cursor, Infinity));
    this.#sum();
  }

  /** Whether the tombstone that the cursor stands on may go. */
  drops(cursor: RecordCursor): boolean {
    const { sequence } = cursor;
    if (cursor.kind === KIND.clear) {
      const { sequence: newest, verdict } = this.#clear;
      return sequence < newest || (sequence === newest && verdict !== NEEDED);
    }
    const { partition, id } = this.#find(cursor);
    if (id < 0) return false;
    const newest = partition.sequences![id]!;
    return sequence < newest || (sequence === newest && partition.entries[id * ENTRY_FIELDS + 1] !== NEEDED);
  }

  /** Takes note of a tombstone in an input: a delete, a clear, or a current set that has expired. */
  #note(cursor: RecordCursor, rank: number, input: Segment): void {
    const { kind, sequence } = cursor;
    if (kind === KIND.mark || (kind === KIND.set && !this.#isGrave(cursor, input))) return;
    const verdict = sequence > this.#judgedUpTo ? NEEDED : HIDES_NOTHING;
    const lengthBytes = cursor.keyStart + cursor.keyLength;
    if (kind === KIND.clear) {
      if (sequence > this.#clear.sequence) this.#clear = { sequence, verdict, rank, lengthBytes };
      return;
    }
    const { partition, id: found, hash, start } = this.#find(cursor);
    const id = found < 0 ? partition.add(hash, cursor.bytes, start, cursor.keyLength, true) : found;
    if (sequence <= partition.sequences![id]!) return;
    partition.sequences![id] = sequence;
    partition.entries.set([verdict, rank, lengthBytes], id * ENTRY_FIELDS + 1);
  }

  #isGrave({ bytes, at, keyStart, keyLength, expiresAt, offset }: RecordCursor, { number }: Segment): boolean {
    if (expiresAt === 0 || expiresAt > this.#expiredBy) return false;
    const { index } = this.#engine;
    return index.find(bytes, at + keyStart, keyLength) && index.segment === number && index.offset === offset;
  }

  /** Looks at a record in a segment that is still there when the inputs before `rank` are rewritten. */
  #look(cursor: RecordCursor, rank: number): void {
    const { kind, sequence } = cursor;
    if (kind === KIND.mark) return;
    const clear = this.#clear;
    const isOlderSet = (newest: number, of: number) => kind === KIND.set && sequence < newest && of < rank;
    if (isOlderSet(clear.sequence, clear.rank) && clear.verdict === HIDES_NOTHING) clear.verdict = NEEDED;
    if (kind === KIND.clear) {
      if (rank === Infinity && sequence > clear.sequence) clear.verdict = SUPERSEDED;
      return;
    }
    const { partition, id } = this.#find(cursor);
    if (id < 0) return;
    const at = id * ENTRY_FIELDS + 1;
    const { entries } = partition;
    const newest = partition.sequences![id]!;
    if (rank === Infinity && sequence > newest) entries[at] = SUPERSEDED;
    else if (isOlderSet(newest, entries[at + 1]!) && entries[at] === HIDES_NOTHING) entries[at] = NEEDED;
  }

  #sum(): void {
    const { verdict, rank, lengthBytes } = this.#clear;
    if (verdict === NEEDED) this.neededBytes[rank]! += lengthBytes;
    // Of an index, `each` shows the fields as it names them: what is found out stands where the segment does.
    const tombstones = this.#tombstones;
    tombstones.each(() => {
      if (tombstones.segment === NEEDED) this.neededBytes[tombstones.offset]! += tombstones.length;
    });
  }

  #find({ bytes, at, keyStart, keyLength }: RecordCursor): {
    partition: Partition;
    id: number;
    hash: number;
    start: number;
  } {
    const start = at + keyStart;
    const hash = hashKey(bytes, start, keyLength, this.#tombstones.seed);
    const partition = this.#tombstones.partition(hash >>> 24);
    partition.trackSequences(true);
    return { partition, id: partition.find(hash, bytes, start, keyLength), hash, start };
  }
}
