/**
 * Opening for reading: a log and its index, without changing anything.
 *
 * @module
 */
import { Log } from "../engine/log.ts";
import { readManifest } from "../engine/manifest.ts";
import { type Opened, openSegments, recoveryOf } from "../engine/open.ts";
import { findTail } from "../engine/recovery.ts";
import type { Platform } from "../platform/types.ts";
import { manifestOf } from "../store/directory.ts";
import { OPENING } from "../store/opening.ts";

/** How often a reader starts over because the writer replaced files under its hands. */
const MAX_READER_TRIES = 100;

/** Opens a store for reading; a writer may be at work meanwhile. */
export function openReader(platform: Platform, directory: string): Opened {
  for (let tries = 1;; tries++) {
    const manifest = manifestOf(platform, directory, false);
    const log = new Log({ platform, directory, lock: undefined }, manifest);
    try {
      OPENING.findLeftovers(platform, directory, manifest);
      const last = openSegments(log, manifest);
      const tail = last === undefined || manifest.clean ? undefined : findTail(last, manifest.mark.offset);
      if (last !== undefined && tail !== undefined) last.endBytes = tail.endBytes;
      log.syncedBytes = tail?.markBytes ?? last?.endBytes ?? 0;
      return { log, manifest, ...OPENING.openIndex(log, manifest), recovery: recoveryOf(manifest, last, tail) };
    } catch (error) {
      log.closeFiles();
      const isNew = readManifest(platform, directory)?.generation !== manifest.generation;
      if (!isNew || tries === MAX_READER_TRIES) throw error;
    }
  }
}
