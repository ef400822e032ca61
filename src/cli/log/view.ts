/**
 * Draws the log for people. Pure: takes what `readLog` yields and returns lines.
 *
 * @module
 */

import { counted, fitted, grouped, humanBytes, type Paint, percentage, type Style, wrapped } from "../text/format.ts";
import { keyText } from "../text/notation.ts";
import { escaped } from "../text/printable.ts";
import { PARTS, sharesBar } from "../text/segment_bars.ts";
import { expiryText, type Field, headerFields, hex, recordFields, timeText, valuePreview } from "./fields.ts";
import type { LogDamage, LogManifest, LogRecord, LogSegment } from "./items.ts";

/** How to draw the log. */
export interface ViewOptions {
  /** Columns of the terminal. */
  width: number;
  /** Whether to show every field of every record. */
  bytes: boolean;
  paint: Paint;
}

const BAR_CHARACTERS = 40;
const NARROWEST = 80;
const ROOMY = 100;
const NAME_COLUMN = 14;
const BYTES_A_ROW = 8;

/** Draws the items of a log, one after the other. */
export class LogView {
  readonly #options: ViewOptions;
  readonly #manifest: LogManifest;
  #columns: Columns = { offset: 6, sequence: 3, key: 0, type: 0, value: 0, bytes: 5 };
  #inBatch = false;
  #example: LogRecord | undefined;

  constructor(manifest: LogManifest, options: ViewOptions) {
    this.#manifest = manifest;
    this.#options = { ...options, width: Math.max(NARROWEST, options.width) };
  }

