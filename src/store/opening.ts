/**
 * What the features contribute to opening a store.
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

/** The files that a crash has left. See `OpeningParts`. */
function findLeftovers(platform: Platform, directory: string, manifest: Manifest): string[] {
  const unlisted = unlistedSegments(platform, directory, manifest);
  checkAge(platform, directory, manifest, unlisted);
  return [IMAGE_TEMPORARY, IMAGE_FORMER, RESERVE_TEMPORARY, ...unlisted];
}

/** How stores are opened. */
export const OPENING: OpeningParts = { openIndex, findLeftovers };
