/**
 * Tells what a value is without `instanceof`. Test runners, `node:vm` and frames give each realm classes of its own, so
 * an error or a `Buffer` of one realm is not an instance of another realm's classes.
 *
 * @module
 */

/** Returns the name of a typed array's class, such as `Uint8Array`, in any realm; `undefined` for other values. */
const kindOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!;

/** Whether a value is a `Uint8Array`, which includes every `Buffer`. */
export function isBytes(thing: unknown): thing is Uint8Array {
  return kindOf.call(thing) === "Uint8Array";
}

/** Whether a value is an error, or at least has a `message` to show to people. */
export function isError(thing: unknown): thing is Error {
  return typeof (thing as { message?: unknown } | null | undefined)?.message === "string";
}

/** The message of an error. Other values that were thrown are converted to a string. */
export function messageOf(error: unknown): string {
  return isError(error) ? error.message : String(error);
}

/** The `code` of an error, such as `ENOENT` for one of the operating system. */
export function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null | undefined)?.code;
}

/** Describes the kind of a value for messages, such as `a number` or `an instance of Map`. */
export function describe(thing: unknown): string {
  if (thing === null || thing === undefined) return String(thing);
  if (typeof thing !== "object") return `a ${typeof thing}`;
  return `an instance of ${thing.constructor?.name ?? "something"}`;
}

/** Whether an error is a stack overflow. It may have cut off any call, even one that cleans up. */
export function isStackOverflow(error: unknown): boolean {
  return isError(error) && error.name === "RangeError" && error.message.includes("call stack");
}

/** The depth of calls that writing to the disk needs, with room to spare. */
const NEEDED_CALLS = 200;

/**
 * Throws a stack overflow now if there is too little stack for work that must not be cut off. Returns the depth, so
 * that no runtime can replace the calls by a loop.
 */
export function needStack(calls: number = NEEDED_CALLS): number {
  return calls === 0 ? 0 : 1 + needStack(calls - 1);
}
