/** The suite of abstract-level over `KvLevel`, as TAP on standard output: `level_suite.ts FOLDER`. */

import suite from "abstract-level/test/index.js";
import { join } from "node:path";
import process from "node:process";
import test from "tape";
import { KvLevel, type KvLevelOptions } from "../../../src/adapters/level.ts";

const folder = process.argv[2]!;
let databases = 0;

suite({
  test,
  // Each database has to be a new one, and has to be alone.
  factory: (options?: KvLevelOptions) => new KvLevel(join(folder, String(++databases)), options),
});