  /** Draws the content of MANIFEST. */
  manifest(dir: string): string {
    const { storeId, formatVersion, clean, nextSegment, nextSequence, mark, fileBytes, generation } = this.#manifest;
    const { clockFloor } = this.#manifest;
    const { paint } = this.#options;
    const written = `replaced ${counted(generation, "time")}`;
    const lines = this.#rows([
      [
        "file",
        "plain",
        `MANIFEST, ${counted(fileBytes, "byte")}, ${written}, format ${formatVersion}; lists the segments that count`,
      ],
      ["store id", "plain", `${storeId}, in every file of this store`],
      clean
        ? ["state", "live", "clean: the store was closed, there is nothing to recover"]
        : ["state", "stale", "open: a writer has the store open, or stopped without closing it"],
      [
        "durable mark",
        "plain",
        `segment ${mark.segment}, offset ${grouped(mark.offset)}; everything before it survives a power cut`,
      ],
      [
        "next",
        "plain",
        `sequence ${grouped(nextSequence)}, segment ${grouped(nextSegment)} (numbers are reserved ahead)`,
      ],
      ...(clockFloor === 0 ? [] : [
        [
          "clock floor",
          "plain",
          `${timeText(clockFloor)}: what had expired by then stays expired, whatever the clock says`,
        ],
      ] as const),
    ]);
    return [paint("title", `Store ${escaped(dir)}`), ...lines, ""].join("\n") + "\n";
  }

  /** Draws the first lines of a segment, above its records. */
  segment(segment: LogSegment): string {
    const { paint, bytes } = this.#options;
    this.#inBatch = false;
    this.#columns = columnsFor(segment, this.#options.width);
    const kind = segment.sealed ? "sealed" : "active";
    const origin = segment.inputs.length > 0 ? `, compacted from ${segment.inputs.join(", ")}` : "";
    const range = segment.highestSequence < segment.lowestSequence
      ? "no records"
      : `sequence ${grouped(segment.lowestSequence)} to ${grouped(segment.highestSequence)}`;
    const title = paint("title", `Segment ${segment.number}`);
    const lines = [
      `${title}  ${segment.file}  ${humanBytes(segment.endBytes)}, ${kind}, ${range}${origin}`,
      `  ${this.#shares(segment)}`,
      "",
    ];
    const fields = headerFields(segment);
    if (bytes) {
      lines.push(`  ${paint("title", "header")}  ${segment.headerBytes} bytes`, ...this.#fieldLines(fields), "");
    } else lines.push(this.#headerLine(segment));
    if (!bytes) lines.push(this.#tableHead());
    return lines.join("\n") + "\n";
  }

  /** Draws a record: a row of the table, or its fields. */
  record(record: LogRecord): string {
    const gutter = this.#gutter(record);
    if (this.#example === undefined || isBetterExample(record, this.#example)) this.#example = record;
    if (!this.#options.bytes) return this.#row(record, gutter) + "\n";
    const { paint } = this.#options;
    const title = `${paint("title", record.kind)}  offset ${grouped(record.offset)}, ${grouped(record.length)} bytes, `;
    return [`  ${title}${this.#state(record)}`, ...this.#fieldLines(recordFields(record)), ""].join("\n") + "\n";
  }

  /** Draws damaged or unused bytes. */
  damage(damage: LogDamage): string {
    const { paint } = this.#options;
    this.#inBatch = false;
    const style: Style = damage.type === "damage" ? "bad" : "faint";
    const what = damage.type === "damage" ? "DAMAGE" : "unused";
    const text = `${what}, ${grouped(damage.length)} bytes: ${damage.reason}`;
    return `   ${grouped(damage.offset).padStart(this.#columns.offset)}  ${paint(style, text)}\n`;
  }

  /** Draws the legend, with a record of this log as the example. */
  legend(): string {
    const { paint, bytes } = this.#options;
    const lines = [
      paint("title", "How to read this"),
      ...this.#rows([
        [
          "",
          "plain",
          "The store appends a record for every write and never changes one. Of the records of a key, the one with the highest sequence number counts.",
        ],
        ["live", "live", "holds the present value of its key"],
        [
          "expired",
          "expired",
          "its time has come: it counts as a tombstone, and compaction reclaims the value's space",
        ],
        ["stale", "stale", "no longer counts; compaction reclaims its space"],
        ["tombstone", "tombstone", "hides a deleted key, as long as an older segment may hold that key"],
        ["mark", "mark", "says how far the log was known to be durable when the mark was written"],
        ["╭ │ ╰", "plain", "records of one batch: all count, or none"],
        ["ok", "plain", "the checksums fit the bytes"],
        ["BAD", "bad", "the value's checksum does not fit: reading that key fails"],
      ].map(([name, style, text]) => [name!, style as Style, text!])),
    ];
    if (!bytes && this.#example !== undefined) {
      const { offset, segment } = this.#example;
      const place = `segment ${segment}, offset ${grouped(offset)}; numbers are little-endian`;
      lines.push("", `${paint("title", "A record, byte by byte")}  ${place}`);
      lines.push(...this.#fieldLines(recordFields(this.#example)), "");
      lines.push(paint("faint", "kvstore log --bytes shows all records and the segments' headers in this way."));
    }
    return lines.join("\n") + "\n";
  }

  /** Draws names with texts beside them, wrapped to the width. */
  #rows(rows: readonly (readonly [name: string, style: Style, text: string])[]): string[] {
    const { paint, width } = this.#options;
    return rows.flatMap(([name, style, text]) => {
      const indent = name === "" ? 2 : 2 + NAME_COLUMN;
      return wrapped(text, width - indent).map((line, i) => {
        const label = name === "" ? "" : fitted(i === 0 ? name : "", NAME_COLUMN);
        return `  ${paint(style, label)}${line}`;
      });
    });
  }

  #headerLine(segment: LogSegment): string {
    const salt = segment.salt.toString(16).padStart(8, "0");
    const text = `header, ${segment.headerBytes} bytes: format, number, store id, salt ${salt}, inputs, checksum`;
    const { offset } = this.#columns;
    const room = this.#options.width - 5 - offset;
    return this.#options.paint("faint", `   ${"0".padStart(offset)}  ${fitted(text, room).trimEnd()}`);
  }

  #shares(segment: LogSegment): string {
    const { paint } = this.#options;
    const { liveBytes: live, staleBytes: stale, tombstoneBytes: tombstone, fileBytes, endBytes } = segment;
    const shares = { live, stale, tombstone, free: Math.max(0, fileBytes - endBytes) };
    const total = Object.values(shares).reduce((sum, bytes) => sum + bytes, 0);
    if (total === 0) return paint("faint", PARTS.free.character.repeat(BAR_CHARACTERS) + " empty");
    const words = (Object.keys(shares) as (keyof typeof shares)[]).filter((part) => shares[part] > 0).map((part) =>
      `${paint(PARTS[part].style, PARTS[part].character)} ${part} ${percentage(shares[part], total)}`
    );
    return `${sharesBar(shares, BAR_CHARACTERS, paint)}  ${words.join("  ")}`;
  }

  #tableHead(): string {
    const cells = ["offset", "seq", "kind", "key", "type", "value", "bytes", "state", "check"];
    return this.#options.paint("faint", `   ${this.#aligned(cells, cells.map(() => "faint")).trimEnd()}`);
  }

  #row(record: LogRecord, gutter: string): string {
    const content: Style = record.state === "live" ? "plain" : "faint";
    const cells = [
      grouped(record.offset),
      grouped(record.sequence),
      record.kind,
      record.key === undefined ? "" : keyText(record.key),
      record.valueType ?? "",
      valuePreview(record),
      grouped(record.valueBytes),
      record.state,
      record.intact ? "ok" : "BAD",
    ];
    const check: Style = record.intact ? "plain" : "bad";
    const styles: Style[] = ["number", "plain", record.state, content, content, content, "plain", record.state, check];
    const until = record.kind === "set" ? "until" : "was until";
    const expiry = record.expiresAt === undefined ? "" : `  ${until} ${expiryText(record)}`;
    return ` ${gutter} ${this.#aligned(cells, styles)}${expiry}`.trimEnd();
  }

  /** Puts cells into their columns, numbers to the right. Leaves out the type if there is no room for it. */
  #aligned(cells: readonly string[], styles: readonly Style[]): string {
    const { offset, sequence, key, type, value, bytes } = this.#columns;
    const widths = [-offset, -sequence, 6, key, type, value, -bytes, 9, 5];
    const columns = cells.map((cell, i) => {
      const width = widths[i]!;
      return this.#options.paint(styles[i]!, width < 0 ? cell.padStart(-width) : fitted(cell, width));
    });
    return columns.filter((_, i) => widths[i] !== 0).join("  ");
  }

  #state(record: LogRecord): string {
    const { paint } = this.#options;
    return paint(record.state, record.state) + (record.intact ? "" : `, ${paint("bad", "BAD: the value is damaged")}`);
  }

  #gutter(record: LogRecord): string {
    const character = this.#inBatch ? (record.more ? "│" : "╰") : (record.more ? "╭" : " ");
    this.#inBatch = record.more;
    return character;
  }

  #fieldLines(fields: readonly Field[]): string[] {
    const { paint, width } = this.#options;
    const offsetWidth = Math.max(6, ...fields.map((field) => grouped(field.offset + field.length).length));
    // An indent of two, three characters for each byte, a space, a name of up to 15 characters, and two spaces between.
    const meaningWidth = width - (2 + offsetWidth + 2 + BYTES_A_ROW * 3 + 1 + 15 + 2);
    return fields.flatMap((field) => {
      const rows = rowsOf(field);
      const meaning = wrapped(field.meaning, meaningWidth);
      return Array.from({ length: Math.max(rows.length, meaning.length) }, (_, i) => {
        const row = rows[i] ?? "";
        const offset = row === "" || row.startsWith("…") ? "" : grouped(field.offset + i * BYTES_A_ROW);
        const name = paint("title", (i === 0 ? field.name : "").padEnd(15));
        const line = `  ${paint("number", offset.padStart(offsetWidth))}  ${row.padEnd(BYTES_A_ROW * 3)} ${name}`;
        return `${line}  ${meaning[i] ?? ""}`.trimEnd();
      });
    });
  }
}

