/**
 * The player: a slider over the moments of the history, and buttons to step and to play.
 *
 * @module
 */

import { grouped, humanBytes } from "../../text/format.ts";
import { element } from "./dom.ts";
import type { LogModel } from "./log_model.ts";
import { bytesAt, writtenBytes } from "./strips.ts";
import { momentTitle, momentWords, shareText, type Words } from "./sentences.ts";

/** About how long it takes to play a whole history. */
const PLAYING_MS = 24_000;
/** The longest time that a moment shows, and the time that a compaction shows. */
const LONGEST_MOMENT_MS = 1600;
const COMPACTION_MS = 2600;
/** The slider's room for each moment after the present, as a share of the room before it. */
const FUTURE_ROOM = 0.1;
/** The shortest time that a sentence shows. */
const SENTENCE_MS = 450;

/** A slider with buttons. */
export class Player {
  readonly #log: LogModel;
  readonly #onMoment: (moment: number, isCalm: boolean) => void;
  readonly #slider: HTMLInputElement;
  readonly #play: HTMLButtonElement;
  readonly #title: HTMLElement;
  readonly #sentence: HTMLElement;
  readonly #figures: HTMLElement;
  #moment: number;
  #isPlaying = false;
  /** Playing time that has passed since the present moment began to show. */
  #leftMs = 0;
  #frameAt = 0;
  #sentenceAt = 0;

