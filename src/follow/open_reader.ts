/**
 * Opening for reading: a log and its index, without changing anything.
 *
 * @module
 */
import { Log, type LogPlace } from "../engine/log.ts";
import { type Opened, recoverLast } from "../engine/open.ts";
import { openSegments } from "../engine/segment_file.ts";
import type { Platform } from "../platform/types.ts";
import { manifestOf } from "../store/directory.ts";
import { OPENING } from "../store/opening.ts";
import { missingFile } from "../store/strays.ts";
import { checkFloor } from "./floor.ts";
import { Tries } from "./tries.ts";

/** The place of a reader's log. */
export function placeOf(platform: Platform, directory: string): LogPlace {
  return { platform, directory, lock: undefined, missing: (number) => missingFile(platform, directory, number) };
}

/** Opens a store for reading; a writer may be at work meanwhile. */
export function openReader(platform: Platform, directory: string): Opened {
  const tries = new Tries(platform, directory);
  for (;;) {
    const manifest = manifestOf(platform, directory);
    const place = placeOf(platform, directory);
    let log: Log | undefined;
    try {
      log = new Log(place, manifest, openSegments(place, manifest));
      OPENING.findLeftovers(log, manifest);
      const recovery = OPENING.report(manifest, recoverLast(log, manifest));
      checkFloor(platform, directory, manifest);
      return { log, manifest, ...OPENING.openIndex(log, manifest), recovery };
    } catch (error) {
      log?.closeFiles();
      if (!tries.again(manifest.generation)) throw error;
    }
  }
}
