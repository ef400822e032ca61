/**
 * The INDEX as a file, for putting other numbers into it and correcting its checksums.
 *
 * @module
 */
import { crc32 } from "../../../src/platform/checksum.ts";
import { viewOf } from "./layout.ts";

/** What JSON can hold. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

interface Table {
  slots: number;
  entries: number;
  arena: number;
  checksum: number;
}

/** An INDEX that is intact but for what this changes. */
export class FooterImage {
  readonly #tables: Uint8Array;
  readonly #footer: Json;

  private constructor(tables: Uint8Array, footer: Json) {
    this.#tables = tables;
    this.#footer = footer;
  }

  /** Takes a file apart; `undefined` if its end does not make sense. */
  static parse(bytes: Uint8Array | undefined): FooterImage | undefined {
    if (bytes === undefined || bytes.length < 16) return undefined;
    const end = bytes.length - 16;
    const length = viewOf(bytes).getUint32(end, true);
    try {
      const footer: Json = JSON.parse(new TextDecoder().decode(bytes.subarray(end - length, end)));
      return length > end ? undefined : new FooterImage(bytes.slice(0, end - length), footer);
    } catch {
      return undefined;
    }
  }

  /** Sets a value in the footer. Nothing happens where the way to it does not exist. */
  set(path: string[], value: Json): void {
    let at: Json | undefined = this.#footer;
    for (const name of path.slice(0, -1)) at = (at as Record<string, Json> | null | undefined)?.[name];
    if (typeof at === "object" && at !== null) (at as Record<string, Json>)[path.at(-1)!] = value;
  }

  /** Sets a number in a table and corrects the table's checksum. */
  setInTable(change: { partition: number; part: "slots" | "entries" | "arena"; at: number; value: number }): void {
    const tables = (this.#footer as { partitions?: Table[] } | null)?.partitions;
    if (!Array.isArray(tables) || tables.length === 0) return;
    const number = change.partition % tables.length;
    let start = 0;
    for (const { slots, entries, arena } of tables.slice(0, number)) {
      const length = 4 * slots + 16 * entries + arena;
      start += length + (-length & 3);
    }
    const table = tables[number]!;
    const { slots, entries, arena } = table;
    const end = start + 4 * slots + 16 * entries + arena;
    if (!(end <= this.#tables.length)) return;
    const partStart = { slots: 0, entries: 4 * slots, arena: 4 * slots + 16 * entries }[change.part];
    const partBytes = { slots: 4 * slots, entries: 16 * entries, arena }[change.part];
    if (partBytes === 0) return;
    if (change.part === "arena") this.#tables[start + partStart + change.at % partBytes] = change.value;
    else {
      const at = start + partStart + 4 * (change.at % (partBytes / 4));
      viewOf(this.#tables).setUint32(at, change.value, true);
    }
    table.checksum = crc32(this.#tables.subarray(start, end));
  }

  /** The file. */
  bytes(): Uint8Array {
    return this.withText(JSON.stringify(this.#footer));
  }

  /** The file with this text for a footer. */
  withText(text: string): Uint8Array {
    const footer = new TextEncoder().encode(text);
    const start = this.#tables.length;
    const bytes = new Uint8Array(start + footer.length + 16);
    bytes.set(this.#tables);
    bytes.set(footer, start);
    const view = viewOf(bytes);
    view.setUint32(bytes.length - 16, footer.length, true);
    view.setUint32(bytes.length - 12, crc32(footer), true);
    bytes.set(new TextEncoder().encode("KVINDEX1"), bytes.length - 8);
    return bytes;
  }
}
