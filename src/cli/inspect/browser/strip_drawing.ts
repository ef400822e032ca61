/**
 * Draws a strip. A record is a block if there is room for one. Otherwise records share columns a pixel wide, in which
 * the states are stacked by their bytes.
 *
 * @module
 */

import type { Shares } from "./segment_cells.ts";
import { type LogModel, type Row, type State, STATES } from "./log_model.ts";
import { type Palette, prepared } from "./palette.ts";

/** What to draw, and how large. */
export interface StripView {
  log: LogModel;
  row: Row;
  palette: Palette;
  width: number;
  height: number;
  /** Position among the moments. */
  moment: number;
  /** The record or cell that is pointed at. */
  focus: number | undefined;
  /** Versions of the key that is looked up. */
  marked: ReadonlySet<number>;
  /** The version that the index points at. */
  pointed: number | undefined;
}

/** Room above the blocks for the triangles. */
export const HEADROOM = 12;
/** The least width of a block. */
const NARROWEST = 3;
/** The least width of a block that shows its key. */
const ROOM_FOR_TEXT = 16;
/** A column that is filled to this share is drawn full. */
const NEARLY_FULL = 0.4;
/** The least height of a block that shows its key. */
const LABEL_HEIGHT = 16;
/** The states in a column, from the bottom up. */
const STACK: readonly State[] = ["live", "expired", "mark", "tombstone", "stale", "damaged"];

/** Returns the pixels of a strip for each byte of the file. */
export function pixelsPerByte(log: LogModel, width: number): number {
  return width / log.longest;
}

/** Draws a strip. */
export function paintStrip(canvas: HTMLCanvasElement, view: StripView): void {
  const { log, row, palette, width, height } = view;
  const context = prepared(canvas, { width, height, scale: palette.scale });
  const length = Math.max(2, row.bytes * pixelsPerByte(log, width));
  context.fillStyle = palette.line;
  context.fillRect(0, height - 1, length, 1);
  const columns = new Columns(Math.ceil(length) + 1);
  if (row.cells !== undefined) fillFromCells(view, columns);
  else if (row.segment === undefined && row.records.length === 0) columns.add("live", 0, length);
  else paintRecords(context, view, columns);
  const perByte = pixelsPerByte(log, width);
  for (const { offset, length } of row.damage) {
    columns.add("damaged", offset * perByte, Math.max(offset * perByte + NARROWEST, (offset + length) * perByte));
  }
  paintUnused(context, view);
  columns.paint(context, palette, height);
  paintPointers(context, view);
}

function paintRecords(context: CanvasRenderingContext2D, view: StripView, columns: Columns): void {
  const { log, row, palette, width, height, moment } = view;
  const { limit } = log.moments[moment]!;
  const { sequence, length } = log.data.recordData;
  const perByte = pixelsPerByte(log, width);
  context.font = "12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace";
  context.textBaseline = "middle";
  row.records.forEach((record, i) => {
    if (sequence[record]! > limit) return;
    const state = log.stateOf(record, limit);
    const start = row.offsets[i]! * perByte;
    const end = start + length[record]! * perByte;
    if (end - start < NARROWEST) return columns.add(state, start, end);
    const box = { x: start, y: HEADROOM, width: end - start - 1, height: height - HEADROOM - 1 };
    paintBlock(context, palette, { state, box, text: log.keyOf(record) });
  });
}

/** Draws the bytes after the end of the records as an empty frame. */
function paintUnused(context: CanvasRenderingContext2D, { log, row, palette, width, height }: StripView): void {
  if (row.segment === undefined || row.segment.fileBytes <= row.segment.endBytes) return;
  const perByte = pixelsPerByte(log, width);
  const start = row.segment.endBytes * perByte;
  context.strokeStyle = palette.soft;
  context.setLineDash([3, 3]);
  context.strokeRect(start + 0.5, HEADROOM + 0.5, Math.max(2, row.bytes * perByte - start - 1), height - HEADROOM - 2);
  context.setLineDash([]);
}

