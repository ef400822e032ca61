import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  headerIsIntact,
  KIND,
  MAX_SEQUENCE,
  placeSeed,
  readHeader,
  type RecordBuffer,
  recordBuffer,
  RecordHeader,
  stampRecord,
  valueIsIntact,
  writeHeader,
} from "../../src/engine/record.ts";
import { someBytes, testProperty } from "./support/property.ts";

const record = fc.record({
  kind: fc.constantFrom(KIND.set, KIND.delete, KIND.clear),
  // All flags that there are: form of the key, type of the value, a batch that goes on, an expiry.
  flags: fc.nat(31),
  key: someBytes,
  value: someBytes,
  sequence: fc.integer({ min: 1, max: MAX_SEQUENCE }),
  salt: fc.nat(2 ** 32 - 1),
  offset: fc.nat(2 ** 32 - 1),
});
type Plan = typeof record extends fc.Arbitrary<infer T> ? T : never;

/** The record, alone in a buffer. */
function sealed({ kind, flags, key, value, sequence, salt, offset }: Plan): { buffer: RecordBuffer; seed: number } {
  const keyStart = (flags & 16) === 0 ? 24 : 32;
  const buffer = recordBuffer(keyStart + key.length + value.length);
  writeHeader(buffer.view, 0, { kind, flags, keyLength: key.length, valueLength: value.length });
  buffer.bytes.set(key, keyStart);
  buffer.bytes.set(value, keyStart + key.length);
  const seed = placeSeed(salt, offset);
  stampRecord(buffer, 0, { sequence, seed });
  return { buffer, seed };
}

function isIntact(buffer: RecordBuffer, seed: number, header = new RecordHeader()): boolean {
  return readHeader(buffer.view, 0, buffer.bytes.length, header) && headerIsIntact(buffer, 0, header, seed) &&
    valueIsIntact(buffer, 0, header, seed);
}

testProperty(import.meta.url, "record: what was written is read", {
  of: record,
  holds(plan) {
    const { buffer, seed } = sealed(plan);
    const header = new RecordHeader();
    assert(isIntact(buffer, seed, header));
    const { kind, flags, sequence, keyStart, keyLength, length } = header;
    assertEquals({ kind, flags, sequence, length }, {
      kind: plan.kind,
      flags: plan.flags,
      sequence: plan.sequence,
      length: buffer.bytes.length,
    });
    assertEquals(buffer.bytes.subarray(keyStart, keyStart + keyLength), plan.key);
    assertEquals(buffer.bytes.subarray(keyStart + keyLength), plan.value);
  },
});

testProperty(import.meta.url, "record: no bit changes unnoticed", {
  of: record,
  holds(plan) {
    const { buffer, seed } = sealed(plan);
    for (let bit = 0; bit < 8 * buffer.bytes.length; bit++) {
      buffer.bytes[bit >> 3]! ^= 1 << bit % 8;
      assert(!isIntact(buffer, seed), `bit ${bit % 8} of byte ${bit >> 3}`);
      buffer.bytes[bit >> 3]! ^= 1 << bit % 8;
    }
    assert(isIntact(buffer, seed));
  },
});

testProperty(import.meta.url, "record: it is none at any other place", {
  of: fc.tuple(record, fc.integer({ min: 1, max: 2 ** 32 - 1 })),
  holds([plan, distance]) {
    const { salt, offset } = plan;
    const { buffer } = sealed(plan);
    assert(!isIntact(buffer, placeSeed(salt, (offset ^ distance) >>> 0)), "at another offset");
    assert(!isIntact(buffer, placeSeed((salt ^ distance) >>> 0, offset)), "in another segment");
  },
});
