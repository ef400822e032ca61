import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { headerFields, hex, recordFields, valuePreview } from "../../../src/cli/log/fields.ts";
import type { LogManifest, LogRecord, LogSegment } from "../../../src/cli/log/items.ts";
import { LogView } from "../../../src/cli/log/view.ts";
import { displayWidth, painter } from "../../../src/cli/text/format.ts";

const manifest: LogManifest = {
  storeId: "a7".repeat(16),
  formatVersion: 1,
  clean: true,
  nextSegment: 2,
  nextSequence: 3,
  mark: { segment: 1, offset: 44 },
  historyFloor: 0,
  clockFloor: 0,
  fileBytes: 124,
  generation: 1,
};

function fromHex(text: string): Uint8Array {
  return new Uint8Array(text.replaceAll(" ", "").match(/../g)!.map((pair) => parseInt(pair, 16)));
}

const segment: LogSegment = {
  type: "segment",
  number: 1,
  file: "00000001.seg",
  fileBytes: 1_234_567,
  endBytes: 1_234_567,
  sealed: false,
  salt: 0xdeadbeef,
  inputs: [],
  headerBytes: 44,
  header: fromHex(`4b565345474d4e54 01000000 01000000 ${"a7".repeat(16)} efbeadde 00000000 12345678`),
  lowestSequence: 1,
  highestSequence: 1_000_000,
  liveBytes: 1_000_000,
  staleBytes: 1,
  tombstoneBytes: 0,
};

/** `set("a", "b")`, as the format's description has it. */
const example = fromHex("d7490f95 dd9c099a 01 03 0100 01000000 0100000000000000 61 62");

function record(changes: Partial<LogRecord>): LogRecord {
  return {
    type: "record",
    segment: 1,
    offset: 44,
    length: 26,
    sequence: 1,
    kind: "set",
    key: "a",
    valueType: "string",
    valueBytes: 1,
    more: false,
    state: "live",
    intact: true,
    head: example,
    ...changes,
  };
}

Deno.test("cli log: a record's fields, each at the end of the one before, cover it whole", () => {
  const fields = recordFields(record({}));
  assertEquals(
    fields.map(({ offset, bytes, name, meaning }) => [offset, hex(bytes), name, meaning.split(":")[0]]),
    [
      [44, "d7 49 0f 95", "header checksum", "CRC-32 from here to the end of the key, seeded with salt and offset"],
      [48, "dd 9c 09 9a", "value checksum", "CRC-32 of the value"],
      [52, "01", "kind", "1"],
      [53, "03", "flags", "00011 in binary"],
      [54, "01 00", "key length", "1"],
      [56, "01 00 00 00", "value length", "1"],
      [60, "01 00 00 00 00 00 00 00", "sequence", "1"],
      [68, "61", "key", "a"],
      [69, "62", "value", "b"],
    ],
  );
});

Deno.test("cli log: expiry and mark have fields of their own", () => {
  const expiring = fromHex("00000000 00000000 02 11 0100 00000000 0200000000000000 00a0724e18090000 61");
  const fields = recordFields(record({ kind: "delete", head: expiring, valueBytes: 0, expiresAt: 10_000_000_000_000 }));
  assertEquals(fields.slice(-2).map(({ offset, name, meaning }) => [offset, name, meaning]), [
    [68, "expiry", "2286-11-20T17:46:40.000Z"],
    [76, "key", "a"],
  ]);
  const head = fromHex("00000000 00000000 04 00 0000 08000000 0300000000000000 01000000 2c000000");
  const { key: _, valueType: __, ...rest } = record({ kind: "mark", state: "mark", head, valueBytes: 8 });
  const marked = recordFields({ ...rest, mark: { segment: 1, offset: 44 } });
  assertEquals(marked.slice(-2).map(({ name, bytes }) => [name, hex(bytes)]), [
    ["mark: segment", "01 00 00 00"],
    ["mark: offset", "2c 00 00 00"],
  ]);
});

Deno.test("cli log: a segment header's fields cover it whole", () => {
  const fields = headerFields(segment);
  assertEquals(fields.reduce((sum, field) => sum + field.length, 0), segment.headerBytes);
  assertEquals(fields.at(-1)!.name, "checksum");
});

Deno.test("cli log: values are shown on one line, as what they are", () => {
  const withValue = (flags: number, bytes: number[], changes: Partial<LogRecord>) => {
    const head = new Uint8Array([...example.subarray(0, 25), ...bytes]);
    head[9] = flags;
    return valuePreview(record({ head, valueBytes: bytes.length, ...changes }));
  };
  assertEquals(withValue(1, [0, 255], { valueType: "bytes" }), "00 ff");
  assertEquals(withValue(3, [0x61, 10], {}), "a\\n");
  assertEquals(withValue(3, [0x61, 0xe6, 0x97], { valueBytes: 100 }), "a…");
  assertEquals(withValue(7, [0, 0xd8, 0x61, 0], {}), "\\ud800a");
  assertEquals(withValue(5, [0x5b, 0x5d], { valueType: "json" }), "[]");
});

Deno.test("cli log: columns line up and fit the terminal, whatever the keys", () => {
  for (const width of [40, 80, 100, 120, 200]) {
    const view = new LogView(manifest, { width, bytes: false, paint: painter(false) });
    const keys: (string | Uint8Array)[] = [
      "a",
      "日本語".repeat(40),
      "\n\t".repeat(60),
      new Uint8Array(80).fill(255),
      "",
    ];
    const head = view.manifest("./dir") + view.segment(segment);
    const rows = keys.map((key) => view.record(record({ key, sequence: 999_999, offset: 1_234_000 })));
    const lines = (head + rows.join("") + view.legend()).split("\n");
    for (const line of lines) assert(displayWidth(line) <= Math.max(width, 80), `${width}: ${line}`);
    const states = rows.map((row) => displayWidth(row.slice(0, row.indexOf("live"))));
    assertEquals(new Set(states).size, 1);
  }
});

Deno.test("cli log: batches are bracketed, damage is named, shares are not rounded away", () => {
  const view = new LogView(manifest, { width: 120, bytes: false, paint: painter(false) });
  assertStringIncludes(view.segment(segment), "live >99 %  ░ stale <1 %");
  const rows = [false, true, true, false, false].map((more) => view.record(record({ more }))[1]);
  assertEquals(rows, [" ", "╭", "│", "╰", " "]);
  assertStringIncludes(view.record(record({ intact: false })), "BAD");
  const damage = view.damage({ type: "damage", segment: 1, offset: 99, length: 5, reason: "header checksum" });
  assertEquals(damage.trim(), "99  DAMAGE, 5 bytes: header checksum");
});

Deno.test("cli log: the legend takes the most telling record apart", () => {
  const view = new LogView(manifest, { width: 120, bytes: false, paint: painter(false) });
  view.segment(segment);
  view.record(record({ state: "stale", offset: 44 }));
  view.record(record({ offset: 70 }));
  view.record(record({ offset: 96 }));
  assertStringIncludes(view.legend(), "segment 1, offset 70;");
});

Deno.test("cli log: --bytes shows every byte of a header and a record", () => {
  const view = new LogView(manifest, { width: 120, bytes: true, paint: painter(false) });
  const text = view.segment(segment) + view.record(record({}));
  assertStringIncludes(text, "4b 56 53 45 47 4d 4e 54  magic");
  assertStringIncludes(text, "d7 49 0f 95");
  assertStringIncludes(text, "69  62");
});