/** Draws a record as a block, with its key if there is room. Tombstones and marks are lower than sets. */
export function paintBlock(
  context: CanvasRenderingContext2D,
  palette: Palette,
  block: { state: State; box: { x: number; y: number; width: number; height: number }; text: string | undefined },
): void {
  const { state, box, text } = block;
  if (box.width <= 0) return;
  const share = state === "mark" ? 0.35 : state === "tombstone" ? 0.7 : 1;
  const top = box.y + box.height * (1 - share);
  context.lineWidth = 1;
  context.fillStyle = palette.fill(state);
  context.beginPath();
  context.roundRect(box.x, top, box.width, box.height * share, Math.min(3, box.width / 4));
  context.fill();
  if (text === undefined || box.width < ROOM_FOR_TEXT || state === "mark") return;
  const size = { width: box.width, height: box.height * share };
  context.save();
  context.translate(box.x + size.width / 2, top + size.height / 2);
  // Horizontal if it fits, otherwise vertical.
  if (context.measureText(text).width > size.width - 10 && size.height > size.width) {
    context.rotate(-Math.PI / 2);
    [size.width, size.height] = [size.height, size.width];
  }
  paintLabel(context, palette, { state, size, text });
  context.restore();
}

/** Draws a text in the middle of a block. */
function paintLabel(
  context: CanvasRenderingContext2D,
  palette: Palette,
  { state, size, text }: { state: State; size: { width: number; height: number }; text: string },
): void {
  const shown = shortenedTo(context, text, size.width - 12);
  if (shown === "" || size.height < LABEL_HEIGHT) return;
  const wide = context.measureText(shown).width;
  context.fillStyle = palette.text(state);
  if (state !== "live") {
    // Letters on a pattern are hard to read.
    context.fillStyle = palette.card;
    context.beginPath();
    context.roundRect(-wide / 2 - 4, -8, wide + 8, 16, 3);
    context.fill();
    context.fillStyle = palette.ink;
  }
  context.fillText(shown, -wide / 2, 0.5);
}

/** Shortens a text to a width. Returns nothing if too little would be left. */
function shortenedTo(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  const one = context.measureText("0").width;
  const characters = Math.floor(width / one) - 1;
  return characters < 3 ? "" : `${[...text].slice(0, characters).join("")}…`;
}

function fillFromCells({ log, row, width, moment }: StripView, columns: Columns): void {
  const cells = row.cells!;
  const step = log.stepAt(moment);
  const perByte = pixelsPerByte(log, width);
  const shares: Shares = { live: 0, stale: 0, tombstone: 0, expired: 0, mark: 0, damaged: 0 };
  for (let cell = 0; cell < cells.count; cell++) {
    cells.read(cell, step, shares);
    const start = cell * cells.cellBytes * perByte;
    const end = Math.min((cell + 1) * cells.cellBytes, row.bytes) * perByte;
    for (const state of STATES) if (shares[state] > 0) columns.add(state, start, end, shares[state]);
  }
}

/** The states in each column of pixels. */
class Columns {
  readonly #count: number;
  readonly #heights: Record<State, Float32Array>;
  readonly #isUsed: Partial<Record<State, boolean>> = {};

