/**
 * Opening for reading: a log and its index, without changing anything.
 *
 * @module
 */
import { Log, type LogPlace } from "../engine/log.ts";
import { readManifest } from "../engine/manifest.ts";
import { type Opened, recoveryOf } from "../engine/open.ts";
import { openSegments } from "../engine/segment_file.ts";
import { findTail } from "../engine/recovery.ts";
import type { Platform } from "../platform/types.ts";
import { manifestOf } from "../store/directory.ts";
import { OPENING } from "../store/opening.ts";
import { missingFile } from "../store/strays.ts";

/** How often a reader starts over because the writer replaced files under its hands. */
const MAX_READER_TRIES = 100;

/** The place of a reader's log. */
export function placeOf(platform: Platform, directory: string): LogPlace {
  return { platform, directory, lock: undefined, missing: (number) => missingFile(platform, directory, number) };
}

/** Opens a store for reading; a writer may be at work meanwhile. */
export function openReader(platform: Platform, directory: string): Opened {
  for (let tries = 1;; tries++) {
    const manifest = manifestOf(platform, directory, false);
    const place = placeOf(platform, directory);
    let log: Log | undefined;
    try {
      OPENING.findLeftovers(platform, directory, manifest);
      log = new Log(place, manifest, openSegments(place, manifest));
      const last = log.active;
      const tail = last === undefined || manifest.clean ? undefined : findTail(last, manifest.mark.offset);
      if (last !== undefined && tail !== undefined) {
        last.endBytes = tail.endBytes;
        log.synced(tail.markBytes);
      }
      return { log, manifest, ...OPENING.openIndex(log, manifest), recovery: recoveryOf(manifest, last, tail) };
    } catch (error) {
      log?.closeFiles();
      const isNew = readManifest(platform, directory)?.generation !== manifest.generation;
      if (!isNew || tries === MAX_READER_TRIES) throw error;
    }
  }
}
