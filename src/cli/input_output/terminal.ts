/**
 * What standard output can show.
 *
 * @module
 */

import process from "node:process";
import { type Paint, painter } from "../text/format.ts";

/**
 * Returns the width to draw for, and how to paint: on a terminal its width and colours, elsewhere the default and none.
 */
export function drawingStyle(defaultWidth: number): { width: number; paint: Paint } {
  const isTerminal = process.stdout.isTTY === true;
  return {
    width: (isTerminal && process.stdout.columns) || defaultWidth,
    // An empty NO_COLOR counts as absent (no-color.org).
    paint: painter(isTerminal && !process.env.NO_COLOR),
  };
}
