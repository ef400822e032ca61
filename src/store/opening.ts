/**
 * Supplies the engine with what the features do when a store is opened.
 *
 * @module
 */
import { checkAge, unlistedSegments } from "./strays.ts";
import type { OpeningParts } from "../engine/interfaces.ts";
import type { Manifest } from "../engine/manifest.ts";
import { IMAGE_FORMER, IMAGE_TEMPORARY } from "../image/image.ts";
import { openIndex } from "../image/open_index.ts";
import { RESERVE_TEMPORARY } from "../platform/reserve.ts";
import type { Platform } from "../platform/types.ts";

/** Finds files that a crash may have left. See `OpeningParts`. */
function findLeftovers(platform: Platform, directory: string, manifest: Manifest): string[] {
  const unlisted = unlistedSegments(platform, directory, manifest);
  checkAge(platform, directory, manifest, unlisted);
  return [IMAGE_TEMPORARY, IMAGE_FORMER, RESERVE_TEMPORARY, ...unlisted];
}

/** What the engine calls when it opens a store. */
export const OPENING: OpeningParts = { openIndex, findLeftovers };
