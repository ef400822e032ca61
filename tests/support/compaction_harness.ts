/**
 * A store whose parts a test puts together by itself, to compact what it wants.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { noteClean } from "../../src/engine/choose.ts";
import { flagsOf, KIND, type Kind } from "../../src/engine/record.ts";
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
  readonly core: OpenStore;
  /** Called when the copy of a compaction is durable, before it waits for the log: before every wait for a sync. */
  onCopied: () => void = () => {};
  /** Called when a copy counts instead of these segments. */
  onRetired: (segments: Segment[]) => void = () => {};

  constructor(readonly platform: MemoryPlatform = newPlatform()) {
    const lock = platform.lock("/s/LOCK", "") as Lock;
    const opened = openWriter(platform, "/s", manifestOf(platform, "/s", true), lock, OPENING);
    const core = new OpenStore(opened, { segmentBytes: 1 << 20, cacheBytes: 0 }, () => {});
    const writer = core.writer!;
    const reached = writer.reached.bind(writer);
    writer.reached = (durability) => {
      this.onCopied();
      return reached(durability);
    };
    const retire = core.retire.bind(core);
    core.retire = (segments) => {
      this.onRetired(segments);
      retire(segments);
    };
    this.core = core;
  }

  write(kind: Kind, key: string, value = "", expiresAt = 0): void {
    const bytes = utf8(key);
    this.core.writable().tail.stage(
      kind,
      flagsOf(true, 1),
      { bytes, start: 0, length: bytes.length },
      value,
      expiresAt,
    );
    this.core.writer!.publish();
  }

  set(key: string, value: string): void {
    this.write(KIND.set, key, value);
  }

  delete(key: string): void {
    this.write(KIND.delete, key);
  }

  get(key: string): unknown {
    this.core.key.encode(key);
    const place = this.core.find();
    return place === undefined ? undefined : this.core.read(place, this.core.key);
  }

  /** Ends the segment that is being written and returns it. */
  seal(): Segment {
    const { active } = this.core.log;
    this.core.writer!.rotate();
    return active!;
  }

  /** A store opened on what is on the disk, after a power cut. */
  reopen(): Harness {
    return new Harness(this.platform.image());
  }

  async verify(): Promise<void> {
    await this.core.writer!.reached("sync");
    assertEquals((await verifyOn(this.platform.image(), "/s", {})).problems, []);
  }
}

export function newPlatform(): MemoryPlatform {
  const platform = new MemoryPlatform();
  platform.writeFile("/s/NOTE", new Uint8Array(1));
  return platform;
}

/** The numbers of the segments that count. */
export function listed({ core }: Harness): number[] {
  return [...core.log.segments.keys()].sort((a, b) => a - b);
}

/** Brings up to date what is known of the segments, as comes before every choice. */
export function note({ core }: Harness): void {
  core.expire();
  core.countExpired();
  noteClean(core.log.segments.values(), core.log.nextSequence - 1);
}
