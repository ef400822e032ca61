/**
 * The panel beside the strips. It looks up a key, shows its versions and its entry of the index, and describes the
 * record that is pointed at.
 *
 * @module
 */

import { counted, grouped, humanBytes, percentage } from "../../text/format.ts";
import { byId, element } from "./dom.ts";
import { KIND, type LogModel, type Row, type State } from "./log_model.ts";
import { MEANINGS, type Palette, swatch } from "./palette.ts";
import type { Spot } from "./strips.ts";
import { spoken } from "./sentences.ts";

/** The most matches of a search. */
const MOST_MATCHES = 12;
/** The most keys named for a part of the log. */
const MOST_SAMPLED = 4;
const VALUE_TYPES = ["bytes", "text", "JSON", "text"];
const KINDS = ["", "set", "delete", "clear", "mark"];

/** What the panel reports to the page. */
export interface LookupEvents {
  /** A key was chosen: its records, and the one that the index points at. */
  onKey: (records: readonly number[], pointed: number | undefined) => void;
  /** A version was chosen. */
  onVersion: (record: number) => void;
}

/** The panel beside the strips. */
export class Lookup {
  readonly #log: LogModel;
  readonly #events: LookupEvents;
  readonly #input: HTMLInputElement;
  readonly #matches: HTMLElement;
  readonly #count: HTMLElement;
  readonly #versions: HTMLElement;
  readonly #details: HTMLElement;
  readonly #title: HTMLElement;
  readonly #spoken: HTMLElement;
  #palette: Palette;
  #moment: number;
  #key: number | undefined;
  #spot: Spot | undefined;
  /** Whether the reader has chosen the key. Otherwise the key follows the player. */
  #isChosen = false;

