/**
 * The strips: a row for each segment. The mouse and the arrow keys point at its records.
 *
 * @module
 */

import { counted, humanBytes } from "../../text/format.ts";
import type { Shares } from "./segment_cells.ts";
import { element } from "./dom.ts";
import type { LogModel, Row, State } from "./log_model.ts";
import type { Palette } from "./palette.ts";
import { HEADROOM, paintStrip, pixelsPerByte } from "./strip_drawing.ts";
import { shareText } from "./sentences.ts";

/** What is pointed at in a row: a record, or a cell if the records are too many. */
export interface Spot {
  row: Row;
  at: number;
}

/** What the strips report to the page. */
export interface StripEvents {
  /** A spot is pointed at, with the keyboard if `byKey`. */
  onPoint: (spot: Spot, byKey: boolean) => void;
  /** A spot is chosen by a click or with Enter. */
  onChoose: (spot: Spot) => void;
}

/** Height of a strip by the number of strips. */
const HEIGHTS: readonly [mostRows: number, height: number][] = [[3, 92], [14, 48], [Infinity, 36]];

/** All strips. */
export class Strips {
  readonly #log: LogModel;
  readonly #events: StripEvents;
  readonly #rows: StripRow[];
  readonly #height: number;
  #palette: Palette;
  #moment: number;
  #focus: Spot | undefined;
  #marked: ReadonlySet<number> = new Set();
  #pointed: number | undefined;
  #isDue = false;

  constructor(log: LogModel, box: HTMLElement, palette: Palette, events: StripEvents) {
    this.#log = log;
    this.#events = events;
    this.#palette = palette;
    this.#moment = log.now;
    this.#height = HEIGHTS.find(([most]) => log.rows.length <= most)![1];
    this.#rows = log.rows.map((row) => this.#rowOf(row));
    box.append(...this.#rows.map(({ box }) => box));
    const observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const row = this.#rows.find(({ box }) => box === target);
        if (row !== undefined) row.isVisible = isIntersecting;
      }
      this.draw();
    }, { rootMargin: "100px" });
    for (const { box } of this.#rows) observer.observe(box);
  }

  /** Shows another moment. */
  show(moment: number): void {
    this.#moment = moment;
    for (const row of this.#rows) row.describe(this.#log, moment);
    this.draw();
  }

  /** Marks records with triangles, and one as the record that the index points at. */
  mark(records: readonly number[], pointed: number | undefined): void {
    this.#marked = new Set(records);
    this.#pointed = pointed;
    this.draw();
  }

  /** Redraws in other colours or another width. */
  restyle(palette: Palette): void {
    this.#palette = palette;
    this.draw();
  }

  /** Draws the visible strips before the next frame. */
  draw(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      for (const row of this.#rows) if (row.isVisible && !row.box.hidden) this.#paint(row);
    });
  }

  /** Frames a spot. */
  point(spot: Spot): void {
    this.#focus = spot;
    this.draw();
  }

  /** Scrolls to the strip of a spot and frames the spot. */
  reveal(spot: Spot): void {
    this.#focus = spot;
    this.#rows[spot.row.position]!.box.scrollIntoView({ block: "nearest" });
    this.draw();
  }

  #paint({ row, canvas, strip }: StripRow): void {
    paintStrip(canvas, {
      log: this.#log,
      row,
      palette: this.#palette,
      width: strip.clientWidth,
      height: this.#height,
      moment: this.#moment,
      focus: this.#focus?.row === row ? this.#focus.at : undefined,
      marked: this.#marked,
      pointed: this.#pointed,
    });
  }

  #rowOf(row: Row): StripRow {
    const made = new StripRow(row, this.#height);
    const { strip } = made;
    const point = (event: PointerEvent) => {
      const at = this.#spotAt(row, event.offsetX, strip.clientWidth);
      if (at !== undefined) this.#pointAt({ row, at }, false);
      return at;
    };
    strip.addEventListener("pointermove", point);
    strip.addEventListener("pointerdown", (event) => {
      const at = point(event);
      if (at !== undefined) this.#events.onChoose({ row, at });
    });
    strip.addEventListener("pointerleave", () => {
      if (document.activeElement === strip) return;
      this.#focus = undefined;
      this.draw();
    });
    strip.addEventListener("focus", () => {
      if (this.#focus?.row !== row && strip.matches(":focus-visible")) this.#move(row, 0);
    });
    strip.addEventListener("blur", () => {
      this.#focus = undefined;
      this.draw();
    });
    strip.addEventListener("keydown", (event) => this.#onKey(row, event));
    return made;
  }

  #onKey(row: Row, event: KeyboardEvent): void {
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    const rows: Record<string, number> = { ArrowUp: -1, ArrowDown: 1 };
    if (event.key in steps) this.#move(row, steps[event.key]!);
    else if (event.key in rows) this.#leave(row, rows[event.key]!);
    else if (event.key === "Enter" && this.#focus?.row === row) this.#events.onChoose(this.#focus);
    else return;
    event.preventDefault();
  }

  /** Moves along the records of a strip that are there at this moment. */
  #move(row: Row, by: number): void {
    const all = this.#present(row);
    if (all.length === 0) return;
    const at = this.#focus?.row === row ? all.indexOf(this.#focus.at) : by === 0 ? 0 : -1;
    const next = Math.min(all.length - 1, Math.max(0, at + by));
    this.#pointAt({ row, at: all[next]! }, true);
  }

  #leave(row: Row, by: number): void {
    const there = this.#rows.filter(({ box }) => !box.hidden);
    const next = there[there.findIndex((one) => one.row === row) + by];
    next?.strip.focus();
  }

  #pointAt(spot: Spot, byKey: boolean): void {
    if (this.#focus?.row === spot.row && this.#focus.at === spot.at) return;
    this.#focus = spot;
    this.draw();
    this.#events.onPoint(spot, byKey);
  }

  #present(row: Row): number[] {
    if (row.cells !== undefined) return Array.from({ length: row.cells.count }, (_, cell) => cell);
    const { limit } = this.#log.moments[this.#moment]!;
    return row.records.filter((record) => this.#log.data.recordData.sequence[record]! <= limit);
  }

  #spotAt(row: Row, x: number, width: number): number | undefined {
    const offset = x / pixelsPerByte(this.#log, width);
    if (row.cells !== undefined) {
      const cell = Math.floor(offset / row.cells.cellBytes);
      return cell >= 0 && cell < row.cells.count ? cell : undefined;
    }
    const { length, sequence } = this.#log.data.recordData;
    let [low, high] = [0, row.records.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (row.offsets[middle]! <= offset) low = middle + 1;
      else high = middle;
    }
    const record = row.records[low - 1];
    if (record === undefined || offset >= row.offsets[low - 1]! + length[record]!) return undefined;
    return sequence[record]! <= this.#log.moments[this.#moment]!.limit ? record : undefined;
  }
}