  /** Makes a player. It calls `onMoment` with each moment, and with whether the moment shows long enough to read. */
  constructor(log: LogModel, box: HTMLElement, onMoment: (moment: number, isCalm: boolean) => void) {
    this.#log = log;
    this.#onMoment = onMoment;
    this.#moment = log.now;
    const last = log.moments.length - 1;
    this.#slider = element("input", {
      type: "range",
      min: 0,
      max: this.#valueOf(last),
      step: 1,
      "aria-label": "Moment of the history",
    });
    this.#play = element("button", { type: "button", class: "play" });
    const back = element("button", { type: "button", class: "step", "aria-label": "One step back" }, "‹");
    const on = element("button", { type: "button", class: "step", "aria-label": "One step on" }, "›");
    this.#title = element("strong", { class: "moment-title" });
    this.#sentence = element("p", { class: "sentence", id: "sentence", "aria-live": "polite" });
    this.#figures = element("span", { class: "moment-figures" });
    const ticks = element("div", { class: "ticks", "aria-hidden": "true" });
    ticks.append(...this.#ticks());
    box.append(
      element(
        "div",
        { class: "controls" },
        back,
        this.#play,
        on,
        element("div", { class: "track" }, this.#slider, ticks),
      ),
      element("div", { class: "moment" }, this.#title, this.#figures),
      this.#sentence,
    );
    back.addEventListener("click", () => this.#jump(this.#moment - 1));
    on.addEventListener("click", () => this.#jump(this.#moment + 1));
    this.#play.addEventListener("click", () => this.#toggle());
    this.#slider.addEventListener("input", () => this.#jump(this.#momentOf(Number(this.#slider.value))));
    this.#slider.addEventListener("keydown", (event) => this.#onKey(event));
    this.#showButton();
    this.#show(true);
  }

  /** Marks the present and the moments after it on the slider. */
  #ticks(): HTMLElement[] {
    const { now, moments } = this.#log;
    const last = moments.length - 1;
    const tick = (moment: number, text: string, className: string) => {
      const made = element("span", { class: className }, text);
      made.style.setProperty("--at", String(this.#valueOf(moment) / this.#valueOf(last)));
      return made;
    };
    const ticks = [tick(0, "empty", "tick first"), tick(now, "now", now === last ? "tick last" : "tick before")];
    if (now < last) ticks.push(tick(last, "compacted", "tick last future"));
    return ticks;
  }

  /** Gives moments after the present more room on the slider, so that they can be reached after a long history. */
  #valueOf(moment: number): number {
    const { now } = this.#log;
    return moment <= now ? moment : now + (moment - now) * Math.ceil(Math.max(1, now) * FUTURE_ROOM);
  }

  #momentOf(value: number): number {
    const { now } = this.#log;
    if (value <= now) return value;
    return now + Math.round((value - now) / Math.ceil(Math.max(1, now) * FUTURE_ROOM));
  }

  #onKey(event: KeyboardEvent): void {
    const by: Record<string, number> = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };
    const page = Math.ceil(this.#log.now / 20);
    by.PageDown = -page;
    by.PageUp = page;
    if (!(event.key in by)) return;
    event.preventDefault();
    this.#jump(this.#moment + by[event.key]!);
  }

  #jump(moment: number): void {
    this.#stop();
    this.#moment = Math.min(this.#log.moments.length - 1, Math.max(0, moment));
    this.#show(true);
  }

  #toggle(): void {
    if (this.#isPlaying) {
      this.#stop();
      return this.#show(true);
    }
    // At the end, or at the present, where the page starts, it plays from the beginning.
    if (this.#moment >= this.#log.now) this.#moment = 0;
    this.#isPlaying = true;
    this.#leftMs = 0;
    this.#frameAt = performance.now();
    this.#sentence.setAttribute("aria-live", "off");
    this.#showButton();
    this.#show(true);
    requestAnimationFrame((time) => this.#frame(time));
  }

  #stop(): void {
    this.#isPlaying = false;
    this.#sentence.setAttribute("aria-live", "polite");
    this.#showButton();
  }

  #showButton(): void {
    const [symbol, text] = this.#isPlaying ? ["❚❚", "Pause"] : ["▶", "Play"];
    this.#play.replaceChildren(element("span", { "aria-hidden": "true" }, symbol), ` ${text}`);
  }

  #frame(time: number): void {
    if (!this.#isPlaying) return;
    this.#leftMs += Math.min(100, Math.max(0, time - this.#frameAt));
    this.#frameAt = time;
    const { moments } = this.#log;
    const before = this.#moment;
    while (this.#moment < moments.length - 1 && this.#leftMs >= this.#lengthOf(this.#moment)) {
      this.#leftMs -= this.#lengthOf(this.#moment);
      this.#moment++;
    }
    if (this.#moment === moments.length - 1) this.#stop();
    if (this.#moment !== before) this.#show(!this.#isPlaying);
    requestAnimationFrame((next) => this.#frame(next));
  }

  #lengthOf(moment: number): number {
    const { moments, now } = this.#log;
    if (moment >= now || moments[moment]!.type === "compacted") return COMPACTION_MS;
    return Math.min(LONGEST_MOMENT_MS, PLAYING_MS / Math.max(1, now));
  }

  #show(isAtRest: boolean): void {
    this.#slider.value = String(this.#valueOf(this.#moment));
    const title = momentTitle(this.#log, this.#moment);
    this.#slider.setAttribute("aria-valuetext", title);
    this.#title.textContent = title;
    this.#figures.textContent = this.#figuresText();
    const isCalm = isAtRest || this.#lengthOf(this.#moment) >= SENTENCE_MS;
    if (isCalm || performance.now() - this.#sentenceAt >= SENTENCE_MS) {
      this.#sentenceAt = performance.now();
      this.#sentence.replaceChildren(...contentOf(momentWords(this.#log, this.#moment)));
    }
    this.#onMoment(this.#moment, isCalm);
  }

  #figuresText(): string {
    let all = 0;
    let stale = 0;
    for (const row of this.#log.rows) {
      const isNew = row.segment === undefined && this.#log.moments[this.#moment]!.type === "copied";
      if (!this.#log.isThere(row, this.#moment) || isNew) continue;
      const bytes = bytesAt(this.#log, row, this.#moment);
      all += writtenBytes(row, bytes);
      stale += bytes.stale + bytes.mark;
    }
    const place = `Step ${grouped(this.#moment)} of ${grouped(this.#log.moments.length - 1)}`;
    return all === 0 ? place : `${place} · ${humanBytes(Math.round(all))}, ${shareText(stale, all)} of it stale`;
  }
}

/** Converts words to nodes, in which keys are set apart from text. */
export function contentOf(words: Words): (Node | string)[] {
  return words.map((word) => typeof word === "string" ? word : element("code", { class: "key" }, word.key));
}