  constructor(log: LogModel, box: HTMLElement, palette: Palette, events: LookupEvents) {
    this.#log = log;
    this.#events = events;
    this.#palette = palette;
    this.#moment = log.now;
    const { data } = log;
    this.#input = element("input", {
      type: "search",
      id: "key",
      autocomplete: "off",
      spellcheck: "false",
      placeholder: "part of a key",
      "aria-describedby": "matches-count",
    });
    this.#count = element("p", { id: "matches-count", class: "hint", "aria-live": "polite" }, this.#hint());
    this.#matches = element("ul", { class: "matches", "aria-label": "Keys found" });
    this.#versions = element("div", { class: "versions" });
    this.#details = element("div", { class: "details" });
    this.#title = element("h3", {}, data.isSample ? "Part of the log" : "Record");
    this.#spoken = element("p", { class: "unseen", "aria-live": "polite" });
    box.append(
      element("div", {}, element("label", { for: "key" }, "Find a key"), this.#input, this.#count, this.#matches),
      element("div", {}, this.#title, this.#details),
      this.#versions,
      this.#spoken,
    );
    this.#input.addEventListener("input", () => this.#search());
    this.#showDetails();
  }

  /** Shows another moment. */
  show(moment: number): void {
    this.#moment = moment;
    this.#showVersions();
    this.#showDetails();
  }

  /** Redraws in other colours. */
  restyle(palette: Palette): void {
    this.#palette = palette;
    this.show(this.#moment);
  }

  /** Describes what is pointed at; aloud, if the keyboard points at it. */
  point(spot: Spot, isSaid: boolean): void {
    this.#spot = spot;
    this.#showDetails();
    const { row, at } = spot;
    const { limit } = this.#log.moments[this.#moment]!;
    const text = row.cells === undefined
      ? spoken(this.#log, at, this.#log.stateOf(at, limit))
      : this.#details.innerText.replace(/\s*\n\s*/g, " ");
    // If the panel has no room beside the strips, this line is all that is visible of it.
    byId("pointed").textContent = text;
    if (isSaid) this.#spoken.textContent = text;
  }

  /** Describes a record. */
  pointRecord(record: number): void {
    const row = this.#log.rows[this.#log.data.recordData.segment[record]!]!;
    this.#spot = { row: { ...row, cells: undefined }, at: record };
    this.#showDetails();
  }

  /** Shows the record of a step of the player, and its key unless the reader has chosen one. */
  follow(record: number): void {
    if (this.#isChosen) return;
    const key = this.#log.data.recordData.key[record]!;
    if (key >= 0) this.choose(key, false);
    this.pointRecord(record);
  }

  /** Looks up the key at a position. `isChosen` says whether the reader has chosen it. */
  choose(key: number, isChosen: boolean): void {
    this.#key = key;
    this.#isChosen = isChosen;
    this.#showVersions();
  }

  #hint(): string {
    const { keyData, isSample, records, recordData } = this.#log.data;
    const known = keyData.text.length;
    if (!isSample) {
      return known === 0 ? "The log has no keys." : `All ${counted(known, "key")} that the log has records of.`;
    }
    const share = percentage(recordData.sequence.length, records);
    return `This page holds a sample: ${counted(known, "key")} with all their versions (${share} of the records). ` +
      "For any other key: kvstore history KEY.";
  }

  #search(): void {
    const wanted = this.#input.value;
    const { text } = this.#log.data.keyData;
    if (wanted === "") {
      this.#isChosen = false;
      this.#count.textContent = this.#hint();
      this.#matches.replaceChildren();
      return;
    }
    const lower = wanted.toLowerCase();
    const found = text.flatMap((one, key) => one.toLowerCase().includes(lower) ? [key] : []);
    // First the key itself, then keys that begin with the text, then keys that contain it.
    const rank = (key: number) => text[key] === wanted ? 0 : text[key]!.toLowerCase().startsWith(lower) ? 1 : 2;
    found.sort((a, b) => rank(a) - rank(b) || (text[a]! < text[b]! ? -1 : 1));
    const more = found.length > MOST_MATCHES ? `, the first ${MOST_MATCHES} are shown` : "";
    const where = this.#log.data.isSample ? " in the sample" : "";
    this.#count.textContent = found.length === 0
      ? `No key${where} has that in it.`
      : `${counted(found.length, "key")}${where}${more}.`;
    this.#matches.replaceChildren(
      ...found.slice(0, MOST_MATCHES).map((key) => {
        const button = element("button", { type: "button", class: "match" }, element("code", {}, text[key]!));
        button.addEventListener("click", () => {
          this.#matches.replaceChildren();
          this.choose(key, true);
        });
        return element("li", {}, button);
      }),
    );
    if (found.length === 1 || text[found[0]!] === wanted) this.choose(found[0]!, true);
  }

  #showVersions(): void {
    if (this.#key === undefined) return;
    const key = this.#key;
    const { data } = this.#log;
    const { limit } = this.#log.moments[this.#moment]!;
    const entry = this.#log.indexEntry(key, limit);
    const all = this.#log.versionsOf(key).filter((record) => {
      return data.recordData.sequence[record]! <= limit && this.#log.placeOf(record, this.#moment) !== undefined;
    });
    const omitted = this.#log.omittedOf(key);
    this.#events.onKey(all, entry);
    const items = [...all].reverse().map((record) => this.#versionItem(record, limit, record === entry));
    const list = element("ol", { class: "version-list", "aria-label": "Versions, newest first" }, ...items);
    const name = element("code", { class: "key" }, data.keyData.text[key]!);
    this.#versions.replaceChildren(
      element("h3", {}, "Versions of ", name),
      this.#indexLine(entry),
      list,
      ...(omitted > 0
        ? [element("p", { class: "hint" }, `${counted(omitted, "older version")} more in the log.`)]
        : []),
      ...(all.length === 0 ? [element("p", { class: "hint" }, "Not written yet at this moment.")] : []),
    );
  }

  /** Shows the entry of the index for the key: where its live record lies. */
  #indexLine(entry: number | undefined): HTMLElement {
    const place = entry === undefined ? "no entry: the key is not there" : this.#placeText(entry);
    return element(
      "p",
      { class: "index-entry" },
      element("span", { class: "index-name" }, "Index"),
      element("span", { class: entry === undefined ? "index-place none" : "index-place" }, place),
    );
  }

  /** Says where a record lies: "Segment 2, offset 1,044". */
  #placeText(record: number): string {
    const place = this.#log.placeOf(record, this.#moment);
    if (place === undefined) return "nowhere any more";
    return place.offset === undefined ? place.row.title : `${place.row.title}, offset ${grouped(place.offset)}`;
  }

  #versionItem(record: number, limit: number, isPointed: boolean): HTMLElement {
    const { sequence, length, kind } = this.#log.data.recordData;
    const state = this.#log.stateOf(record, limit);
    const title = this.#log.placeOf(record, this.#moment)!.row.title;
    const button = element(
      "button",
      { type: "button", class: isPointed ? "version pointed" : "version" },
      swatch(state, this.#palette),
      element(
        "span",
        { class: "version-words" },
        element("strong", {}, kind[record] === KIND.delete ? "deleted" : MEANINGS[state][0]),
        ` · sequence ${grouped(sequence[record]!)}`,
        element("br"),
        element(
          "small",
          {},
          `${title}, ${humanBytes(length[record]!)}${isPointed ? " · the index points here" : ""}`,
        ),
      ),
    );
    button.addEventListener("click", () => this.#events.onVersion(record));
    return element("li", {}, button);
  }

  #showDetails(): void {
    if (this.#spot === undefined) {
      const hint =
        "Point at a strip, or walk along it with the arrow keys, to see what lies there. Enter shows the versions of its key.";
      this.#details.replaceChildren(element("p", { class: "hint" }, hint));
      return;
    }
    const { row, at } = this.#spot;
    this.#title.textContent = row.cells === undefined ? "Record" : "Part of the log";
    const { limit } = this.#log.moments[this.#moment]!;
    if (row.cells === undefined && this.#log.data.recordData.sequence[at]! > limit) {
      this.#details.replaceChildren(element("p", { class: "hint" }, "Not written yet at this moment."));
      return;
    }
    const facts = row.cells === undefined ? this.#recordFacts(at) : this.#cellFacts(row, at);
    const list = element("dl", {});
    for (const [name, content] of facts) list.append(element("dt", {}, name), element("dd", {}, content));
    this.#details.replaceChildren(list);
  }

  #recordFacts(record: number): [string, Node | string][] {
    const { recordData, keyData } = this.#log.data;
    const { limit } = this.#log.moments[this.#moment]!;
    const state = this.#log.stateOf(record, limit);
    const kind = recordData.kind[record]!;
    const key = this.#log.keyOf(record);
    const facts: [string, Node | string][] = [["State", this.#stateOf(state)]];
    if (key !== undefined) facts.push(["Key", element("code", { class: "key" }, key === "" ? "(empty)" : key)]);
    facts.push(["Kind", KINDS[kind]!]);
    facts.push(["Sequence", grouped(recordData.sequence[record]!)]);
    facts.push(["Where", this.#placeText(record)]);
    const keyBytes = key === undefined ? 0 : keyData.bytes[recordData.key[record]!]!;
    const parts = kind === KIND.set
      ? `: key ${grouped(keyBytes)}, value ${grouped(recordData.valueBytes[record]!)}`
      : "";
    facts.push(["Size", `${counted(recordData.length[record]!, "byte")}${parts}`]);
    if (kind === KIND.set) facts.push(["Value", this.#valueOf(record)]);
    const died = recordData.died[record]!;
    if (died > 0 && died <= limit) facts.push(["Stale since", `sequence ${grouped(died)}`]);
    const expiresAt = this.#log.expiryOf(record);
    if (expiresAt !== undefined) facts.push(["Expires", timeText(expiresAt)]);
    return facts;
  }

  #valueOf(record: number): Node | string {
    const type = VALUE_TYPES[(this.#log.data.recordData.flags[record]! >> 1) & 3]!;
    const value = this.#log.valueOf(record);
    if (value === undefined) return `${type}, not shown (kvstore inspect --values)`;
    return element("code", { class: "value" }, value);
  }

  #cellFacts(row: Row, cell: number): [string, Node | string][] {
    const cells = row.cells!;
    const shares = { live: 0, stale: 0, tombstone: 0, expired: 0, mark: 0, damaged: 0 };
    cells.read(cell, this.#log.stepAt(this.#moment), shares);
    const start = Math.round(cell * cells.cellBytes);
    const end = Math.min(Math.round((cell + 1) * cells.cellBytes), row.bytes);
    const facts: [string, Node | string][] = [
      ["Where", `${row.title}, bytes ${grouped(start)} to ${grouped(end)}`],
      ["Records", grouped(cells.records[cell]!)],
    ];
    for (const state of Object.keys(shares) as State[]) {
      if (shares[state] > 0.002) facts.push([MEANINGS[state][0], this.#stateOf(state, percentage(shares[state], 1))]);
    }
    const sampled = this.#log.sampledIn(row, cell, this.#moment).slice(0, MOST_SAMPLED);
    if (sampled.length > 0) {
      const keys = sampled.flatMap((record) => [element("code", { class: "key" }, this.#log.keyOf(record)!), " "]);
      facts.push(["Such as", element("span", {}, ...keys)]);
    }
    return facts;
  }

  #stateOf(state: State, text = `${MEANINGS[state][0]}: ${MEANINGS[state][1]}`): HTMLElement {
    return element("span", { class: "state" }, swatch(state, this.#palette), ` ${text}`);
  }
}

function timeText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? grouped(ms) : date.toISOString().replace("T", " ").replace(/\..*/, " UTC");
}
