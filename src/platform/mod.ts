/**
 * The platform of the runtime this runs in.
 *
 * @module
 */

import process from "node:process";
import { denoPlatform } from "./deno.ts";
import { nodePlatform } from "./node.ts";
import type { Platform } from "./types.ts";

/**
 * Deno's own files under Deno, `node:fs` elsewhere. Both are imported, as neither does anything until it is called:
 * so nothing has to be awaited or replaced when the package is built for npm.
 */
export const platform: Platform = process.versions.deno === undefined ? nodePlatform : denoPlatform;
