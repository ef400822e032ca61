/**
 * Starting other programs: with what they said, with a limit of time, and npm without anything of the user's but the
 * settings.
 *
 * @module
 */

import { delimiter } from "node:path";

/** How a program is started. */
export interface RunOptions {
  /** Where it runs. */
  cwd?: string;
  /** Beside this process's own environment. */
  env?: Record<string, string>;
  /** It is killed then (default: two minutes). */
  limitMilliseconds?: number;
}

/** What became of a program. */
export interface Ran {
  /** Exit status. */
  code: number;
  /** Standard output. */
  stdout: string;
  /** Standard error. */
  stderr: string;
}

const LIMIT_MILLISECONDS = 120_000;

/** Runs a program to its end. */
export async function run(program: string, args: string[], options: RunOptions = {}): Promise<Ran> {
  const { cwd, env = {}, limitMilliseconds = LIMIT_MILLISECONDS } = options;
  const child = new Deno.Command(program, {
    args,
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...environment(), ...env },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), limitMilliseconds);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs a program that must succeed; returns its standard output. */
export async function runOk(program: string, args: string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, options);
  if (code === 0) return stdout;
  throw new Error(`${program} ${args.join(" ")} ended with ${code}:\n${stdout}${stderr}`);
}

/** Does the same for many things, two at a time: much of what is done here is waiting for the disk. */
export async function twoAtATime<T>(things: T[], action: (thing: T) => Promise<void>): Promise<void> {
  const queue = [...things];
  const work = async () => {
    for (let thing = queue.shift(); thing !== undefined; thing = queue.shift()) await action(thing);
  };
  await Promise.all([work(), work()]);
}

/** Runs npm. Its cache is ours, too: nothing outside of our folders changes. */
export async function npm(args: string[], cwd: string, cache: string, options: RunOptions = {}): Promise<string> {
  const [program, ...before] = Deno.build.os === "windows" ? ["cmd", "/c", "npm"] : ["npm"];
  const env = { ...npmEnvironment(cache), ...options.env };
  return await runOk(program!, [...before, ...args], { cwd, limitMilliseconds: 600_000, ...options, env });
}

/** What npm is told by way of the environment. */
export function npmEnvironment(cache: string): Record<string, string> {
  return {
    npm_config_cache: cache,
    // what was downloaded once does for all runs
    npm_config_prefer_offline: "true",
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_update_notifier: "false",
    npm_config_loglevel: "error",
  };
}

/** An environment in which a program of this folder is found first. */
export function withPath(folder: string): Record<string, string> {
  return { PATH: `${folder}${delimiter}${Deno.env.get("PATH") ?? ""}` };
}

/**
 * This process's environment without what npm tells the scripts that it starts: in `npx deno task`, an inner npm would
 * take the folder of the outer one for its own.
 */
function environment(): Record<string, string> {
  const told = /^npm_(package|lifecycle|config_local_prefix|config_prefix|config_global_prefix|command|execpath)/;
  const all = Object.entries(Deno.env.toObject()).filter(([name]) => !told.test(name));
  return { ...Object.fromEntries(all), NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
}
