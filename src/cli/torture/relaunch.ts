/**
 * Starting the command line again as another process, in whatever way it was started itself.
 *
 * @module
 */

import process from "node:process";

/** What is known of how this process was started. */
export interface Start {
  /** The program of this process. */
  program: string;
  /** Its own options, as far as the runtime tells. */
  programArgs: readonly string[];
  isDeno: boolean;
  /** The file that was run; Deno makes a name up where it was no file. */
  script: string | undefined;
  /** Where this module came from, as a stack trace tells. */
  module: string | undefined;
}

/** How this process was started. */
export function startOfProcess(): Start {
  return {
    program: process.execPath,
    programArgs: process.execArgv,
    isDeno: process.versions.deno !== undefined,
    script: process.argv[1],
    // The one way to learn it that survives the build for npm.
    module: /\b(https?:\/\/[^\s)]+?)(?::\d+){1,2}\)?$/m.exec(new Error().stack ?? "")?.[1],
  };
}

/**
 * The program and the arguments that start the command line again, with permission for `directory` alone; what the
 * command line is to do comes behind them. `undefined` where it cannot be told.
 */
export function commandAgain(start: Start, directory: string): [program: string, args: string[]] | undefined {
  const { program, programArgs, isDeno, script } = start;
  if (!isDeno) return script === undefined ? undefined : [program, [...programArgs, script]];
  const main = script?.includes("$deno$") ? remoteMain(start.module) : script;
  if (main === undefined) return undefined;
  // A comma parts paths, two are one.
  const path = directory.replaceAll(",", ",,");
  const permissions = ["--no-prompt", "--allow-env", `--allow-read=${path}`, `--allow-write=${path}`];
  return [program, ["run", "--quiet", ...permissions, main]];
}

/** The entry point of a package that was not run from a file: on JSR by its name there. */
function remoteMain(module: string | undefined): string | undefined {
  if (module === undefined) return undefined;
  const main = new URL("../../../cli.ts", module).href;
  const [, name, version] = /^https:\/\/jsr\.io\/(@[^/]+\/[^/]+)\/([^/]+)\/cli\.ts$/.exec(main) ?? [];
  return name === undefined ? main : `jsr:${name}@${version}/cli`;
}
