/**
 * The sentences of the page: about moments, records and the store as a whole.
 *
 * @module
 */

import { counted, grouped, humanBytes, percentage } from "../../text/format.ts";
import { KIND, type LogModel, type Moment, type Row, type State } from "./log_model.ts";

/** A sentence: text, and keys, which are set apart. */
export type Words = (string | { key: string })[];

/** Says what happens at a moment. */
export function momentWords(log: LogModel, index: number): Words {
  const moment = log.moments[index]!;
  switch (moment.type) {
    case "empty":
      return ["The log is empty. Every write that comes now is appended at its end; nothing is ever changed in place."];
    case "record":
      return recordWords(log, index, moment.record);
    case "step":
      return stepWords(log, index, moment);
    case "compacted":
      return compactedWords(log, moment.segment);
    case "now":
      return nowWords(log);
    case "copied":
      return copiedWords(log);
    case "removed":
      return removedWords(log);
  }
}

/** Names a moment in short. */
export function momentTitle(log: LogModel, index: number): string {
  const moment = log.moments[index]!;
  if (moment.type === "now") return "Now";
  if (moment.type === "empty") return "The beginning";
  if (moment.type === "copied") return "Compaction, first half";
  if (moment.type === "removed") return "Compaction, second half";
  if (moment.type === "compacted") return "A compaction";
  const { limit } = moment;
  if (moment.type === "step") return `Up to sequence ${grouped(limit)}`;
  return `Sequence ${grouped(log.data.recordData.sequence[moment.record]!)}`;
}

function recordWords(log: LogModel, index: number, record: number): Words {
  const { kind, flags, segment, length, sequence } = log.data.recordData;
  const key = { key: log.keyOf(record) ?? "" };
  const row = log.rows[segment[record]!]!;
  const words: Words = [...beginning(log, row, record), ...missing(log, index, record)];
  const replaced = replacedBy(log, record);
  const isAgain = replaced !== undefined;
  if (kind[record] === KIND.mark) return [...words, "A mark: all that lies before it is safe from a power cut."];
  if (kind[record] === KIND.clear) return [...words, "clear: one record that says every key before it is gone."];
  if (kind[record] === KIND.delete) {
    words.push("delete ", key, ": a tombstone is appended that says the key is gone.");
    if (isAgain) words.push(` Its value, of sequence ${grouped(sequence[replaced]!)}, is stale from now on.`);
  } else if (isAgain) {
    words.push("set ", key, ` again: the new value is appended, and the index points at it. The old one, of sequence `);
    words.push(`${grouped(sequence[replaced]!)}, is stale: it still takes ${humanBytes(length[replaced]!)}, `);
    words.push("and nobody can read it any more.");
  } else {
    words.push("set ", key, `: a record of ${humanBytes(length[record]!)} is appended to ${row.title.toLowerCase()}, `);
    words.push("and the index notes where it lies.");
  }
  if ((flags[record]! & 8) !== 0) words.push(" It belongs to a batch: all of a batch counts, or none.");
  if (log.stateOf(record, Infinity) === "damaged") words.push(" Its value is damaged by now.");
  return words;
}

/** Returns the set that a record supersedes. */
function replacedBy(log: LogModel, record: number): number | undefined {
  const { key, kind, sequence, died } = log.data.recordData;
  return log.versionsOf(key[record]!).find((one) => died[one] === sequence[record] && kind[one] === KIND.set);
}

function beginning(log: LogModel, row: Row, record: number): Words {
  const isFirst = row.records[0] === record && row.position > 0 && (row.segment?.inputs.length ?? 0) === 0;
  return isFirst && log.data.segments.length > 1 ? [`${row.title} begins, as the one before is full. `] : [];
}

function missing(log: LogModel, index: number, record: number): Words {
  const before = log.moments[index - 1]!.limit;
  const gap = log.data.recordData.sequence[record]! - before - 1;
  const isCompacted = log.data.segments.some(({ inputs }) => inputs.length > 0);
  // A crash leaves a gap of 2^32 numbers. No records are missing in it.
  if (gap <= 0 || !isCompacted || gap >= 2 ** 32) return [];
  return [`(${counted(gap, "record")} before this one: removed by a compaction since.) `];
}

