/**
 * The upper part of the page: what the store holds, what compaction would reclaim, and the idea of a log.
 *
 * @module
 */

import { counted, grouped, humanBytes } from "../../text/format.ts";
import { byId, element } from "./dom.ts";
import type { LogModel, State } from "./log_model.ts";
import { MEANINGS, paintShares, type Palette, prepared, swatch } from "./palette.ts";
import { paintBlock } from "./strip_drawing.ts";
import { headline, verdict } from "./sentences.ts";

/** Draws the upper part. Call it again when colours or width change. */
export function showOverview(log: LogModel, palette: Palette): void {
  const { data } = log;
  byId("directory").textContent = data.directory;
  byId("headline").textContent = headline(log);
  byId("verdict").textContent = verdict(log);
  byId("alerts").replaceChildren(...alerts(log));
  showBalance(log, palette);
  showIdeas(palette);
  showLegend(log, palette);
  byId("log-lead").textContent = data.isSample
    ? "Each strip is a file, to scale: its beginning is on the left. Where records are too many to be drawn one by one, a column shows how much of that part of the file is in which state."
    : "Each strip is a file, to scale, its oldest record on the left. Records too narrow for a block of their own share columns, in which the height of a colour is its share. Point at one to see what it is.";
  const omitted = `${
    counted(data.omittedSegments, "segment")
  } between the oldest and the newest are counted above, and not drawn.`;
  byId("strips-note").textContent = data.omittedSegments > 0 ? omitted : "";
  const made = new Date(data.madeMs).toISOString().replace("T", " ").replace(/:\d\d\..*/, " UTC");
  byId("foot").textContent = `Made by kvstore ${data.version} on ${made}, from ${counted(data.records, "record")}. ` +
    "This page holds its data itself: it loads nothing and sends nothing." +
    (data.hasValues ? " It shows values." : " It shows keys, and no values.");
}

/** The smallest share of the disk that is visible. */
const MUCH = 0.01;
/** Bytes of the header of a segment that compaction has not written, and of a durable mark. */
const HEADER_BYTES = 44;
const MARK_BYTES = 32;

/** Draws the log now and after compaction, as two bars. */
function showBalance(log: LogModel, palette: Palette): void {
  const { data } = log;
  const { live, stale, tombstone, expired, damaged, mark } = data.bytes;
  const won = data.compaction.reduce((sum, { wonBytes }) => sum + wonBytes, 0);
  const after = data.diskBytes - won;
  const share = (bytes: number) => data.diskBytes === 0 ? 0 : bytes / data.diskBytes;
  const now: [State, number][] = [
    ["live", share(live)],
    ["expired", share(expired)],
    ["tombstone", share(tombstone)],
    ["damaged", share(damaged)],
    ["stale", share(stale + mark)],
  ];
  // Headers and marks remain beside live records, and tombstones that are still needed.
  const kept = Math.max(0, after - live - framesAfter(data));
  const afterwards: [State, number][] = kept < MUCH * data.diskBytes
    ? [["live", share(after)]]
    : [["live", share(live)], ["tombstone", share(Math.min(kept, tombstone))], ["damaged", share(damaged)]];
  byId("balance").replaceChildren(
    balanceRow("Now", data.diskBytes, ""),
    balanceRow("After compaction", after, won > 0 ? `${humanBytes(won)} less` : "no change"),
  );
  for (const canvas of byId("balance").querySelectorAll("canvas")) {
    paintShares(canvas, palette, canvas.dataset.bar === "Now" ? now : afterwards);
  }
}

/** Returns the bytes of headers, and of the marks at the ends of copies, after compaction. */
function framesAfter({ segments, omittedSegments, compaction }: LogModel["data"]): number {
  const inputs = compaction.reduce((sum, group) => sum + group.inputs.length, 0);
  const copies = compaction.filter(({ outputBytes }) => outputBytes > 0);
  const copyBytes = copies.reduce((sum, group) => sum + HEADER_BYTES + 4 * group.inputs.length + MARK_BYTES, 0);
  return copyBytes + (segments.length + omittedSegments - inputs) * HEADER_BYTES;
}

function balanceRow(
  name: string,
  bytes: number,
  note: string,
): HTMLElement {
  return element(
    "div",
    { class: "balance-row" },
    element("span", { class: "bar-name" }, name),
    element("canvas", { class: "bar", "data-bar": name, "aria-hidden": "true" }),
    element("span", { class: "bar-figure" }, element("strong", {}, humanBytes(bytes)), ` ${note}`),
  );
}

