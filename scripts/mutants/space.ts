/**
 * Breakages of what keeps the log small: dropping tombstones, also by audit, and merging.
 *
 * @module
 */

import type { Promised } from "./types.ts";

const AUDIT = "tests/audit/audit_test.ts";
const CHOOSE = "tests/engine/choose_test.ts";
const SPACE = "tests/engine/space_test.ts";
const UNCLEAN = "tests/crash/unclean_test.ts";

/** Rules about the size of the log. */
export const spaceRules: Promised[] = [
  {
    sentence: "A tombstone goes as soon as it may, and a key that was not there gets none.",
    mutants: [
      {
        id: "tombstones-kept-for-ever",
        file: "src/engine/choose.ts",
        find: "if (!inputs.has(segment)) limit =",
        replace: "limit =",
        killers: [[CHOOSE, "choose: tombstones are won only where they may go"]],
      },
      {
        id: "tombstones-rewritten-for-ever",
        file: "src/engine/choose.ts",
        find: "keptBytes += input.highestTombstone <= droppable ? 0 : input.tombstoneBytes;",
        replace: "keptBytes += droppable < 0 ? input.tombstoneBytes : 0;",
        killers: [[CHOOSE, "choose: no compaction of undroppable tombstones, however often it is asked for"]],
      },
      {
        id: "tombstone-for-a-missing-key",
        file: "src/store.ts",
        find: "if (isListed) {",
        replace: "if (isListed !== undefined) {",
        killers: [[
          "tests/contract/calls.ts",
          "delete: writes a tombstone for a key that was there, and nothing for one that was not",
        ]],
      },
      {
        id: "wholly-live-segments-overlooked",
        file: "src/engine/choose.ts",
        find: "if (segment.sealed && segment.isWhollyLive) segment.cleanAsOf = asOf;",
        replace: "if (asOf < 0) segment.cleanAsOf = asOf;",
        killers: [[
          AUDIT,
          "audit: beside a segment that is wholly live no tombstone stays, and nothing is read for it",
        ]],
      },
      {
        id: "tombstones-never-audited",
        file: "src/engine/choose.ts",
        find: "return inputs.length > 0 && isDue ? inputs : undefined;",
        replace: "return inputs.length < 0 && isDue ? inputs : undefined;",
        killers: [[SPACE, "space: the log is bounded by what is live, …"]],
      },
      {
        id: "every-tombstone-of-a-key-kept",
        file: "src/audit/audit.ts",
        find: "return sequence < newest || (sequence === newest && partition.entries",
        replace: "return newest < 0 || (sequence === newest && partition.entries",
        killers: [[
          AUDIT,
          "audit: of a key that comes and goes, the newest tombstone stays, in whichever segment it is",
        ]],
      },
      {
        id: "audits-never-forgotten",
        file: "src/engine/choose.ts",
        find: "for (const segment of audited) segment.isAudited = false;",
        replace: "for (const segment of audited) segment.isAudited = true;",
        killers: [[
          CHOOSE,
          "choose: tombstones are audited again once they clearly are more than what they could be needed for",
        ]],
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
        file: "src/audit/audit.ts",
        find: "entries[at] === HIDES_NOTHING) entries[at] = NEEDED;",
        replace: "entries[at] === HIDES_NOTHING) entries[at] = HIDES_NOTHING;",
        killers: [[
          AUDIT,
          "audit: of the tombstones beside a segment that is live but for one record, that record's stays",
        ]],
      },
      {
        id: "set-hidden-by-a-clear-overlooked",
        file: "src/audit/audit.ts",
        find: "clear.verdict === HIDES_NOTHING) clear.verdict = NEEDED;",
        replace: "clear.verdict === HIDES_NOTHING) clear.verdict = HIDES_NOTHING;",
        killers: [[AUDIT, "audit: a clear stays as long as there is a set before it, and the newest is enough"]],
      },
      {
        id: "later-inputs-not-read",
        file: "src/audit/audit.ts",
        find: "sequence < newest && of < rank;",
        replace: "sequence < newest && of < rank && rank === Infinity;",
        killers: [[AUDIT, "audit: what a later input holds is there until its turn has come"]],
      },
      {
        id: "unreadable-segment-thought-empty",
        file: "src/engine/choose.ts",
        find: "[...segments].filter((segment) => !segment.isCompactable), inputs);",
        replace: "[...segments].filter((segment) => segment.endBytes < 0), inputs);",
        killers: [[AUDIT, "audit: a segment that cannot be read keeps all tombstones above its lowest number"]],
      },
      {
        id: "stale-set-counted-as-a-mark",
        file: "src/engine/segment.ts",
        find: "return endBytes - headerBytes - liveBytes - tombstoneBytes - markBytes === 0;",
        replace: "return endBytes - headerBytes - liveBytes - tombstoneBytes - markBytes < 30;",
        killers: [[
          AUDIT,
          "audit: a set that is not current, pending writes counted in, makes a segment not wholly live",
        ]],
      },
    ],
  },
  {
    sentence:
      "Small segments are merged, so that the number of segments follows the bytes, however the store was closed.",
    mutants: [
      {
        id: "segments-of-unclean-ends-kept",
        file: "src/store/maintenance.ts",
        find: "inputs !== undefined && bytes < MAX_MERGED_BYTES;",
        replace: "inputs !== undefined && bytes < 0;",
        killers: [[UNCLEAN, "unclean ends: a thousand leave a few segments, and all that was set"]],
      },
      {
        id: "tiers-never-full",
        file: "src/engine/choose.ts",
        find: "const FULL_TIER = 8;",
        replace: "const FULL_TIER = 8e8;",
        killers: [[
          CHOOSE,
          "choose: eight small segments of about one size are merged, those that are large or open are not",
        ]],
      },
      {
        id: "segment-of-marks-kept",
        file: "src/engine/open.ts",
        find: "last.sealed && last.isVoid)",
        replace: "last.sealed && last.endBytes === last.headerBytes)",
        killers: [[UNCLEAN, "unclean ends: a segment in which there are only marks goes"]],
      },
    ],
  },
];
