/**
 * The error for a resource that is closed.
 *
 * @module
 */

import process from "node:process";

/** The part of `Deno` that is used here: see deno.ts. */
declare const Deno: { errors: { BadResource: new (message: string) => Error } };

/** Makes the error: Deno's own on Deno, and one of the same name elsewhere. */
export function badResource(): Error {
  const message = "Bad resource ID";
  if (process.versions.deno !== undefined) return new Deno.errors.BadResource(message);
  return Object.assign(new Error(message), { name: "BadResource" });
}
