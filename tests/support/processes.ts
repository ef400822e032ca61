/** Starting processes: to be killed, short of descriptors, on a file system of their own, as another user. */

import { fileURLToPath } from "node:url";
import { canStartProcesses } from "./permissions.ts";

/** How a process ended. */
export interface Ended {
  code: number;
  out: string;
  err: string;
}

/** The path of a file of the repository. */
export function pathOf(file: string): string {
  return fileURLToPath(new URL(`../../${file}`, import.meta.url));
}

/** The command line of `kvstore`, for the store in a directory. */
export function kvstore(directory: string, args: string[], permissions: string[] = ["-A"]): string[] {
  return denoRun("cli.ts", ["--dir", directory, ...args], permissions);
}

/** The command line of a script of the repository, in Deno. */
export function denoRun(script: string, args: string[], permissions: string[] = ["-A"]): string[] {
  return [Deno.execPath(), "run", "--quiet", "--no-check", "--no-prompt", ...permissions, pathOf(script), ...args];
}

/** Runs a command to its end, by default with nothing on standard input. */
export async function run(command: string[], input?: string): Promise<Ended> {
  const child = start(command, input === undefined ? "null" : "piped");
  const fed = input === undefined ? undefined : feed(child.stdin, input);
  const { code, stdout, stderr } = await child.output();
  await fed;
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

/** Starts a command and kills it after so many milliseconds. Returns its output, and whether the kill came in time. */
export async function runAndKill(command: string[], afterMs: number): Promise<Ended & { killed: boolean }> {
  const child = start(command, "null");
  const timer = setTimeout(() => {
    try {
      child.kill("SIGKILL");
    } catch (error) {
      // It has ended by itself, and we have not been told yet.
      if (!(error instanceof TypeError)) throw error;
    }
  }, afterMs);
  const { code, signal, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)) as [string, string];
  return { code, out, err, killed: signal === "SIGKILL" };
}

/** A command under a limit on open files, which the runtimes cannot raise. */
export function withDescriptors(limit: number, command: string[]): string[] {
  return ["sh", "-c", `ulimit -n ${limit}; exec "$@"`, "sh", ...command];
}

/** A command in a mount namespace of its own, after the shell commands `mount`; whatever they mount ends with it. */
export function mounted(mount: string, command: string[]): string[] {
  return ["unshare", isRoot() ? "-m" : "-rm", "sh", "-c", `${mount} && exec "$@"`, "sh", ...command];
}

/** A command as a user that is not root: whom modes concern. */
export function unprivileged(command: string[]): string[] {
  return isRoot() ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", ...command] : command;
}

/** Whether we are root. */
export function isRoot(): boolean {
  return Deno.uid() === 0;
}

/** Why a command cannot be run on this machine; `undefined` if it can. */
async function obstacle(command: string[]): Promise<string | undefined> {
  try {
    const { code, err } = await run(command);
    return code === 0 ? undefined : err.trim().split("\n")[0] || `status ${code}`;
  } catch (error) {
    return (error as Error).message;
  }
}

/** What a test needs of the machine: shown when it is missing, and a command that must succeed if it is there. */
export interface Need {
  what: string;
  command: () => string[];
}

/** A test in a directory of its own, which goes away with it; skipped with a line where the machine cannot do it. */
export async function processTest(name: string, test: (root: string) => Promise<void>, need?: Need): Promise<void> {
  const missing = canStartProcesses && need !== undefined ? await obstacle(need.command()) : undefined;
  if (missing !== undefined) console.log(`skipped: "${name}" needs ${need!.what}: ${missing}`);
  Deno.test({
    name: `process: ${name}`,
    ignore: !canStartProcesses || missing !== undefined,
    fn: async () => {
      const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "kvstore-process-" }));
      try {
        // Other users have to get as far as the store.
        await Deno.chmod(root, 0o755);
        await test(root);
      } finally {
        await Deno.remove(root, { recursive: true });
      }
    },
  });
}

function start(command: string[], stdin: "null" | "piped"): Deno.ChildProcess {
  const env = { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
  const [program, ...args] = command;
  return new Deno.Command(program!, { args, env, stdin, stdout: "piped", stderr: "piped" }).spawn();
}

async function feed(stdin: WritableStream<Uint8Array>, input: string): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  } catch {
    // The process ended before it had read everything.
  }
}
