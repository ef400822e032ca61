/**
 * Watches what an action asks for: the largest typed array, and the bytes read. Hostile files may ask for no more than
 * their own sizes warrant.
 *
 * @module
 */
import type { MemoryPlatform } from "../../support/memory_platform.ts";

const WATCHED = ["ArrayBuffer", "Uint8Array", "Uint32Array", "Float64Array"] as const;
/** What would be larger is not even tried: the machine of whoever runs the tests is not to be brought down. */
const REFUSED_BYTES = 2 ** 29;

/** What was asked for. */
export interface Measured {
  /** Bytes of the largest typed array. */
  largestBytes: number;
  /** Bytes of all reads. */
  readBytes: number;
  /** Milliseconds. */
  elapsedMs: number;
}

/** Runs an action on a platform and says what it asked for. Other work at the same time is counted, too. */
export async function measured(platform: MemoryPlatform, action: () => Promise<void>): Promise<Measured> {
  const found: Measured = { largestBytes: 0, readBytes: 0, elapsedMs: 0 };
  const note = (bytes: number) => {
    found.largestBytes = Math.max(found.largestBytes, bytes);
    if (bytes > REFUSED_BYTES) throw new Error(`an array of ${bytes} bytes was asked for`);
  };
  const globals = globalThis as unknown as Record<string, new (...args: unknown[]) => object>;
  const originals = WATCHED.map((name) => [name, globals[name]!] as const);
  for (const [name, original] of originals) {
    const elementBytes = (original as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
    globals[name] = new Proxy(original, {
      construct(target, args, newTarget) {
        if (typeof args[0] === "number") note(args[0] * elementBytes);
        return Reflect.construct(target, args, newTarget);
      },
    });
  }
  platform.onOperation = ({ kind, bytes = 0 }) => {
    if (kind === "read") found.readBytes += bytes;
  };
  const start = performance.now();
  try {
    await action();
  } finally {
    for (const [name, original] of originals) globals[name] = original;
    platform.onOperation = undefined;
    found.elapsedMs = performance.now() - start;
  }
  return found;
}
