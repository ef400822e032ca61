import { assert, assertEquals, assertThrows } from "@std/assert";
import { KvStoreError } from "../../src/errors.ts";
import { ChangeCursor } from "../../src/watch/changes.ts";
import { Log } from "../../src/engine/log.ts";
import { newManifest } from "../../src/store/directory.ts";
import { KIND } from "../../src/engine/record.ts";
import type { Segment } from "../../src/engine/segment.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { makeSegment, mark, put, type RecordPlan, tombstone } from "../support/records.ts";

/** A log of sealed segments made by hand. */
function logOf(plans: RecordPlan[][]): { log: Log; segments: Segment[] } {
  let platform: ReturnType<typeof makeSegment>["platform"] | undefined;
  const segments = plans.map((plan, i) => {
    const made = makeSegment(plan, { number: i + 1, ...(platform === undefined ? {} : { platform }) });
    platform = made.platform;
    return made.segment;
  });
  const log = new Log({ platform: platform!, directory: "/s", lock: undefined }, newManifest(), segments);
  return { log, segments };
}

/** Steps on to the next change; its sequence number, or 0 at the end. */
function next(cursor: ChangeCursor, log: Log): number {
  for (;;) {
    const step = cursor.step(log);
    if (step === "end") return 0;
    if (step === "change") return cursor.record.sequence;
  }
}

function all(cursor: ChangeCursor, log: Log): number[] {
  const found: number[] = [];
  for (let sequence = next(cursor, log); sequence > 0; sequence = next(cursor, log)) found.push(sequence);
  return found;
}

/**
 * Segments as compactions leave them: their ranges overlap, two hold the same records, and one has nothing but a mark.
 */
const PLANS: RecordPlan[][] = [
  [put(3, "c"), put(9, "i", "x".repeat(3000)), mark(20, 44)],
  [put(1, "a"), put(2, "b"), tombstone(5, "c"), put(14, "n")],
  [put(4, "d"), { kind: KIND.clear, sequence: 6 }, mark(7, 44), put(8, "h"), put(9, "i", "copy"), put(10, "j")],
  [mark(11, 44)],
  [put(12, "l", "v", 0), put(13, "m")],
];
const CHANGES = [1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 13, 14];

Deno.test("changes: all segments together in the order of the sequence numbers, each change once, without marks", () => {
  const { log, segments } = logOf(PLANS);
  const cursor = new ChangeCursor(0);
  const found: number[] = [];
  for (let sequence = next(cursor, log); sequence > 0; sequence = next(cursor, log)) {
    found.push(sequence);
    assertEquals(cursor.position, sequence);
    // Of what is there twice, the original.
    if (sequence === 9) assertEquals([cursor.segment, cursor.record.keyLength], [segments[0], 1]);
  }
  assertEquals(found, CHANGES);
  assertEquals(next(cursor, log), 0);
});

Deno.test("changes: from every sequence number on, and with a rest after every step, nothing is lost or twice", () => {
  const { log } = logOf(PLANS);
  for (let since = 0; since <= 15; since++) {
    const wanted = CHANGES.filter((sequence) => sequence > since);
    assertEquals(all(new ChangeCursor(since), log), wanted, `since ${since}`);
    for (let rest = 0; rest <= wanted.length; rest++) {
      const cursor = new ChangeCursor(since);
      const found = wanted.slice(0, rest).map(() => next(cursor, log));
      cursor.closeCursors();
      found.push(...all(cursor, log));
      assertEquals(found, wanted, `since ${since}, rest after ${rest}`);
    }
  }
});

