/** The command as a real process, on a store of its own. */

import { assertEquals } from "@std/assert";
import { verifyStore } from "../../../mod.ts";
import { canStartProcesses } from "../../support/permissions.ts";

/** Where the command is. */
export const CLI: string = new URL("../../../cli.ts", import.meta.url).pathname;

/** How a process ended and what it printed. */
export interface Result {
  code: number;
  out: string;
  err: string;
  outBytes: Uint8Array;
}

/** A store's directory and the command to use it with. */
export class Shell {
  readonly root: string;
  readonly dir: string;

  constructor(root: string) {
    this.root = root;
    this.dir = `${root}/store`;
  }

  /** Starts the command; streams are piped. */
  start(args: string[], env: Record<string, string> = {}): Deno.ChildProcess {
    return this.command(args, env).spawn();
  }

  /** Runs the command to its end, with `input` on standard input. */
  async run(
    args: string[],
    input: string | Uint8Array = "",
    env: Record<string, string> = {},
    permissions: string[] = ["-A"],
  ): Promise<Result> {
    const child = this.command(args, env, permissions).spawn();
    const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
    const fed = feed(child.stdin, bytes);
    const { code, stdout, stderr } = await child.output();
    await fed;
    return { code, outBytes: stdout, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
  }

  /** Runs the command, which must succeed, and returns what it printed. */
  async ok(args: string[], input: string | Uint8Array = ""): Promise<string> {
    const { code, out, err } = await this.run(args, input);
    assertEquals({ code, err }, { code: 0, err: code === 0 ? err : "" }, `kvstore ${args.join(" ")}`);
    return out;
  }

  /** Writes a file beside the store and returns its path. */
  file(name: string, content: string | Uint8Array): string {
    const path = `${this.root}/${name}`;
    Deno.writeFileSync(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
    return path;
  }

  /** The command, not started yet. It runs beside its store: what lies in the clone is nothing to a test. */
  command(args: string[], env: Record<string, string> = {}, permissions: string[] = ["-A"]): Deno.Command {
    return new Deno.Command(Deno.execPath(), {
      args: ["run", ...permissions, "--no-check", CLI, ...args],
      cwd: this.root,
      env: { KVSTORE_DIR: this.dir, NO_COLOR: "", DENO_NO_UPDATE_CHECK: "1", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    });
  }
}

async function feed(stdin: WritableStream<Uint8Array>, bytes: Uint8Array): Promise<void> {
  const writer = stdin.getWriter();
  try {
    if (bytes.length > 0) await writer.write(bytes);
    await writer.close();
  } catch {
    // The process ended before it had read everything.
  }
}

/** A test of the command on a store that must be intact at the end. */
export function cliTest(name: string, test: (shell: Shell) => Promise<void>): void {
  Deno.test({
    name: `cli: ${name}`,
    ignore: !canStartProcesses,
    fn: async () => {
      const root = await Deno.makeTempDir({ prefix: "kvstore-cli-" });
      try {
        const shell = new Shell(root);
        await test(shell);
        if (exists(shell.dir)) assertEquals((await verifyStore(shell.dir)).problems, []);
      } finally {
        await Deno.remove(root, { recursive: true });
      }
    },
  });
}

/** Whether there is something at a path. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** The lines of an output. */
export function lines(text: string): string[] {
  return text.split("\n").slice(0, -1);
}