function stepWords(log: LogModel, index: number, { step }: Extract<Moment, { type: "step" }>): Words {
  const { appended, died, keys } = log.data.series;
  const words = [`${humanBytes(appended[step]!)} of records are appended. `];
  if (died[step]! > 0) {
    words.push(`They replace or delete older values: ${humanBytes(died[step]!)} of those go stale. `);
  } else words.push("They replace nothing: nothing goes stale. ");
  const change = keys[step]!;
  if (change > 0) words.push(`${counted(change, "key")} more than before.`);
  if (change < 0) words.push(`${counted(-change, "key")} fewer than before.`);
  if (log.moments[index - 1]?.type === "empty") words.push(" A step stands for very many writes here.");
  return words;
}

function compactedWords(log: LogModel, position: number): Words {
  const { number, inputs, fileBytes } = log.data.segments[position]!;
  const from = inputs.length === 1 ? `segment ${inputs[0]}` : `segments ${listed(inputs)}`;
  return [
    `Compaction: what was still needed of ${from} was copied to segment ${number} (${
      humanBytes(fileBytes)
    }), and the old `,
    `${
      inputs.length === 1 ? "file was" : "files were"
    } removed. Stale records were not copied, so this page cannot show them.`,
  ];
}

function nowWords(log: LogModel): Words {
  const { data } = log;
  const count = data.isSample ? data.steps.length : data.recordData.sequence.length;
  const words: Words = ["This is the log as it is. "];
  if (count === 0) return ["The log is empty: nothing has been written yet."];
  words.push("Play it from the beginning to see how it was written");
  words.push(data.compaction.length > 0 ? ", or take a step forward to see what compaction would do." : ".");
  return words;
}

function copiedWords({ data }: LogModel): Words {
  const outputs = data.compaction.filter(({ outputBytes }) => outputBytes > 0);
  const bytes = outputs.reduce((sum, { outputBytes }) => sum + outputBytes, 0);
  if (outputs.length === 0) {
    return ["What compaction would do: nothing in these files is needed, so nothing is copied."];
  }
  return [
    `What compaction would do: copy what is still needed, ${humanBytes(bytes)}, into `,
    `${
      outputs.length === 1 ? "a new segment" : `${outputs.length} new segments`
    }. The old files stay until the copy is durable.`,
  ];
}

function removedWords({ data }: LogModel): Words {
  const won = data.compaction.reduce((sum, { wonBytes }) => sum + wonBytes, 0);
  const files = data.compaction.reduce((sum, { inputs }) => sum + inputs.length, 0);
  return [
    `Then ${files === 1 ? "the old file goes" : `the ${files} old files go`}: ${humanBytes(won)} of ${
      humanBytes(data.diskBytes)
    } are free again. No key and no value has changed.`,
  ];
}

/** The first sentence of the page. */
export function headline({ data }: LogModel): string {
  const files = counted(data.segments.length + data.omittedSegments, "file");
  return `${counted(data.keys, "key")} in ${files}, ${humanBytes(data.diskBytes)} on disk.`;
}

/** The second sentence of the page: what compaction would do for this store. */
export function verdict({ data }: LogModel): string {
  const won = data.compaction.reduce((sum, { wonBytes }) => sum + wonBytes, 0);
  if (data.records === 0) return "Nothing has been written yet.";
  if (won === 0) return "Nearly all of it is needed: compaction would reclaim nothing.";
  const share = percentage(won, data.diskBytes);
  if (won < 0.03 * data.diskBytes) {
    return `Nearly all of it is needed: compaction would reclaim only ${humanBytes(won)}.`;
  }
  return `${share} of that is old versions, deleted keys and marks, which are no longer needed. ` +
    `Compaction would reclaim ${humanBytes(won)}.`;
}

/** Formats a share; 0 % of nothing. */
export function shareText(part: number, total: number): string {
  return total > 0 ? percentage(part, total) : "0 %";
}

/** Describes a record in a few words, for screen readers. */
export function spoken(log: LogModel, record: number, state: State): string {
  const { sequence, kind, length } = log.data.recordData;
  const what = ["", "set", "delete", "clear", "mark"][kind[record]!]!;
  const key = log.keyOf(record);
  const name = key === undefined ? what : `${what} ${key}`;
  const worth = state === what ? "" : `, ${state}`;
  return `${name}${worth}, sequence ${grouped(sequence[record]!)}, ${counted(length[record]!, "byte")}`;
}

function listed(numbers: number[]): string {
  if (numbers.length > 6) return `${numbers[0]} to ${numbers.at(-1)}`;
  return numbers.length < 2 ? `${numbers}` : `${numbers.slice(0, -1).join(", ")} and ${numbers.at(-1)}`;
}
