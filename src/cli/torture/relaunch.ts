/**
 * Starts the command line again as another process, in the way in which it was started itself.
 *
 * @module
 */

import process from "node:process";

/** How this process was started, as far as it is known. */
export interface Start {
  /** The program of this process. */
  program: string;
  /** The program's own options, as far as the runtime tells. */
  programArgs: readonly string[];
  isDeno: boolean;
  /** The file that was run. Deno makes up a name if it was no file. */
  script: string | undefined;
  /** The URL of this module, from a stack trace. */
  module: string | undefined;
}

/** Finds out how this process was started. */
export function startOfProcess(): Start {
  return {
    program: process.execPath,
    programArgs: process.execArgv,
    isDeno: process.versions.deno !== undefined,
    script: process.argv[1],
    // Unlike `import.meta.url`, this survives the build for npm.
    module: /\b(https?:\/\/[^\s)]+?)(?::\d+){1,2}\)?$/m.exec(new Error().stack ?? "")?.[1],
  };
}

/**
 * Returns the program and the arguments that start the command line again, with permission for `directory` only. The
 * command comes after them. Returns `undefined` if they are unknown.
 */
export function commandAgain(start: Start, directory: string): [program: string, args: string[]] | undefined {
  const { program, programArgs, isDeno, script } = start;
  if (!isDeno) return script === undefined ? undefined : [program, [...programArgs, script]];
  const main = script?.includes("$deno$") ? remoteMain(start.module) : script;
  if (main === undefined) return undefined;
  // A comma separates paths; two commas stand for one.
  const path = directory.replaceAll(",", ",,");
  const permissions = ["--no-prompt", "--allow-env", `--allow-read=${path}`, `--allow-write=${path}`];
  return [program, ["run", "--quiet", ...permissions, main]];
}

/** Returns the entry point of a package that was not run from a file. On JSR it has a name. */
function remoteMain(module: string | undefined): string | undefined {
  if (module === undefined) return undefined;
  const main = new URL("../../../cli.ts", module).href;
  const [, name, version] = /^https:\/\/jsr\.io\/(@[^/]+\/[^/]+)\/([^/]+)\/cli\.ts$/.exec(main) ?? [];
  return name === undefined ? main : `jsr:${name}@${version}/cli`;
}
