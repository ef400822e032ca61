/**
 * Picks the platform for the runtime that the package is loaded in.
 *
 * @module
 */

import process from "node:process";
import { denoPlatform } from "./deno.ts";
import { nodePlatform } from "./node.ts";
import type { Platform } from "./types.ts";

/**
 * The platform for Deno under Deno, and the one for Node elsewhere. Both are imported statically, as neither does
 * anything until it is called: the npm build needs no top-level await and replaces no module.
 */
export const platform: Platform = process.versions.deno === undefined ? nodePlatform : denoPlatform;
