/**
 * A store whose parts a test puts together by itself, to compact what it wants.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { noteCurrent } from "../../src/engine/droppable.ts";
import { KIND, type Kind } from "../../src/engine/record.ts";
import type { Segment } from "../../src/engine/segment.ts";
import type { Lock } from "../../src/platform/types.ts";
import { OpenStore } from "../../src/store/open_store.ts";
import { manifestOf } from "../../src/store/directory.ts";
import { OPENING } from "../../src/store/opening.ts";
import { openWriter } from "../../src/engine/open.ts";
import { verifyOn } from "../../src/check/verify.ts";
import { MemoryPlatform } from "./memory_platform.ts";
import { utf8 } from "./records.ts";

/** A store without its outer shell, so that a test says itself what is compacted, and when. */
export class Harness {
  readonly engine: OpenStore;
  /** Called when the copy of a compaction is durable, before it waits for the log: before every wait for a sync. */
  onCopied: () => void = () => {};
  /** Called when a copy counts instead of these segments. */
  onRetired: (segments: Segment[]) => void = () => {};

  constructor(readonly platform: MemoryPlatform = newPlatform()) {
    const lock = platform.lock("/s/LOCK", "") as Lock;
    const opened = openWriter({ platform, directory: "/s", lock }, manifestOf(platform, "/s", lock), OPENING);
    const engine = new OpenStore(opened, { segmentBytes: 1 << 20, cacheBytes: 0 }, () => {});
    const writer = engine.writer!;
    const reached = writer.reached.bind(writer);
    writer.reached = (durability) => {
      this.onCopied();
      return reached(durability);
    };
    const retire = engine.retire.bind(engine);
    engine.retire = (segments) => {
      this.onRetired(segments);
      retire(segments);
    };
    this.engine = engine;
  }

  write(kind: Kind, key: string, value = "", expiresAt = 0): void {
    const bytes = utf8(key);
    const typed = { bytes, start: 0, length: bytes.length, isString: true };
    this.engine.beginWrite();
    if (kind === KIND.set) this.engine.stageSet(typed, { type: 1, data: value }, expiresAt);
    else if (kind === KIND.delete) this.engine.stageDelete(typed);
    else this.engine.stageClear();
    this.engine.writer!.publish();
  }

  set(key: string, value: string): void {
    this.write(KIND.set, key, value);
  }

  delete(key: string): void {
    this.write(KIND.delete, key);
  }

  get(key: string): unknown {
    const encoded = this.engine.key.encode(key);
    const place = this.engine.find(encoded);
    return place === undefined ? undefined : this.engine.read(place, encoded);
  }

  /** Ends the segment that is being written and returns it. */
  seal(): Segment {
    const { active } = this.engine.log;
    this.engine.writer!.rotate();
    this.engine.writer!.write();
    return active!;
  }

  /** A store opened on what is on the disk, after a power cut. */
  reopen(): Harness {
    return new Harness(this.platform.image());
  }

  async verify(): Promise<void> {
    await this.engine.writer!.reached("sync");
    assertEquals((await verifyOn(this.platform.image(), "/s", {})).problems, []);
  }
}

export function newPlatform(): MemoryPlatform {
  const platform = new MemoryPlatform();
  platform.writeFile("/s/NOTE", new Uint8Array(1));
  return platform;
}

/** The numbers of the segments that count. */
export function listed({ engine }: Harness): number[] {
  return [...engine.log.segments.keys()].sort((a, b) => a - b);
}

/** Brings up to date what is known of the segments, as comes before every choice. */
export function note({ engine }: Harness): void {
  engine.expire();
  engine.countExpired();
  noteCurrent(engine.log.segments.values(), engine.log.nextSequence - 1);
}