// A segment that could not be read was left, and the changes of another went on ahead of it: its own were lost.
Deno.test("changes: where one reading fails, the next step makes it again, and nothing is lost or twice", () => {
  const keyOf = (sequence: number) => `${sequence} `.repeat(400);
  const sequences = Array.from({ length: 900 }, (_, i) => i + 1);
  const { log, segments } = logOf(
    [0, 1].map((parity) =>
      sequences.filter((one) => one % 2 === parity).map((sequence) => put(sequence, keyOf(sequence)))
    ),
  );
  const platform = log.platform as MemoryPlatform;
  assert(segments.every(({ endBytes }) => endBytes > 2 ** 19));
  let failures = 1;
  for (let n = 1; failures > 0; n++) {
    failures = 0;
    let reads = 0;
    platform.onOperation = ({ kind }) => {
      if (kind !== "read" || ++reads !== n) return;
      failures++;
      throw new Error("input/output error");
    };
    const cursor = new ChangeCursor(0);
    const found: number[] = [];
    for (let sequence = 1; sequence > 0;) {
      try {
        sequence = next(cursor, log);
        if (sequence > 0) found.push(sequence);
        const isWhole = sequence === 0 || new TextDecoder().decode(cursor.record.key) === keyOf(sequence);
        assert(isWhole, `reading ${n}: the key of ${sequence}`);
      } catch (error) {
        if (!(error instanceof KvStoreError)) throw error;
        assertEquals(error.code, "IO");
      }
    }
    assertEquals(found, sequences, `reading ${n}`);
    assert(n < 100);
  }
  platform.onOperation = undefined;
});

Deno.test("changes: a log whose segments are replaced between any two steps is read on", () => {
  for (let steps = 0; steps <= CHANGES.length; steps++) {
    for (let lost = 1; lost <= 3; lost++) {
      const { log } = logOf(PLANS);
      const cursor = new ChangeCursor(0);
      const found = CHANGES.slice(0, steps).map(() => next(cursor, log));
      // The segment is another object with another descriptor, as after a reader's refresh.
      const again = logOf(PLANS).segments[lost - 1]!;
      log.segments.get(lost)!.handle.close();
      const { platform, directory } = log;
      const segments = Array.from(log.segments.values(), (segment) => segment.number === lost ? again : segment);
      const refreshed = new Log({ platform, directory, lock: undefined }, newManifest(), segments);
      assertEquals([...found, ...all(cursor, refreshed)], CHANGES, `${lost} after ${steps}`);
    }
  }
});

Deno.test("changes: what was replaced is read below the history floor, and only there", () => {
  const { log: { platform, directory }, segments } = logOf(
    [[put(1, "a"), put(2, "a"), put(3, "b")], [put(2, "a"), put(3, "b")], [put(4, "c")]],
  );
  const [replaced, ...listed] = segments;
  const log = new Log({ platform, directory, lock: undefined }, { ...newManifest(), historyFloor: 1 }, listed);
  log.retire(replaced!, replaced!.endBytes);
  assertEquals(all(new ChangeCursor(0), log), [1, 2, 3, 4]);
  segments[0]!.handle.close();
  assertEquals(all(new ChangeCursor(1), log), [2, 3, 4]);
});

Deno.test("changes: of a segment that is being written only what is durable, and then the rest", () => {
  const { segment, offsets, platform } = makeSegment([put(1, "a"), put(2, "b"), put(3, "c")]);
  segment.sealed = false;
  const log = new Log({ platform, directory: "/s", lock: undefined }, newManifest(), [segment]);
  const cursor = new ChangeCursor(0);
  for (const [i, offset] of offsets.entries()) {
    log.noteSynced(offset);
    assertEquals(all(cursor, log), i === 0 ? [] : [i]);
  }
});

/** What takes a few slices to read, on any machine. */
const COUNT = 100_000;

Deno.test("changes: steps give way to others now and then, also while nothing is found", async () => {
  const { log } = logOf([Array.from({ length: COUNT }, (_, i) => put(i + 1, "k"))]);
  for (const since of [0, COUNT - 1]) {
    const cursor = new ChangeCursor(since);
    const steps = { change: 0, pause: 0, end: 0 };
    while (steps.end === 0) {
      const step = cursor.step(log);
      steps[step]++;
      if (step === "pause") await cursor.slices.pause();
    }
    assertEquals(steps.change, COUNT - since);
    assert(steps.pause >= 1, `${steps.pause} pauses`);
  }
});

Deno.test("changes: a header that does not check out is CORRUPT, with its place", () => {
  const made = makeSegment([put(1, "a"), put(2, "b")]);
  const log = new Log({ platform: made.platform, directory: "/s", lock: undefined }, newManifest(), [made.segment]);
  made.bytes[made.offsets[1]! + 20]! ^= 1;
  made.platform.writeFile(made.path, made.bytes);
  const cursor = new ChangeCursor(0);
  assertEquals(next(cursor, log), 1);
  const error = assertThrows(() => next(cursor, log), KvStoreError);
  assertEquals([error.code, error.file, error.offset], ["CORRUPT", made.segment.name, made.offsets[1]]);
});
