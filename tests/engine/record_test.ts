import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { toHex } from "../../src/bytes.ts";
import {
  expiryOf,
  FLAG_EXPIRES,
  FLAG_MORE,
  flagsOf,
  headerIsIntact,
  keyStartOf,
  KIND,
  MAX_SEQUENCE,
  MAX_VALUE_BYTES,
  placeSeed,
  readHeader,
  readMark,
  RecordHeader,
  recordIsIntact,
  stampRecord,
  VALUE_TYPE,
  valueIsIntact,
  valueTypeOf,
} from "../../src/engine/record.ts";
import { Tail } from "../../src/engine/tail.ts";
import { mark, put, recordBytes, type RecordPlan, tombstone, utf8 } from "../support/records.ts";

const PLACE = { salt: 0xdead_beef, offset: 44 };

function bufferOf(bytes: Uint8Array): { bytes: Uint8Array; view: DataView } {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}

/** Whether both checksums hold at a place. */
function checks(bytes: Uint8Array, place: { salt: number; offset: number }): [header: boolean, value: boolean] {
  const buffer = bufferOf(bytes);
  const header = new RecordHeader();
  if (!readHeader(buffer.view, 0, bytes.length, header)) return [false, false];
  const seed = placeSeed(place.salt, place.offset);
  const [isHeader, isValue] = [headerIsIntact(buffer, 0, header, seed), valueIsIntact(buffer, 0, header, seed)];
  assertEquals(recordIsIntact(buffer, 0, header, seed), isHeader && isValue);
  return [isHeader, isValue];
}

Deno.test("record: the example in the module's documentation is what is written", () => {
  const bytes = recordBytes(put(1, "a", "b", flagsOf(true, VALUE_TYPE.utf8)), { salt: 0, offset: 44 });
  assertEquals(toHex(bytes), "e3fedbee1a836643010301000100000001000000000000006162");
});

Deno.test("record: all fields come back", () => {
  const plans: RecordPlan[] = [
    put(MAX_SEQUENCE, "k".repeat(65_535), "v", flagsOf(true, VALUE_TYPE.json) | FLAG_MORE),
    put(2 ** 32, "", ""),
    put(5, "with expiry", "value", FLAG_EXPIRES),
    tombstone(1, "gone"),
    { kind: KIND.clear, sequence: 3 },
    mark(4, 4_294_967_294),
  ];
  for (const plan of plans) {
    const bytes = recordBytes(plan, PLACE);
    const header = new RecordHeader();
    assert(readHeader(bufferOf(bytes).view, 0, bytes.length, header));
    const { kind, flags, sequence, keyLength, length } = header;
    assertEquals({ kind, flags, sequence }, { kind: plan.kind, flags: plan.flags ?? 0, sequence: plan.sequence });
    assertEquals(keyLength, plan.key?.length ?? 0);
    assertEquals(length, bytes.length);
    assertEquals(header.keyStart, keyStartOf(flags));
    assertEquals(checks(bytes, PLACE), [true, true]);
  }
  const marked = recordBytes(mark(4, 4_294_967_294), { ...PLACE, segment: 7 });
  assertEquals(readMark(bufferOf(marked).view, 0), { segment: 7, offset: 4_294_967_294 });
});

