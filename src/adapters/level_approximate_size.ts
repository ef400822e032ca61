/**
 * The size of a range of keys, which LevelDB's binding tells and the abstract class does not ask for.
 *
 * @module
 */
import type { KvStore, Snapshot } from "../../mod.ts";
import { turnIfDue } from "./event_loop.ts";
import { bytesOf, type Data } from "./level_format.ts";

/** At most this many values of a range are read. */
const SAMPLES = 256;
/** Bytes of a record beside its key and value, about. */
const HEADER_BYTES = 36;

/** An option of calls on a range. */
export interface KeyEncodingOption {
  /** The encoding of `start` and `end`. Default: that of the database's keys. */
  // deno-lint-ignore no-explicit-any
  keyEncoding?: any;
}

/** The bytes of the log that the keys from `gte` to before `lt` take: exact for few keys, estimated from samples else. */
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
      sampledBytes += HEADER_BYTES + key.length + bytesOf(snapshot.get(key) ?? "").length;
    });
    return sampled === 0 ? 0 : Math.round((sampledBytes / sampled) * count);
  } finally {
    snapshot.close();
  }
}

/** Calls `action` with each key and its position. Returns the number of keys. */
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
