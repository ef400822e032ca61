/**
 * The looks of the states. Each has a colour and a pattern of its own, so they can be told apart without colours.
 *
 * @module
 */

import { styleValue } from "./dom.ts";
import { type State, STATES } from "./log_model.ts";

/** Names and meanings of the states, for the legend. */
export const MEANINGS: Record<State, [name: string, meaning: string]> = {
  live: ["live", "the newest version of its key: what a get returns"],
  stale: ["stale", "an older version: nobody can read it any more"],
  tombstone: ["tombstone", "says that a key was deleted"],
  expired: ["expired", "its time has come: it counts as deleted"],
  mark: ["mark", "notes that everything before it survives a power cut"],
  damaged: ["damaged", "its bytes do not fit their checksum"],
};

/** Side of a pattern's tile, in CSS pixels. */
const TILE = 8;

/** The looks of all states in the present colours and resolution. */
export class Palette {
  readonly #styles: Record<State, { fill: string | CanvasPattern; text: string }>;
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  readonly accent: string;
  readonly card: string;
  /** Device pixels in a CSS pixel. */
  readonly scale: number;

  constructor() {
    this.scale = Math.max(1, Math.min(3, devicePixelRatio || 1));
    [this.ink, this.soft, this.line, this.accent, this.card] = ["ink", "soft", "line", "accent", "card"].map(
      styleValue,
    ) as [string, string, string, string, string];
    const styles = STATES.map((state) => [state, {
      fill: patternOf(state, this.scale),
      text: styleValue(`${state}-text`),
    }]);
    this.#styles = Object.fromEntries(styles);
  }

  /** Returns the fill of a state. */
  fill(state: State): string | CanvasPattern {
    return this.#styles[state].fill;
  }

  /** Returns the colour of text on that fill. */
  text(state: State): string {
    return this.#styles[state].text;
  }
}

/** Makes the pattern of a state. */
function patternOf(state: State, scale: number): string | CanvasPattern {
  const ground = styleValue(state);
  if (state === "live") return ground;
  const tile = document.createElement("canvas");
  tile.width = tile.height = TILE * scale;
  const context = tile.getContext("2d")!;
  context.scale(scale, scale);
  context.fillStyle = ground;
  context.fillRect(0, 0, TILE, TILE);
  context.strokeStyle = context.fillStyle = styleValue(`${state}-line`);
  context.lineWidth = 1.25;
  MOTIFS[state](context);
  const pattern = context.createPattern(tile, "repeat")!;
  // The tile is scaled already, and drawing with it would scale it again.
  pattern.setTransform(new DOMMatrix().scale(1 / scale));
  return pattern;
}

const MOTIFS: Record<Exclude<State, "live">, (context: CanvasRenderingContext2D) => void> = {
  /** Diagonals: crossed out. */
  stale: (context) => lines(context, [[-2, 6, 6, -2], [-2, 10, 10, -2], [2, 10, 10, 2]]),
  /** Crosses, as on a grave. */
  tombstone: (context) => lines(context, [[4, 1.5, 4, 6.5], [2.2, 3.2, 5.8, 3.2]]),
  /** Horizontals: run out, like sand. */
  expired: (context) => lines(context, [[0, 2, 8, 2], [0, 6, 8, 6]]),
  /** A dot. */
  mark: (context) => context.fillRect(3, 3, 2, 2),
  /** A thick zigzag. */
  damaged: (context) => {
    context.lineWidth = 2;
    lines(context, [[-1, 3, 2, 6], [2, 6, 6, 2], [6, 2, 9, 5]]);
  },
};

function lines(context: CanvasRenderingContext2D, all: [number, number, number, number][]): void {
  context.beginPath();
  for (const [x1, y1, x2, y2] of all) {
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
  }
  context.stroke();
}

/** Sizes a canvas in device pixels and clears it. Returns a context that draws in CSS pixels. */
export function prepared(
  canvas: HTMLCanvasElement,
  size: { width: number; height: number; scale: number },
): CanvasRenderingContext2D {
  const { width, height, scale } = size;
  const [deviceWidth, deviceHeight] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== deviceWidth || canvas.height !== deviceHeight) {
    canvas.width = deviceWidth;
    canvas.height = deviceHeight;
  }
  const context = canvas.getContext("2d")!;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** Draws a sample of a state, for legends. */
export function swatch(state: State, palette: Palette, size = { width: 22, height: 14 }): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.style.width = `${size.width}px`;
  canvas.style.height = `${size.height}px`;
  canvas.className = "swatch";
  canvas.setAttribute("aria-hidden", "true");
  const context = prepared(canvas, { ...size, scale: palette.scale });
  context.fillStyle = palette.fill(state);
  context.fillRect(0, 0, size.width, size.height);
  return canvas;
}

/** Draws a bar of shares over the whole width of its canvas. */
export function paintShares(canvas: HTMLCanvasElement, palette: Palette, shares: readonly [State, number][]): void {
  const { clientWidth: width, clientHeight: height } = canvas;
  const context = prepared(canvas, { width, height, scale: palette.scale });
  let at = 0;
  for (const [state, share] of shares) {
    if (share <= 0) continue;
    const length = Math.max(2, share * width);
    context.fillStyle = palette.fill(state);
    context.fillRect(at, 0, Math.max(1, length - 1), height);
    at += length;
  }
}