Deno.test("record: a time of expiry is what was staged, never 0, and above 2^53 − 1 the record does not check out", () => {
  const tail = new Tail();
  const key = { bytes: utf8("key"), start: 0, length: 3 };
  const header = new RecordHeader();
  for (const time of [1, 2 ** 32 - 1, 2 ** 32, 1_800_000_000_123, Number.MAX_SAFE_INTEGER, 0]) {
    tail.dropStaged();
    tail.stage(KIND.set, 0, key, "value", time);
    // Only its lengths are wanted: the sequence number comes with the seal.
    readHeader(tail.view, 0, tail.stagedEnd, header);
    assertEquals([header.flags, tail.stagedEnd, header.length], time === 0 ? [0, 32, 32] : [FLAG_EXPIRES, 40, 40]);
    stampRecord(tail, 0, { sequence: 1, seed: 7 });
    assertEquals(expiryOf(tail.view, 0, header.flags), time);
    assertEquals([headerIsIntact(tail, 0, header, 7), valueIsIntact(tail, 0, header, 7)], [true, true]);
  }
  // What only others write: the beginning of time, and times that are no numbers here.
  tail.dropStaged();
  tail.stage(KIND.set, 0, key, "value", 1);
  readHeader(tail.view, 0, tail.stagedEnd, header);
  for (
    const [time, isIntact] of [[0n, true], [2n ** 53n - 1n, true], [2n ** 53n, false], [2n ** 64n - 1n, false]] as const
  ) {
    tail.view.setBigUint64(24, time, true);
    stampRecord(tail, 0, { sequence: 1, seed: 7 });
    assertEquals(headerIsIntact(tail, 0, header, 7), isIntact, String(time));
    assertEquals(recordIsIntact(tail, 0, header, 7), isIntact, String(time));
    assert(expiryOf(tail.view, 0, header.flags) > 0);
  }
});

Deno.test("record: every flipped bit shows, and a damaged value leaves header and key intact", () => {
  const good = recordBytes(put(77, "key", "value"), PLACE);
  for (let bit = 0; bit < good.length * 8; bit++) {
    const bytes = good.slice();
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    const [header, value] = checks(bytes, PLACE);
    assert(!header || !value, `bit ${bit}`);
    // The checksum of the value is covered by that of the header; so only a flip in the value itself leaves the header
    // as it is.
    assertEquals(header, bit >= 8 * (good.length - 5), `bit ${bit}`);
  }
});

Deno.test("record: a record is worth nothing at another place", () => {
  const bytes = recordBytes(put(1, "key", "value"), PLACE);
  assertEquals(checks(bytes, { ...PLACE, offset: PLACE.offset + 1 }), [false, false]);
  assertEquals(checks(bytes, { ...PLACE, salt: PLACE.salt + 1 }), [false, false]);
  assertNotEquals(placeSeed(1, 2), placeSeed(1, 3));
  assertEquals(checks(recordBytes(put(1, "", ""), PLACE), { ...PLACE, offset: 45 })[0], false);
});

Deno.test("record: zeros are no header, nor is anything with an impossible field", () => {
  const header = new RecordHeader();
  assertEquals(readHeader(new DataView(new ArrayBuffer(64)), 0, 64, header), false);
  const refused = (change: (view: DataView) => void, leftBytes = Infinity) => {
    const { view } = bufferOf(recordBytes(put(9, "key", "value"), PLACE));
    change(view);
    return !readHeader(view, 0, leftBytes, header);
  };
  assertEquals(refused(() => {}), false);
  assert(refused((view) => view.setUint8(8, 0)), "kind 0");
  assert(refused((view) => view.setUint8(8, 5)), "kind 5");
  assert(refused((view) => view.setUint8(9, 32)), "an unknown flag");
  assert(refused((view) => view.setUint32(12, MAX_VALUE_BYTES + 1, true)), "too long a value");
  assert(refused((view) => view.setUint32(12, 0xffff_ffff, true)), "the longest length there is");
  assert(refused((view) => view.setUint32(20, 2 ** 21, true)), "a sequence number beyond 2^53");
  assert(refused((view) => view.setUint32(16, 0, true)), "sequence number 0");
  assert(refused((view) => view.setUint8(8, KIND.mark)), "a mark with a key");
  assert(refused(() => {}, 24 + 3 + 5 - 1), "longer than what is left of the file");
  assertEquals(refused(() => {}, 24 + 3 + 5), false);
});

Deno.test("record: key form and value type share the flags without touching each other", () => {
  for (const type of Object.values(VALUE_TYPE)) {
    for (const isString of [true, false]) {
      const flags = flagsOf(isString, type);
      assertEquals([valueTypeOf(flags | FLAG_MORE | FLAG_EXPIRES), flags & 1], [type, isString ? 1 : 0]);
    }
  }
});
