/**
 * What a thing is, told by the thing itself and not by its class. Test runners, `node:vm` and frames give each realm
 * classes of its own, and an error or a Buffer of one realm is no instance of the classes of another.
 *
 * @module
 */

/** Of any typed array of any realm, the name of its kind; of anything else, `undefined`. */
const kindOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!;

/** Whether a thing is a `Uint8Array`; a `Buffer` is one. */
export function isBytes(thing: unknown): thing is Uint8Array {
  return kindOf.call(thing) === "Uint8Array";
}

/** Whether a thing is an error, or close enough to show to people. */
export function isError(thing: unknown): thing is Error {
  return typeof (thing as { message?: unknown } | null | undefined)?.message === "string";
}

/** What an error says; of anything else that was thrown, what it is as text. */
export function messageOf(error: unknown): string {
  return isError(error) ? error.message : String(error);
}

/** The code of an error of the operating system, such as `ENOENT`. */
export function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null | undefined)?.code;
}

/** The kind of a thing, for messages. */
export function describe(thing: unknown): string {
  if (thing === null || thing === undefined) return String(thing);
  if (typeof thing !== "object") return `a ${typeof thing}`;
  return `an instance of ${thing.constructor?.name ?? "something"}`;
}

/** Whether an error says that no stack was left for a call: then any call may have been cut off, also that of a clean-up. */
export function isStackOverflow(error: unknown): boolean {
  return isError(error) && error.name === "RangeError" && error.message.includes("call stack");
}