function alerts({ data }: LogModel): HTMLElement[] {
  if (data.damages === 0) return [];
  const places = data.damage.slice(0, 5).map(({ segment, offset, length, reason }) => {
    const place = segment === 0 ? "" : `segment ${segment}, `;
    return element("li", {}, `${place}offset ${grouped(offset)}, ${counted(length, "byte")}: ${reason}`);
  });
  const more = data.damages > places.length ? ` Of ${counted(data.damages, "place")}, here are the first.` : "";
  return [
    element(
      "div",
      { class: "alert", role: "note" },
      element("strong", {}, "This store is damaged."),
      ` kvstore verify says what is wrong, kvstore repair keeps what can be read.${more}`,
      element("ul", {}, ...places),
    ),
  ];
}

/** A drawing that explains an idea, with a few words. */
interface Idea {
  title: string;
  text: string;
  rows: [label: string, records: [State, string][]][];
}

const IDEAS: readonly Idea[] = [
  {
    title: "Writing is appending",
    text:
      "A log-structured store never changes what it has written. Each set adds a record at the end of a file: that is quick, and a crash during it harms nothing that was there before. An index in memory notes where each key's newest record lies.",
    rows: [["log", [["live", "a = 1"], ["live", "b = 7"]]]],
  },
  {
    title: "Old versions stay behind",
    text:
      "Setting a again appends a second record. The first one is stale: it still takes space, but nobody can read it. Deleting b appends a tombstone, which says that b is gone.",
    rows: [["log", [["stale", "a = 1"], ["stale", "b = 7"], ["live", "a = 2"], ["tombstone", "b"]]]],
  },
  {
    title: "Compaction cleans up",
    text:
      "Now and then the store copies the records that are still needed into a new file and removes the old ones. That is compaction: it reclaims the space of stale records, and changes no key and no value.",
    rows: [
      ["old", [["stale", "a = 1"], ["stale", "b = 7"], ["live", "a = 2"], ["tombstone", "b"]]],
      ["new", [["live", "a = 2"]]],
    ],
  },
];

function showIdeas(palette: Palette): void {
  byId("ideas").replaceChildren(...IDEAS.map(({ title, text }) => {
    const canvas = element("canvas", { "aria-hidden": "true" });
    return element("li", { class: "idea" }, canvas, element("h3", {}, title), element("p", {}, text));
  }));
  [...byId("ideas").querySelectorAll("canvas")].forEach((canvas, i) => paintIdea(canvas, palette, IDEAS[i]!));
}

const BLOCK = { width: 58, height: 28, gap: 3 };

function paintIdea(canvas: HTMLCanvasElement, palette: Palette, { rows }: Idea): void {
  const { clientWidth: width, clientHeight: height } = canvas;
  const context = prepared(canvas, { width, height, scale: palette.scale });
  context.textBaseline = "middle";
  const room = Math.min(BLOCK.width, (width - 36) / 4 - BLOCK.gap);
  rows.forEach(([label, records], i) => {
    const y = height / 2 - (rows.length * (BLOCK.height + 10) - 10) / 2 + i * (BLOCK.height + 10);
    context.font = "12px system-ui, sans-serif";
    context.fillStyle = palette.soft;
    context.fillText(label, 0, y + BLOCK.height / 2);
    context.fillStyle = palette.line;
    context.fillRect(34, y + BLOCK.height + 2, width - 34, 1);
    context.font = "12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace";
    records.forEach(([state, text], at) => {
      const box = { x: 34 + at * (room + BLOCK.gap), y, width: room, height: BLOCK.height };
      paintBlock(context, palette, { state, box, text });
    });
  });
}

/** Draws the legend: the states that occur, with their patterns and meanings. */
function showLegend(log: LogModel, palette: Palette): void {
  const { bytes } = log.data;
  const states = (Object.keys(MEANINGS) as State[]).filter((state) => {
    return bytes[state] > 0 || state === "live" || state === "stale" || state === "tombstone";
  });
  byId("legend").replaceChildren(...states.map((state) => {
    const [name, meaning] = MEANINGS[state];
    return element("span", { class: "legend-item" }, swatch(state, palette), element("b", {}, name), ` ${meaning}`);
  }));
}
