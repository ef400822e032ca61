/**
 * The storage engine: a log on disk, an index in memory, recovery and compaction. Start reading here.
 *
 * **The idea.** Every write appends a record to a log. An index in memory maps each key to the place of its latest
 * record, so a read is one lookup and at most one read of the disk. Superseded records stay in the log until compaction
 * copies the others away. This is Bitcask (Sheehy and Smith, 2010).
 *
 * **The files.** The log is a sequence of *segments*, `00000001.seg` and so on; records are appended to the *active* one,
 * the others are *sealed* and never change. `MANIFEST` lists the segments that count and how far the log is known to be
 * durable. `LOCK` keeps a second writer out. (A feature keeps an image of the index in `INDEX`; losing it costs time.)
 *
 * **The life of a write.** `Engine` (engine.ts) encodes the key, and `Tail.stage` (tail.ts) lays out the record
 * (record.ts) in memory. `Writer.publish` (writer.ts) gives it a sequence number and a place in the active segment, and
 * the index (index.ts) points there at once: reads see it from now on. At the end of the turn one `write` hands over
 * everything pending, and one `fdatasync` makes it durable for all who wait. If the write fails, the index is put back.
 *
 * **The life of a read.** `Engine.get` hashes the key, finds segment, offset and length in the index, reads these bytes
 * from the tail, a cache or the file, and checks the checksums, which are bound to the place, and the key.
 *
 * **After a crash** (open.ts) the manifest says which segments count. In the one that was being written, everything up to
 * the durable mark must be intact, or the store is refused as damaged. Intact records behind it are kept, up to the first
 * bad byte or the last complete batch (recovery.ts), and are made durable anew in a new segment. Then the log is replayed
 * into the index (replay.ts): of each key the record with the highest sequence number wins.
 *
 * **Compaction** (compactor.ts) copies what still counts in a few sealed segments into a new one, syncs the copy and the
 * log, replaces the manifest, and only then removes the old files. A tombstone goes once no other segment can hold an
 * older record of its key (choose.ts).
 *
 * **What crash safety rests on.** Appending never overwrites what was acknowledged. A name in a directory is durable
 * before anything relies on it. The manifest is replaced by a rename, so that either the old or the new one is there. A
 * failed `fsync` is never tried again: the store stops writing (Rebello et al., 2020). docs/safety.md has the tests.
 *
 * **What is left out.** All keys are kept in memory: that is what makes reads fast, and it bounds the size of a store. One
 * process writes. There are no transactions beyond a batch, and values are not compressed. Snapshots, ranges, watches,
 * the image and repair are features around the engine, which knows them by the interfaces in interfaces.ts alone.
 *
 * **Where ideas come from.** Log, index and merging from Bitcask; the cleaning of segments from log-structured file
 * systems (Rosenblum and Ousterhout, 1992); group commit from DeWitt et al. (1984); sequence numbers that decide at
 * replay from LevelDB.
 *
 * **An order to read in.** record, segment, manifest, log, tail, writer; index, partition, engine; recovery, replay, open;
 * copier, compactor, choose.
 *
 * What follows is exported for readers and for tools that inspect a log. Programs do not need it, and it may change.
 *
 * @module
 */

// the log
export { type Extent, RecordCursor } from "./cursor.ts";
export { decodeManifest, type Manifest, type ManifestSegment, type Mark } from "./manifest.ts";
export {
  FLAG_EXPIRES,
  FLAG_MORE,
  FLAG_STRING_KEY,
  KIND,
  type Kind,
  readMark,
  type RecordBuffer,
  RecordHeader,
  VALUE_TYPE,
  valueTypeOf,
} from "./record.ts";
export { Replay, type Replayed } from "./replay.ts";
export { ByteCounts, type FileHandle, readSegmentHeader, Segment, type SegmentHeader, segmentName } from "./segment.ts";

// the index
export { Index, type KeyBytes, type Place, type ReadIndex } from "./index.ts";
export { Partition } from "./partition.ts";

// compaction
export { droppableUpTo, gainOf, nextOfStale, noteClean, type Thresholds } from "./choose.ts";
