/**
 * The page: reads the data that it holds and connects its parts.
 *
 * @module
 */

import type { LogSummary } from "../log_summary.ts";
import { drawCharts } from "./charts.ts";
import { byId, whenLooksChange } from "./dom.ts";
import { Lookup } from "./lookup.ts";
import { LogModel } from "./log_model.ts";
import { showOverview } from "./overview.ts";
import { Palette } from "./palette.ts";
import { Player } from "./player.ts";
import { Strips } from "./strips.ts";

/** With at most this many strips the panel goes below them. */
const FEW_ROWS = 4;

function main(): void {
  const data: LogSummary = JSON.parse(byId("data").textContent!);
  const log = new LogModel(data);
  let palette = new Palette();
  byId("desk").classList.toggle("flat", log.rows.length <= FEW_ROWS);
  let shown = log.now;
  const keyAt = (record: number) => data.recordData.key[record]!;
  const strips = new Strips(log, byId("strips"), palette, {
    onPoint: (spot, byKey) => lookup.point(spot, byKey),
    onChoose: (spot) => {
      lookup.point(spot, false);
      const { row, at } = spot;
      const record = row.cells === undefined ? at : log.sampledIn(row, at, shown)[0];
      if (record !== undefined && keyAt(record) >= 0) lookup.choose(keyAt(record), true);
    },
  });
  const lookup = new Lookup(log, byId("panel"), palette, {
    onKey: (records, pointed) => strips.mark(records, pointed),
    onVersion: (record) => {
      const row = log.rows[data.recordData.segment[record]!]!;
      const at = row.cells === undefined ? record : row.cells.cellAt(data.recordData.offset[record]!);
      strips.reveal({ row, at });
      lookup.pointRecord(record);
    },
  });
  new Player(log, byId("player"), (moment, isCalm) => {
    shown = moment;
    strips.show(moment);
    lookup.show(moment);
    const now = log.moments[moment]!;
    if (!isCalm || now.type !== "record") return;
    strips.point({ row: log.rows[data.recordData.segment[now.record]!]!, at: now.record });
    lookup.follow(now.record);
  });
  const example = log.example();
  if (example !== undefined) {
    lookup.choose(example, false);
    lookup.pointRecord(log.indexEntry(example, Infinity)!);
  }
  showOverview(log, palette);
  const redraw = drawCharts(data, byId("charts"));
  whenLooksChange(() => {
    palette = new Palette();
    showOverview(log, palette);
    strips.restyle(palette);
    lookup.restyle(palette);
    redraw();
  });
}

main();
