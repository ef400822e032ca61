/**
 * The progress bar of long commands. It shows on a terminal only, and only once the work has taken a while.
 *
 * @module
 */

import process from "node:process";
import { ProgressBar, type ProgressBarFormatter } from "@std/cli/unstable-progress-bar";
import type { Progress } from "../../../mod.ts";
import type { Context } from "../command_line/definition.ts";
import { grouped, humanBytes } from "../text/format.ts";

/** Shorter work shows no bar. */
const PATIENCE_MS = 300;

/** A progress bar. It must be stopped, also after a failure. */
export interface Bar {
  update: (progress: Progress) => void;
  stop: () => Promise<void>;
}

/**
 * Makes a bar for work that is measured in bytes, or in `unit`. It does nothing under `--quiet`, or if standard error
 * is not a terminal.
 */
export function progressBar(context: Context, doing: string, unit = "bytes"): Bar {
  if (context.quiet || !process.stderr.isTTY) return { update: () => {}, stop: () => Promise.resolve() };
  const begun = Date.now();
  let bar: ProgressBar | undefined;
  const figure = (value: number) => unit === "bytes" ? humanBytes(value) : `${grouped(value)} ${unit}`;
  const format = (state: ProgressBarFormatter) => {
    // The length of standard input is unknown.
    const amount = state.max > 0 ? `${figure(state.value)} of ${figure(state.max)}` : figure(state.value);
    return `${doing} ${state.progressBar} ${amount} ${state.styledTime}`;
  };
  return {
    update({ doneBytes, totalBytes }) {
      if (bar === undefined && Date.now() - begun < PATIENCE_MS) return;
      bar ??= new ProgressBar({
        writable: stderrStream(),
        max: totalBytes,
        barLength: 30,
        clear: true,
        formatter: format,
      });
      bar.value = doneBytes;
      bar.max = totalBytes;
    },
    stop: () => bar?.stop() ?? Promise.resolve(),
  };
}

/** Runs `work` with options that update a bar and pass on the command's signal. */
export async function withProgress<T>(
  context: Context,
  doing: string,
  work: (options: { onProgress: (progress: Progress) => void; signal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const bar = progressBar(context, doing);
  try {
    return await work({ onProgress: bar.update, signal: context.signal });
  } finally {
    await bar.stop();
  }
}

function stderrStream(): WritableStream<Uint8Array> {
  return new WritableStream({ write: (chunk) => void process.stderr.write(chunk) });
}
