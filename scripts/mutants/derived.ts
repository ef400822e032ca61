/**
 * Breakages of the rule about derived files.
 *
 * @module
 */
import type { Promised } from "./types.ts";

/** The rule about derived files. */
export const derivedRules: Promised[] = [
  {
    sentence:
      "A derived file is bound to the data by lengths, checksum and version, and rebuilt where it does not fit.",
    mutants: [
      {
        id: "image-checksum-ignored",
        in: "ImageReader.read",
        find: "if (end < start + length || sum !== checksum) return undefined;",
        replace: "if (end < start + length || checksum < 0) return undefined;",
        killers: ["image: cut anywhere, or with any byte changed, it is refused or the same"],
      },
      {
        id: "account-not-counted-anew",
        in: "Replay.finish",
        find: "for (const segment of isSwept ? this.#segments.values() : []) segment.liveBytes = 0;",
        replace: "",
        killers: [
          "image file: an account is right though a record between it and its table has been compacted away",
        ],
      },
      {
        id: "damaged-image-leaves-its-account",
        in: "rebuildIndex",
        find: "for (const segment of log.segments.values()) segment.reset();",
        replace: "",
        killers: ["index: what opening makes of a damaged image is accounted as the log says (… records behind)"],
      },
      {
        id: "image-read-behind-a-write",
        in: "Engine.stageClear",
        find: "this.#changeable = this.index.changeable();",
        replace: "this.#changeable = this.index as Index;",
        killers: ["index: an image damaged after the first changes costs nothing but time"],
      },
      {
        id: "image-read-behind-a-refresh",
        in: "keysBefore",
        find: "if (store.views.isInterested) store.index.changeable();",
        replace: "",
        killers: ["index: a reader's snapshots stay as they were over a refresh…"],
      },
      {
        id: "table-rebuilt-ahead-of-a-refresh",
        in: "advanceIndex",
        find: "index.rebuild = undefined;",
        replace: "",
        killers: ["index: refreshes of a damaged image cost nothing but time, and views stay as they are"],
      },
      {
        id: "order-of-renumbered-entries-saved",
        in: "OrderSaver.write",
        find: "if (this.#changed.size > 0 || orderIn(index) !== this.#order) return undefined;",
        replace: "if (orderIn(index) !== this.#order) return undefined;",
        killers: [
          "order saver: what is saved has every key of the tables in order, whatever changes meanwhile, or is left out",
        ],
      },
      {
        id: "saved-order-not-compared",
        in: "Check.take",
        find: 'throw new OrderWrong("keys out of order");',
        replace: "continue;",
        killers: [
          "saved order: one that is wrong though its checksums are right is not taken as a whole, and verify says so",
        ],
      },
      {
        id: "page-of-image-not-checked",
        in: "SavedOrder.#page",
        find: "if (got < page.length || crc32(page) !== sums[number])",
        replace: "if (got < page.length || sums[number] === undefined)",
        killers: ["saved order: damaged anywhere, it changes nothing, and verify says that it will be made anew"],
      },
      {
        id: "order-loaded-though-renumbered",
        in: "checkIsCurrent",
        find: 'if (index.saved !== saved) throw new OrderDamaged("the image has been given up");',
        replace: "",
        killers: ["order saver: an order whose tables drop entries while it is loaded is given up"],
      },
      {
        id: "image-version-ignored",
        in: "readFooter",
        find: "|| !startsWith(trailer, MAGIC, 8)) return undefined;",
        replace: "|| trailer[8] !== MAGIC[0]) return undefined;",
        killers: ["image: one of another version is refused"],
      },
      {
        id: "image-believed-though-the-log-is-shorter",
        in: "fits",
        find: "headerBytes <= account.from && account.from <= endBytes;",
        replace: "headerBytes <= account.from && headerBytes <= endBytes;",
        killers: ["image file: an image fits only the log that it was made of, at that time or later"],
      },
      {
        id: "image-believed-though-the-log-is-another",
        in: "fits",
        find: "return isSame && probe(segment, account.from) === account.probe;",
        replace: "return isSame;",
        killers: ["image file: an image fits only the log that it was made of, at that time or later"],
      },
    ],
  },
];