  constructor(count: number) {
    this.#count = count;
    const column = () => new Float32Array(count);
    this.#heights = {
      live: column(),
      stale: column(),
      tombstone: column(),
      expired: column(),
      mark: column(),
      damaged: column(),
    };
  }

  /** Adds a stretch of a state, in pixels, with a share of the height. */
  add(state: State, start: number, end: number, share = 1): void {
    const heights = this.#heights[state];
    this.#isUsed[state] = true;
    for (let x = Math.floor(start); x < end && x < this.#count; x++) {
      heights[x]! += (Math.min(end, x + 1) - Math.max(start, x)) * share;
    }
  }

  /** Fills columns that are nearly full, such as those at the edges of a strip. */
  #fillUp(): void {
    for (let x = 0; x < this.#count; x++) {
      const total = STATES.reduce((sum, state) => sum + this.#heights[state][x]!, 0);
      if (total < NEARLY_FULL || total >= 1) continue;
      for (const state of STATES) this.#heights[state][x]! /= total;
    }
  }

  /** Draws the columns. Adjacent columns of equal height are drawn at once. */
  paint(context: CanvasRenderingContext2D, palette: Palette, height: number): void {
    const room = height - HEADROOM - 1;
    const tops = new Float32Array(this.#count).fill(height - 1);
    this.#fillUp();
    for (const state of STACK) {
      if (!this.#isUsed[state]) continue;
      context.fillStyle = palette.fill(state);
      const heights = this.#heights[state];
      let begun = 0;
      let drawn = 0;
      for (let x = 0; x <= this.#count; x++) {
        const share = x === this.#count ? 0 : Math.min(1, heights[x]!);
        // Every state that occurs shows; damage takes the whole height.
        const own = share <= 0 ? 0 : state === "damaged" ? room : Math.max(1, Math.round(share * room));
        if (own === drawn && x < this.#count && (x === 0 || tops[x] === tops[begun])) continue;
        if (drawn > 0) this.#paintRun(context, tops, { begun, end: x, drawn, isWhole: state === "damaged", height });
        begun = x;
        drawn = own;
      }
    }
  }

  #paintRun(
    context: CanvasRenderingContext2D,
    tops: Float32Array,
    run: { begun: number; end: number; drawn: number; isWhole: boolean; height: number },
  ): void {
    const { begun, end, drawn, isWhole, height } = run;
    const bottom = isWhole ? height - 1 : tops[begun]!;
    const top = Math.max(HEADROOM, bottom - drawn);
    // A single damaged record among thousands would be too thin to see.
    const width = isWhole ? Math.max(3, end - begun) : end - begun;
    context.fillRect(begun, top, width, bottom - top);
    tops.fill(top, begun, end);
  }
}

/** Draws a triangle above each version of the key, and a frame around what is pointed at. */
function paintPointers(context: CanvasRenderingContext2D, view: StripView): void {
  const { log, row, palette, width, height, focus, marked, pointed, moment } = view;
  const perByte = pixelsPerByte(log, width);
  const { length, sequence } = log.data.recordData;
  const { limit } = log.moments[moment]!;
  const isKnown = row.cells !== undefined;
  for (const record of marked) {
    const place = sequence[record]! <= limit ? log.placeOf(record, moment) : undefined;
    if (place?.row !== row || place.offset === undefined) continue;
    const x = Math.min(width - 7, Math.max(7, (place.offset + length[record]! / 2) * perByte));
    paintTriangle(context, { x, isFilled: record === pointed, colour: palette.accent });
  }
  if (focus === undefined) return;
  const at = isKnown ? focus : row.records.indexOf(focus);
  if (at < 0) return;
  const start = isKnown ? focus * row.cells!.cellBytes * perByte : row.offsets[at]! * perByte;
  const end = isKnown ? start + row.cells!.cellBytes * perByte : start + length[focus]! * perByte;
  context.strokeStyle = palette.ink;
  context.lineWidth = 2;
  const wide = Math.max(3, Math.min(end, row.bytes * perByte) - start);
  context.strokeRect(Math.max(1, start - 0.5), HEADROOM - 1, wide, height - HEADROOM);
}

/** Draws a triangle that points down: filled for the record that the index points at, open for older ones. */
function paintTriangle(
  context: CanvasRenderingContext2D,
  { x, isFilled, colour }: { x: number; isFilled: boolean; colour: string },
): void {
  context.beginPath();
  context.moveTo(x - 5.5, 1.5);
  context.lineTo(x + 5.5, 1.5);
  context.lineTo(x, 10);
  context.closePath();
  context.lineWidth = 1.5;
  context.strokeStyle = context.fillStyle = colour;
  if (isFilled) context.fill();
  context.stroke();
}
