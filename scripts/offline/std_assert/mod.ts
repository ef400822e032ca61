/**
 * Stand-in for `@std/assert`: the assertions that this repository's tests call, and nothing else.
 *
 * @module
 */

import { stripVTControlCharacters } from "node:util";
import { diff, format } from "./diff.ts";
import { equal } from "./equal.ts";

/** What every assertion throws. */
export class AssertionError extends Error {
  /** Always `"AssertionError"`. */
  override name = "AssertionError";
}

/** A class that errors may be instances of, abstract ones included. */
// deno-lint-ignore no-explicit-any
export type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

/** Values that count as false. */
export type Falsy = false | 0 | 0n | "" | null | undefined;

/** An array, typed array or the like; not a string. */
export type ArrayLikeArg<T> = ArrayLike<T> & object;

function suffix(msg: string | undefined): string {
  return msg ? `: ${msg}` : ".";
}

function different(title: string, actual: unknown, expected: unknown): AssertionError {
  const strings = typeof actual === "string" && typeof expected === "string";
  const [left, right] = strings ? [actual, expected] : [format(actual), format(expected)];
  return new AssertionError(`${title}\n\n${diff(left, right)}\n`);
}

/** Fails unless `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Fails if `expr` is truthy. */
export function assertFalse(expr: unknown, msg = ""): asserts expr is Falsy {
  if (expr) throw new AssertionError(msg);
}

/** Fails. */
export function fail(msg?: string): never {
  throw new AssertionError(`Failed assertion${suffix(msg)}`);
}

/** Fails unless the two are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) throw different(`Values are not equal${suffix(msg)}`, actual, expected);
}

/** Fails if the two are deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) return;
  throw new AssertionError(`Expected actual: ${format(actual)} not to be: ${format(expected)}${suffix(msg)}`);
}

/** Fails unless the two are the same by `Object.is`. */
export function assertStrictEquals<T>(actual: unknown, expected: T, msg?: string): asserts actual is T {
  if (!Object.is(actual, expected)) throw different(`Values are not strictly equal${suffix(msg)}`, actual, expected);
}

/** Fails if `actual` is `null` or `undefined`. */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  if (actual !== undefined && actual !== null) return;
  throw new AssertionError(`Expected actual: "${actual}" to not be null or undefined${suffix(msg)}`);
}

/** Fails unless `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (actual.includes(expected)) return;
  throw new AssertionError(`Expected actual: "${actual}" to contain: "${expected}"${suffix(msg)}`);
}

/** Fails unless every element of `expected` equals some element of `actual`. */
export function assertArrayIncludes<T>(actual: ArrayLikeArg<T>, expected: ArrayLikeArg<T>, msg?: string): void {
  const there = Array.from(actual);
  const missing = Array.from(expected).filter((wanted) => !there.some((element) => equal(element, wanted)));
  if (missing.length === 0) return;
  throw new AssertionError(
    `Expected actual: "${format(actual)}" to include: "${format(expected)}"${suffix(msg)}\nmissing: ${format(missing)}`,
  );
}

/** Fails unless the expression matches. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (expected.test(actual)) return;
  throw new AssertionError(`Expected actual: "${actual}" to match: "${expected}"${suffix(msg)}`);
}

/** Fails unless `actual` is an instance of the class. */
// deno-lint-ignore no-explicit-any
export function assertInstanceOf<T extends abstract new (...args: any[]) => any>(
  actual: unknown,
  expectedType: T,
  msg = "",
): asserts actual is InstanceType<T> {
  if (actual instanceof expectedType) return;
  const was = actual === null ? "null" : typeof actual === "object" ? actual.constructor?.name : typeof actual;
  throw new AssertionError(
    `Expected object to be an instance of "${expectedType.name}" but was "${was}"${suffix(msg)}`,
  );
}

/** Fails unless `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual > expected)) throw new AssertionError(msg ?? `Expect ${format(actual)} > ${format(expected)}`);
}

/** Fails unless `actual >= expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual >= expected)) throw new AssertionError(msg ?? `Expect ${format(actual)} >= ${format(expected)}`);
}

/** Fails unless `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual < expected)) throw new AssertionError(msg ?? `Expect ${format(actual)} < ${format(expected)}`);
}

/** Fails unless `actual <= expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual <= expected)) throw new AssertionError(msg ?? `Expect ${format(actual)} <= ${format(expected)}`);
}

/** Fails unless `fn` throws; with a class and a text, unless it throws an instance with that text in its message. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  classOrMsg?: ErrorClass<Error> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  const isMessage = typeof classOrMsg === "string";
  try {
    fn();
  } catch (error) {
    if (!isMessage && classOrMsg) checkError(error, classOrMsg, "thrown", { msgIncludes, msg });
    return error;
  }
  throw new AssertionError(`Expected function to throw${suffix(isMessage ? classOrMsg : msg)}`);
}

/** Fails unless the promise of `fn` rejects; further arguments as for `assertThrows`. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  classOrMsg?: ErrorClass<Error> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  const isMessage = typeof classOrMsg === "string";
  const wanted = suffix(isMessage ? classOrMsg : msg);
  let promise: PromiseLike<unknown> | undefined;
  try {
    promise = fn();
  } catch {
    // told below: a function that throws on the spot does not reject
  }
  if (typeof promise?.then !== "function") {
    throw new AssertionError(`Function throws when expected to reject${wanted}`);
  }
  try {
    await promise;
  } catch (error) {
    if (!isMessage && classOrMsg) checkError(error, classOrMsg, "rejected", { msgIncludes, msg });
    return error;
  }
  throw new AssertionError(`Expected function to reject${wanted}`);
}

interface ErrorWanted {
  msgIncludes: string | undefined;
  msg: string | undefined;
}

function checkError(error: unknown, type: ErrorClass<Error>, how: string, { msgIncludes, msg }: ErrorWanted): void {
  if (!(error instanceof Error)) throw new AssertionError(`A non-Error object was ${how}${suffix(msg)}`);
  if (!(error instanceof type)) {
    throw new AssertionError(
      `Expected error to be instance of "${type.name}", but was "${Object(error).constructor?.name}"${suffix(msg)}`,
    );
  }
  if (!msgIncludes || stripVTControlCharacters(error.message).includes(stripVTControlCharacters(msgIncludes))) return;
  throw new AssertionError(
    `Expected error message to include ${JSON.stringify(msgIncludes)}, but got ${JSON.stringify(error.message)}` +
      suffix(msg),
  );
}
