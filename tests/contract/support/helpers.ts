/**
 * Small things that the cases share.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { type ErrorCode, type Key, type KvStore, KvStoreError, type Reader, type Value } from "../../../mod.ts";
import type { Context } from "./context.ts";

/** No compaction but that which a case asks for. */
export const MANUAL = { compaction: { auto: false } };
/** The smallest segments there are, and no compaction but that which a case asks for. */
export const SMALL = { segmentBytes: 4096, compaction: { auto: false } };

/** Bytes from numbers, or from text as UTF-8. */
export function bytes(...from: number[] | [string]): Uint8Array {
  return typeof from[0] === "string" ? new TextEncoder().encode(from[0]) : Uint8Array.from(from as number[]);
}

/** Keys and values of a store or snapshot, in order. */
export function contents(reader: Reader): [Key, Value][] {
  return [...reader.entries()];
}

/** Waits for that many turns of the event loop, timers and immediates. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setTimeout(() => setImmediate(resolve), 0));
}

/** Waits until something holds; fails after ten seconds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + 10_000; !holds();) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
    await turns(1);
  }
}

/** The promise must reject with that code. */
export async function assertCode(promise: Promise<unknown>, code: ErrorCode): Promise<KvStoreError> {
  return withCode(await assertRejects(() => promise), code);
}

/** The action must throw with that code. */
export function assertThrowsCode(action: () => unknown, code: ErrorCode): KvStoreError {
  return withCode(assertThrows(action), code);
}

/** The error may be of another copy of the package: the npm package is tested beside modules that it does not export. */
function withCode(error: unknown, code: ErrorCode): KvStoreError {
  assert(KvStoreError.is(error), String(error));
  assertEquals(error.code, code, error.message);
  return error;
}

/** The call must return a promise, whatever is wrong with it, and that must reject with such an error. */
export async function assertRefused(
  call: () => Promise<unknown>,
  type: typeof TypeError | typeof RangeError,
  message = "",
): Promise<void> {
  const promise = call();
  assertInstanceOf(promise, Promise);
  await assertRejects(() => promise, type as typeof Error, message);
}

/** What became of each promise: "done", or the code or name of its error. */
export async function outcomes(promises: Promise<unknown>[]): Promise<string[]> {
  return (await Promise.allSettled(promises)).map((result) => {
    if (result.status === "fulfilled") return "done";
    return result.reason instanceof KvStoreError ? result.reason.code : String(result.reason?.name);
  });
}

/** A text of so many characters that differs from others by its name. */
export function text(name: string, length: number): string {
  return name.repeat(Math.ceil(length / name.length)).slice(0, length);
}

/** Where the last occurrence of a text lies in the store's segments. */
export function locate(context: Context, wanted: string): { name: string; offset: number } {
  for (const name of context.segments().reverse()) {
    const content = new TextDecoder("latin1").decode(context.readFile(name));
    const offset = content.lastIndexOf(wanted);
    if (offset >= 0) return { name, offset };
  }
  throw new Error(`no segment holds ${wanted}`);
}

/** Flips a bit of the last occurrence of a text on the disk. Returns what flips it back. */
export function damage(context: Context, wanted: string): () => void {
  const { name, offset } = locate(context, wanted);
  return flip(context, name, offset);
}

/** Flips a bit. Returns what flips it back. */
export function flip(context: Context, name: string, offset: number): () => void {
  const byte = context.readFile(name)[offset]!;
  context.overwrite(name, offset, bytes(byte ^ 1));
  return () => context.overwrite(name, offset, bytes(byte));
}

/** Makes every write to a segment fail, until the hook is taken off. */
export function failWrites(context: Context): void {
  context.platform.onOperation = ({ kind, path }) => {
    if (kind === "write" && path.endsWith(".seg")) throw new Error("no space left");
  };
}

/** Makes every sync of a segment fail, until the hook is taken off. */
export function failSyncs(context: Context): void {
  context.platform.onOperation = ({ kind, path }) => {
    if (kind === "sync" && path.endsWith(".seg")) throw new Error("input/output error");
  };
}

/** Makes all operations go well again. */
export function heal(context: Context): void {
  context.platform.onOperation = undefined;
}

/** Holds all syncs back; returns what lets them go on, or fail with an error. */
export function holdSyncs(context: Context): (error?: Error) => void {
  // By hand, as Node 20 has no Promise.withResolvers.
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((...ends) => [resolve, reject] = ends);
  promise.catch(() => {});
  context.platform.syncGate = promise;
  return (error) => {
    context.platform.syncGate = undefined;
    if (error === undefined) resolve();
    else reject(error);
  };
}

/** Writes as many keys as it takes to fill several segments of 4 KiB. */
export async function fill(store: KvStore, count: number, value: string = "v".repeat(100)): Promise<void> {
  const writes: Promise<void>[] = [];
  for (let i = 0; i < count; i++) writes.push(store.set(`key ${String(i).padStart(5, "0")}`, value));
  await Promise.all(writes);
}
