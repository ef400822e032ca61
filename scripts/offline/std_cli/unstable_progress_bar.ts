/**
 * Stand-in for `@std/cli/unstable-progress-bar`.
 *
 * @module
 */

import { formatUnitFraction } from "./_unit.ts";

/** What a formatter gets to build its line from. */
export interface ProgressBarFormatter {
  /** Time since the start, `mm:ss`. */
  styledTime: string;
  /** Value and maximum in binary units: `0.40/97.66 KiB`. */
  styledData: string;
  /** The bar itself: `###-------`. */
  progressBar: string;
  /** Milliseconds since the start. */
  time: number;
  /** `time` at the previous call. */
  previousTime: number;
  /** The current value. */
  value: number;
  /** `value` at the previous call. */
  previousValue: number;
  /** The largest value expected. */
  max: number;
}

/** Options of `ProgressBar`. */
export interface ProgressBarOptions {
  /** Where the bar goes (default: Deno's standard error). */
  writable?: WritableStream<Uint8Array>;
  /** Where it begins (default 0). */
  value?: number;
  /** The largest value expected. */
  max: number;
  /** Characters in the bar (default 50). */
  barLength?: number;
  /** What fills it (default `#`). */
  fillChar?: string;
  /** What it starts out with (default `-`). */
  emptyChar?: string;
  /** Whether it goes away at the end (default `false`). */
  clear?: boolean;
  /** Makes the line (default: time, bar and data, each in brackets). */
  formatter?: (formatter: ProgressBarFormatter) => string;
  /** Whether `writable` stays open at the end (default `true`). */
  keepOpen?: boolean;
  /** Milliseconds between two frames (default 1000). */
  interval?: number;
}

const CLEAR_LINE = "\r\u001b[K";

type Settings = Required<Omit<ProgressBarOptions, "value" | "max">>;

/** Shows `value` out of `max` on a terminal line, drawn anew every `interval`, until `stop()`. */
export class ProgressBar {
  /** How far it has come. */
  value: number;
  /** The largest value expected. */
  max: number;
  #settings: Settings;
  #writer: WritableStreamDefaultWriter<string>;
  #piped: Promise<void>;
  #timer: ReturnType<typeof setInterval>;
  #startTime = Date.now();
  #previousTime = 0;
  #previousValue: number;

  /** Starts drawing. */
  constructor(options: ProgressBarOptions) {
    this.#settings = {
      writable: options.writable ?? Deno.stderr.writable,
      barLength: options.barLength ?? 50,
      fillChar: options.fillChar ?? "#",
      emptyChar: options.emptyChar ?? "-",
      clear: options.clear ?? false,
      formatter: options.formatter ?? ((f) => `[${f.styledTime}] [${f.progressBar}] [${f.styledData}]`),
      keepOpen: options.keepOpen ?? true,
      interval: options.interval ?? 1000,
    };
    this.value = options.value ?? 0;
    this.max = options.max;
    this.#previousValue = this.value;
    const encoder = new TextEncoderStream();
    this.#writer = encoder.writable.getWriter();
    this.#timer = setInterval(() => this.#draw(), this.#settings.interval);
    // a reader that has gone away (a closed pipe) just ends the drawing
    this.#piped = encoder.readable.pipeTo(this.#settings.writable, { preventClose: this.#settings.keepOpen })
      .catch(() => clearInterval(this.#timer));
    this.#draw();
  }

  /** Draws a last time, or clears the line, and ends. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#settings.clear) await this.#write(CLEAR_LINE);
    else {
      await this.#draw();
      await this.#write("\n");
    }
    await this.#writer.close().then(() => this.#piped).catch(() => {});
  }

  async #draw(): Promise<void> {
    const state = this.#state();
    await this.#write(CLEAR_LINE + this.#settings.formatter(state));
    this.#previousTime = state.time;
    this.#previousValue = state.value;
  }

  #state(): ProgressBarFormatter {
    const { barLength, fillChar, emptyChar } = this.#settings;
    const time = Date.now() - this.#startTime;
    const filled = Math.trunc(Math.min(Math.max(this.value / this.max, 0), 1) * barLength);
    const twoDigits = (count: number) => String(Math.trunc(count)).padStart(2, "0");
    return {
      styledTime: `${twoDigits(time / 60_000)}:${twoDigits(time / 1000 % 60)}`,
      styledData: formatUnitFraction(this.value, this.max),
      progressBar: fillChar.repeat(filled) + emptyChar.repeat(barLength - filled),
      time,
      previousTime: this.#previousTime,
      value: this.value,
      previousValue: this.#previousValue,
      max: this.max,
    };
  }

  async #write(text: string): Promise<void> {
    await this.#writer.write(text).catch(() => {});
  }
}