/** The elements of one row. */
class StripRow {
  readonly row: Row;
  readonly box: HTMLElement;
  readonly strip: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  isVisible = false;
  readonly #note: HTMLElement;
  readonly #figures: HTMLElement;

  constructor(row: Row, height: number) {
    this.row = row;
    this.canvas = element("canvas", { "aria-hidden": "true" });
    this.canvas.style.height = `${height}px`;
    this.strip = element("div", { class: "strip", tabindex: 0, role: "application" }, this.canvas);
    this.strip.style.setProperty("--headroom", `${HEADROOM}px`);
    this.#note = element("span", { class: "row-note" });
    this.#figures = element("div", { class: "row-figures" });
    const head = element("div", { class: "row-head" }, element("span", { class: "row-title" }, row.title), this.#note);
    this.box = element("div", { class: "row", "data-row": row.position }, head, this.strip, this.#figures);
  }

  /** Writes beside the strip what it holds at a moment. */
  describe(log: LogModel, moment: number): void {
    const { row } = this;
    this.box.hidden = !log.isThere(row, moment);
    if (this.box.hidden) return;
    const isGhost = log.isGhost(row, moment);
    const bytes = bytesAt(log, row, moment);
    const written = writtenBytes(row, bytes);
    this.box.classList.toggle("ghost", isGhost);
    this.box.classList.toggle("future", row.segment === undefined);
    this.box.classList.toggle("unborn", written === 0);
    const isGrowing = written < writtenBytes(row, bytesAt(log, row, log.now));
    const note = written === 0 ? "not begun" : noteOf(row, { isGhost, isGrowing });
    setText(this.#note, note);
    const stale = bytes.stale + bytes.mark;
    const figures = written === 0 ? "" : `${humanBytes(Math.round(written))} · ${shareText(stale, written)} stale`;
    setText(this.#figures, figures);
    const label = `${row.title}, ${note}: ${figures || "empty"}. Arrow keys move along its records.`;
    if (this.strip.getAttribute("aria-label") !== label) this.strip.setAttribute("aria-label", label);
  }
}

function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

function noteOf({ segment, inputs }: Row, { isGhost, isGrowing }: { isGhost: boolean; isGrowing: boolean }): string {
  if (segment === undefined) return inputs.length === 1 ? "one file rewritten" : `${inputs.length} files rewritten`;
  if (segment.isMissing) return "the file is missing";
  if (isGhost) return `then in ${counted(segment.inputs.length, "other file")}`;
  if (segment.inputs.length > 0) return `compacted from ${counted(segment.inputs.length, "file")}`;
  return segment.isSealed && !isGrowing ? "complete" : "being written";
}

/** Returns the bytes of a strip that have been written, with its header. */
export function writtenBytes(row: Row, bytes: Record<State, number>): number {
  const records = Object.values(bytes).reduce((sum, part) => sum + part, 0);
  return records === 0 || row.cells !== undefined ? records : records + (row.segment?.headerBytes ?? 0);
}

/** Returns the bytes of a strip by state at a moment. */
export function bytesAt(log: LogModel, row: Row, moment: number): Record<State, number> {
  const bytes: Shares = { live: 0, stale: 0, tombstone: 0, expired: 0, mark: 0, damaged: 0 };
  if (row.cells !== undefined) {
    const shares: Shares = { ...bytes };
    for (let cell = 0; cell < row.cells.count; cell++) {
      row.cells.read(cell, log.stepAt(moment), shares);
      for (const state of Object.keys(bytes) as State[]) bytes[state] += shares[state] * row.cells.cellBytes;
    }
    return bytes;
  }
  if (row.segment === undefined && row.records.length === 0) return { ...bytes, live: row.bytes };
  const { limit } = log.moments[moment]!;
  const { sequence, length } = log.data.recordData;
  for (const record of row.records) {
    if (sequence[record]! <= limit) bytes[log.stateOf(record, limit)] += length[record]!;
  }
  return bytes;
}
