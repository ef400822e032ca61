/**
 * Breakages of what keeps the log small: dropping tombstones, also by audit, and merging.
 *
 * @module
 */

import type { Promised } from "./types.ts";

/** Rules about the size of the log. */
export const spaceRules: Promised[] = [
  {
    sentence: "A tombstone goes as soon as it may, and a key that was not there gets none.",
    mutants: [
      {
        id: "tombstones-kept-for-ever",
        in: "droppableUpTo",
        find: "if (!inputs.has(segment)) limit =",
        replace: "limit =",
        killers: ["choose: a tombstone goes only if no segment outside can hold an older record"],
      },
      {
        id: "tombstones-rewritten-for-ever",
        in: "keptBytesOf",
        find: "if (segment.highestTombstone > droppable)",
        replace: "if (droppable < 0)",
        killers: ["choose: no compaction of undroppable tombstones, however often it is asked for"],
      },
      {
        id: "tombstone-for-a-missing-key",
        in: "Writing.#delete",
        find: "if (isListed) {",
        replace: "if (isListed !== undefined) {",
        killers: ["delete: writes a tombstone for a key that was there, and nothing for one that was not"],
      },
      {
        id: "wholly-live-segments-overlooked",
        in: "noteCurrent",
        find: "if (segment.sealed && segment.isWhollyLive) segment.currentAsOf = asOf;",
        replace: "if (asOf < 0) segment.currentAsOf = asOf;",
        killers: ["audit: beside a segment that is wholly live no tombstone stays, and nothing is read for it"],
      },
      {
        id: "tombstones-never-audited",
        in: "nextToAudit",
        find: "return inputs.length > 0 && isDue ? inputs : undefined;",
        replace: "return inputs.length < 0 && isDue ? inputs : undefined;",
        killers: ["space: the log is bounded by what is live, …"],
      },
      {
        id: "every-tombstone-of-a-key-kept",
        in: "Audit.drops",
        find: "return sequence < newest || (sequence === newest && partition.entries",
        replace: "return newest < 0 || (sequence === newest && partition.entries",
        killers: ["audit: of a key that comes and goes, the newest tombstone stays, in whichever segment it is"],
      },
      {
        id: "audits-never-forgotten",
        in: "forgetAudits",
        find: "for (const segment of audited) AUDITED.delete(segment);",
        replace: "for (const segment of audited) AUDITED.add(segment);",
        killers: ["choose: tombstones are audited again once they clearly are more than what they could be needed for"],
      },
    ],
  },
  {
    sentence:
      "An audited tombstone stays while an older set of its key is in a segment where it would count again, or in one that " +
      "cannot be read.",
    mutants: [
      {
        id: "hidden-set-overlooked",
        in: "Audit.#look",
        find: "entries[at] === HIDES_NOTHING) entries[at] = NEEDED;",
        replace: "entries[at] === HIDES_NOTHING) entries[at] = HIDES_NOTHING;",
        killers: ["audit: of the tombstones beside a segment that is live but for one record, that record's stays"],
      },
      {
        id: "set-hidden-by-a-clear-overlooked",
        in: "Audit.#look",
        find: "clear.verdict === HIDES_NOTHING) clear.verdict = NEEDED;",
        replace: "clear.verdict === HIDES_NOTHING) clear.verdict = HIDES_NOTHING;",
        killers: ["audit: a clear stays as long as there is a set before it, and the newest is enough"],
      },
      {
        id: "later-inputs-not-read",
        in: "Audit.#look",
        find: "sequence < newest && of < rank;",
        replace: "sequence < newest && of < rank && rank === Infinity;",
        killers: ["audit: what a later input holds is there until its turn has come"],
      },
      {
        id: "unreadable-segment-thought-empty",
        in: "judgeableUpTo",
        find: "[...segments].filter((segment) => !segment.isCompactable), inputs);",
        replace: "[...segments].filter((segment) => segment.endBytes < 0), inputs);",
        killers: ["audit: a segment that cannot be read keeps all tombstones above its lowest number"],
      },
      {
        id: "stale-set-counted-as-a-mark",
        in: "Segment.isWhollyLive",
        find: "return endBytes - headerBytes - liveBytes - tombstoneBytes - markBytes === 0;",
        replace: "return endBytes - headerBytes - liveBytes - tombstoneBytes - markBytes < 30;",
        killers: ["audit: a set that is not current, pending writes counted in, makes a segment not wholly live"],
      },
    ],
  },
  {
    sentence:
      "Small segments are merged, so that the number of segments follows the bytes, however the store was closed.",
    mutants: [
      {
        id: "segments-of-unclean-ends-kept",
        in: "Maintenance.mergeSmall",
        find: "inputs !== undefined && bytes < MAX_MERGED_BYTES;",
        replace: "inputs !== undefined && bytes < 0;",
        killers: ["unclean ends: a thousand leave a few segments, and all that was set"],
      },
      {
        id: "tiers-never-full",
        in: "FULL_TIER",
        find: "const FULL_TIER = 8;",
        replace: "const FULL_TIER = 8e8;",
        killers: ["choose: eight small segments of about one size are merged, those that are large or open are not"],
      },
      {
        id: "segment-of-marks-kept",
        in: "Log.#after",
        find: "former?.isVoid === true",
        replace: "former?.endBytes === 0",
        killers: ["unclean ends: a segment in which there are only marks goes"],
      },
    ],
  },
];