interface Columns {
  offset: number;
  sequence: number;
  key: number;
  type: number;
  value: number;
  bytes: number;
}

/** Sizes the columns. Fixed columns take what they need; key and value share the remaining width. */
function columnsFor(segment: LogSegment, width: number): Columns {
  const offset = Math.max(6, grouped(segment.fileBytes).length);
  const sequence = Math.max(3, grouped(segment.highestSequence).length);
  // No value is longer than its file.
  const bytes = Math.max(5, grouped(segment.fileBytes).length);
  const type = width < ROOMY ? 0 : 6;
  const fixed = 3 + offset + sequence + 6 + type + bytes + 9 + 5 + (type === 0 ? 7 : 8) * 2;
  const remaining = Math.max(16, width - fixed);
  const key = Math.min(32, Math.floor(remaining * 0.4));
  return { offset, sequence, key, type, value: Math.min(66, remaining - key), bytes };
}

/** Whether a record is a better example. The best is a live set that is short enough to show whole. */
function isBetterExample(record: LogRecord, than: LogRecord): boolean {
  return exampleRank(record) > exampleRank(than);
}

function exampleRank(record: LogRecord): number {
  const short = record.head.length === record.length && record.length <= 96;
  return (record.kind === "set" ? 4 : 0) + (record.state === "live" ? 2 : 0) + (short ? 1 : 0);
}

function rowsOf(field: Field): string[] {
  const rows: string[] = [];
  const { bytes, length } = field;
  for (let at = 0; at < bytes.length; at += BYTES_A_ROW) rows.push(hex(bytes.subarray(at, at + BYTES_A_ROW)));
  if (bytes.length < length) rows.push(`… ${grouped(length - bytes.length)} more bytes`);
  return rows;
}
