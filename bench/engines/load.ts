/**
 * Loads a package of the project that the peers are installed in. The names are no literals, so that nothing of this is
 * part of the repository's own graph of modules.
 *
 * @module
 */

import { createRequire } from "node:module";
import { join } from "node:path";

/** The package's exports, which the caller says the type of. */
export function loadPeer<T>(project: string, name: string): T {
  return createRequire(join(project, "package.json"))(name) as T;
}

/** Waits for a call that takes a callback. */
export function called<T = void>(start: (done: (error?: Error | null, result?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => start((error, result) => error ? reject(error) : resolve(result as T)));
}

/** Waits for many calls that take callbacks. */
export function calledMany(
  count: number,
  start: (index: number, done: (error?: Error | null) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = count;
    const done = (error?: Error | null) => {
      if (error) reject(error);
      else if (--left === 0) resolve();
    };
    for (let i = 0; i < count; i++) start(i, done);
  });
}

/** Behind all keys that begin with the prefix: keys are digits and small letters. */
export function endOf(prefix: string): string {
  return `${prefix}~`;
}
