/**
 * The storage engine: a log on disk, an index in memory, recovery and compaction. Start reading here.
 *
 * **The idea.** Writes append records to a log. An index in memory maps each key to the place of its latest record, so
 * a read is one lookup and, as a rule, at most one read of the disk. Superseded records stay in the log until
 * compaction copies the others away. This is Bitcask (Sheehy and Smith, 2010).
 *
 * **The files.** The log is a sequence of *segments*, `00000001.seg` and so on. Records are appended to the *active*
 * one; the others are *sealed* and never change. The *durable mark* says up to where the active segment has been
 * synced; it stands in `MANIFEST` and, more recently, in mark records in the log. `MANIFEST` also lists the segments
 * that count. `LOCK` keeps a second writer out. `RESERVE` is room for a full disk. `INDEX` belongs to a feature, the
 * image of the index; losing it costs time, nothing else.
 *
 * **The life of a write.** `KvStore.set` (src/store.ts) encodes key and value, and `Engine.stageSet` (engine.ts) lays
 * out the record in the tail (tail.ts, record.ts), which is in memory. `Writer.publish` (writer.ts) gives it a sequence
 * number and a place in the active segment, and `Engine.onRecord` points the index there: reads see it from now on. At
 * the end of the turn one `write` hands over everything pending, and promises of durability `"write"` resolve. One
 * `fdatasync` then serves all calls that wait for `"sync"`; calls that come while it runs form the next group. If the
 * write fails, the index is put back and the calls reject. If a sync fails, the store writes nothing more.
 *
 * **A full segment.** `Writer.rotate` begins a new segment. The full one is synced and sealed in the manifest, which
 * lists the new one, before a record is written there (`Log.rotate`). Records that come meanwhile have their places in
 * the new segment and wait in the tail: src/rotation/ does this while the event loop goes on.
 *
 * **The life of a read.** `Engine.get` hashes the key and finds segment, offset and length in the index. The bytes come
 * from the cache, the tail or the file. Both checksums, which are bound to the place, and the key are checked.
 *
 * **After a crash** (open.ts) the manifest says which segments count. Records after the durable mark count up to the
 * first bad byte, and a batch only as a whole (recovery.ts). The index is built by replaying the log (replay.ts), all
 * of it or what the image does not cover: of each key the record with the highest sequence number wins. A bad header or
 * key that is met before the mark is damage, and the store is refused. Values are checked when they are read. Then the
 * records after the mark are copied to a new segment, which is synced. Nothing is ever appended after bytes in doubt.
 *
 * **Compaction** (compactor.ts) notes which records of a few sealed segments the index points at, and copies them into
 * a new segment, with the tombstones that are still needed (droppable.ts). It syncs the copy and the log, replaces the
 * manifest, and points the index at the copies. The old files are removed once no snapshot or watch needs them. A crash
 * before the new manifest leaves the old segments in force, a crash after it the copy. src/maintenance/ decides when
 * this happens, and to which segments.
 *
 * **What crash safety rests on.** Appending never overwrites what was acknowledged. A name in a directory is durable
 * before anything relies on it. The manifest is replaced by a rename, so either the old or the new one is there. A
 * failed `fsync` is never tried again (Rebello et al., 2020). docs/safety.md names the test for each.
 *
 * **What is left out.** All keys are in memory: that makes reads fast, and it bounds the size of a store. One process
 * writes. There are no transactions beyond a batch, and values are not compressed. Snapshots, ranges, watches, the
 * image, audits and repair are features around the engine. It imports none of them: those that it calls implement
 * interfaces.ts.
 *
 * **Where ideas come from.** Log, index and merging from Bitcask; the cleaning of segments from log-structured file
 * systems (Rosenblum and Ousterhout, 1992); group commit from DeWitt et al. (1984); sequence numbers that decide at
 * replay from LevelDB.
 *
 * **An order to read in.** record, segment, manifest, manifest_file, log, cursor; tail, writer; partition, index, engine,
 * interfaces; recovery, replay, copier, open; droppable, compactor.
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
export { droppableUpTo, noteCurrent } from "./droppable.ts";
