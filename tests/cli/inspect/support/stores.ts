/** Stores on the simulated disk, and what is in their logs, found out in the plainest way. */

import { assertEquals } from "@std/assert";
import { KvStore, type Value } from "../../../../mod.ts";
import { surveyOn } from "../../../../src/check/survey.ts";
import { scan } from "../../../../src/check/scan.ts";
import { verifyOn } from "../../../../src/check/verify.ts";
import { FLAG_STRING_KEY, KIND } from "../../../../src/engine/record.ts";
import { newMachine } from "../../../crash/support/disk.ts";
import { DIRECTORY, OPTIONS } from "../../../crash/support/scenario.ts";
import type { MemoryPlatform } from "../../../support/memory_platform.ts";
import { Random } from "../../../support/random.ts";

export { DIRECTORY };

/** A store made by `write`, closed, on a machine of its own; it must be intact. */
export async function storeOf(write: (store: KvStore<Value>) => Promise<void>): Promise<MemoryPlatform> {
  const platform = newMachine();
  const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  await write(store);
  await store.close();
  assertEquals((await verifyOn(platform, DIRECTORY, {})).problems, []);
  return platform;
}

/** Writes for a while: sets, deletes, batches, and where asked for clears and compactions. */
export async function writeAtRandom(
  store: KvStore<Value>,
  { seed, writes, clears, compactions }: { seed: number; writes: number; clears: boolean; compactions: boolean },
): Promise<void> {
  const random = new Random(seed);
  const key = () => `key ${random.below(20)}`;
  for (let i = 0; i < writes; i++) {
    const chance = random.fraction();
    if (clears && chance < 0.02) await store.clear();
    else if (compactions && chance < 0.05) await store.compact();
    else if (chance < 0.2) await store.delete(key());
    else if (chance < 0.3) {
      await store.batch([{ type: "set", key: key(), value: i }, { type: "delete", key: key() }]);
    } else await store.set(key(), "v".repeat(random.below(300)));
  }
}

/** A record of a log as a plain object. */
export interface PlainRecord {
  segment: number;
  offset: number;
  length: number;
  sequence: number;
  kind: number;
  key: string;
  /** Sequence number of what superseded it; 0 if nothing did. */
  died: number;
}

/** All records of an intact log, and when each was superseded: by comparing each with every other. */
export function plainRecords(platform: MemoryPlatform): PlainRecord[] {
  const survey = surveyOn(platform, DIRECTORY);
  const records: PlainRecord[] = [];
  for (const { segment, startBytes } of survey.segments) {
    for (const { cursor, offset, length } of scan(segment!, startBytes, segment!.endBytes)) {
      const key = `${cursor.flags & FLAG_STRING_KEY} ${new TextDecoder().decode(cursor.key)}`;
      const { sequence, kind } = cursor;
      records.push({ segment: segment!.number, offset, length, sequence, kind, key, died: 0 });
    }
  }
  survey.close();
  for (const record of records) {
    if (record.kind !== KIND.set && record.kind !== KIND.delete) continue;
    const later = records.filter(({ sequence, kind, key }) => {
      const isOfKey = (kind === KIND.set || kind === KIND.delete) && key === record.key;
      return sequence > record.sequence && (isOfKey || kind === KIND.clear);
    });
    record.died = later.reduce((first, { sequence }) => first === 0 ? sequence : Math.min(first, sequence), 0);
  }
  return records;
}
