/**
 * Runs the checks that are our own: import directions, realms, parsers, sizes, files of tests, publish list.
 *
 * @module
 */

import { join } from "node:path";
import config from "../deno.json" with { type: "json" };
import { checkImports } from "./checks/imports.ts";
import { checkParsers } from "./checks/parsers.ts";
import { checkPublishList } from "./checks/publish_list.ts";
import { checkRealms } from "./checks/realms.ts";
import { checkSizes, folderLines } from "./checks/sizes.ts";
import { checkTestFiles } from "./checks/test_files.ts";
import { listFiles, ROOT } from "./repository.ts";

const paths = await listFiles(ROOT);
const files = paths.filter((path) => path.endsWith(".ts"))
  .map((path) => ({ path, text: Deno.readTextFileSync(join(ROOT, path)) }));

const findings = [
  ...checkImports(files),
  ...checkRealms(files),
  ...checkParsers(files),
  ...checkSizes(files),
  ...checkTestFiles(files),
  ...checkPublishList(config.publish, paths),
];
for (const { path, line, message } of findings) console.log(`${path}:${line}: ${message}`);
console.log(
  `${files.length} files, ${folderLines(files, "src/engine/")} lines in src/engine, ${findings.length} findings`,
);
if (findings.length > 0) Deno.exitCode = 1;
