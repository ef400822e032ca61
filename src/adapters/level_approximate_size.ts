/**
 * What LevelDB's binding tells and does beyond the abstract class: sizes of ranges.
 *
 * @module
 */
import type { KvStore, Snapshot, Value } from "../../mod.ts";
import type { Data } from "./level_format.ts";
import { turnIfDue } from "./event_loop.ts";

/** The values of so many keys of a range are looked at. */
const SAMPLES = 256;
/** What the log has of each record beside key and value. */
const HEADER_BYTES = 36;

/** An option of calls that are about a range. */
export interface KeyEncodingOption {
  /** How `start` and `end` are to be encoded, if not as the keys of the database. */
  // deno-lint-ignore no-explicit-any
  keyEncoding?: any;
}

/** About how many bytes of the log the keys from `gte` to before `lt` take: exact for few, by samples for many. */
export async function approximateSize(store: KvStore<Data>, range: { gte: Data; lt: Data }): Promise<number> {
  const snapshot = store.snapshot();
  try {
    const count = await visit(snapshot, range, () => {});
    const stride = Math.ceil(count / SAMPLES);
    let sampled = 0;
    let sampledBytes = 0;
    await visit(snapshot, range, (key, position) => {
      if (position % stride !== 0) return;
      sampled++;
      sampledBytes += HEADER_BYTES + key.length + lengthOf(snapshot.get(key));
    });
    return sampled === 0 ? 0 : Math.round((sampledBytes / sampled) * count);
  } finally {
    snapshot.close();
  }
}

/** Calls `action` with each key and its position; returns how many there are. */
async function visit(
  snapshot: Snapshot<Data>,
  range: { gte: Data; lt: Data },
  action: (key: Uint8Array, position: number) => void,
): Promise<number> {
  let position = 0;
  for (const key of snapshot.keys({ ...range, keys: "bytes" })) {
    action(key as Uint8Array, position++);
    const turn = turnIfDue();
    if (turn !== undefined) await turn;
  }
  return position;
}

function lengthOf(value: Value | undefined): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value ?? "")).length;
}
