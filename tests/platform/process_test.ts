import { assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { denoPlatform } from "../../src/platform/deno.ts";
import { nodePlatform } from "../../src/platform/node.ts";
import { canStartProcesses } from "../support/permissions.ts";
import { platformModules, runtimes, stageModules } from "../support/javascript.ts";
import { assertRefused, assertTaken, checks } from "./support/suite.ts";

const isLinux = Deno.build.os === "linux";
const others = canStartProcesses ? runtimes() : new Map<string, string>();
if (canStartProcesses) console.log("platform tests run with Deno and:", [...others.keys()].join(" ") || "nothing else");

const peerModule = "tests/platform/support/peer";

/** How to start a module in a runtime, with permission to read and write `directory` and nothing else. */
function peerCommand(
  runtime: string,
  directory: string,
  args: string[],
  module: string = peerModule,
): [string, string[]] {
  if (runtime === "deno") {
    const peer = fileURLToPath(new URL(`../../${module}.ts`, import.meta.url));
    const permissions = [`--allow-read=${directory}`, `--allow-write=${directory}`, "--no-prompt"];
    return [Deno.execPath(), ["run", "--quiet", ...permissions, peer, ...args]];
  }
  const stage = `${directory}-stage`;
  const url = stageModules(platformModules(), stage);
  return [others.get(runtime) ?? runtime, [fileURLToPath(new URL(`${module}.js`, url)), ...args]];
}

class Peer {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter;
  /** What it said about the lock. */
  readonly answer: Promise<string>;

  constructor(runtime: string, directory: string, text: string, env: Record<string, string> = {}) {
    const [program, args] = peerCommand(runtime, directory, ["hold", `${directory}/LOCK`, text]);
    this.#child = new Deno.Command(program, { args, env, stdin: "piped", stdout: "piped" }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.answer = this.#firstLine();
  }

  async #firstLine(): Promise<string> {
    let said = "";
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stdout) {
      said += decoder.decode(chunk, { stream: true });
      if (said.includes("\n")) break;
    }
    return said.trim();
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }

  async end(): Promise<void> {
    await this.#input.close().catch(() => {});
    await this.#child.status;
  }
}

function testInDirectory(name: string, run: (directory: string) => void | Promise<void>): void {
  Deno.test({
    name,
    ignore: !canStartProcesses,
    fn: async () => {
      const directory = Deno.realPathSync(Deno.makeTempDirSync());
      Deno.mkdirSync(`${directory}-stage`);
      try {
        await run(directory);
      } finally {
        Deno.removeSync(directory, { recursive: true });
        Deno.removeSync(`${directory}-stage`, { recursive: true });
      }
    },
  });
}

for (const runtime of others.keys()) {
  testInDirectory(`${runtime} itself passes every check`, (directory) => {
    const [program, args] = peerCommand(runtime, directory, ["suite", directory]);
    const { code, stdout, stderr } = new Deno.Command(program, { args }).outputSync();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
    assertEquals(new TextDecoder().decode(stdout).trim().split("\n"), checks.map(({ name }) => name));
  });
}

for (const runtime of ["deno", ...others.keys()]) {
  testInDirectory(
    `${runtime} needs permission for the directory only, and no timer keeps it alive`,
    (directory) => {
      const [program, args] = peerCommand(runtime, directory, ["use", directory]);
      const { code, stdout, stderr } = new Deno.Command(program, { args }).outputSync();
      assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
      assertEquals(new TextDecoder().decode(stdout).trim(), `${directory} LOCK d`);
    },
  );

  testInDirectory(`a lock held by ${runtime} is refused to all, until SIGKILL`, async (directory) => {
    const peer = new Peer(runtime, directory, `${runtime}, and its name`);
    assertEquals(await peer.answer, "held");
    for (const platform of [denoPlatform, nodePlatform]) {
      assertEquals(assertRefused(platform.lock(`${directory}/LOCK`, "me")), `${runtime}, and its name`);
    }
    await peer.kill();
    // The system may report the death of a process a moment before it has closed all its files.
    const take = () => denoPlatform.lock(`${directory}/LOCK`, "me");
    let taken = take();
    for (const start = Date.now(); "holder" in taken && Date.now() - start < 2000; taken = take()) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assertTaken(taken).release();
    assertTaken(nodePlatform.lock(`${directory}/LOCK`, "me")).release();
  });

  testInDirectory(`a lock held here is refused to ${runtime}, until its release`, async (directory) => {
    for (const [i, platform] of [denoPlatform, nodePlatform].entries()) {
      const lock = assertTaken(platform.lock(`${directory}/LOCK`, `here, ${i}`));
      const refused = new Peer(runtime, directory, "peer");
      assertEquals(await refused.answer, `refused: here, ${i}`);
      await refused.end();
      lock.release();
      const taken = new Peer(runtime, directory, "peer");
      assertEquals(await taken.answer, "held");
      await taken.end();
    }
  });
}

/**
 * A worker that ended left the lock held on Bun, and its files open, until the process ended: Bun does not close what a
 * worker had open. Where it says that a worker ends they are closed now. Of `terminate` it tells nobody in the worker.
 */
for (const runtime of others.keys()) {
  const ways = ["exit", "return", "throw", ...runtime === "bun" ? [] : ["terminate"]];
  testInDirectory(`${runtime}'s workers give lock and files back by ${ways.join(", ")}`, (directory) => {
    const [program, args] = peerCommand(runtime, directory, [directory, ...ways], "tests/platform/support/worker");
    const { code, stdout, stderr } = new Deno.Command(program, { args }).outputSync();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
    const written = (how: string) => how === "terminate" ? 0 : 1;
    const expected = ways.map((how) => `${how}: free, 0 open ${written(how)} written`);
    assertEquals(new TextDecoder().decode(stdout).trim().split("\n"), expected);
  });
}

/** A directory of programs in which there is only a command `flock`: this script, if there is one. */
function withFlock(directory: string, script: string | undefined): Record<string, string> {
  const programs = `${directory}-stage/programs`;
  Deno.mkdirSync(programs);
  const mode = script === "" ? 0o644 : 0o755;
  if (script !== undefined) Deno.writeTextFileSync(`${programs}/flock`, script, { mode });
  return { PATH: programs };
}

const WRONG_COMMANDS: [what: string, script: string | undefined, message: string][] = [
  ["that is missing", undefined, "the command 'flock' (of util-linux or busybox) is not installed"],
  ["that may not be run", "", "the command 'flock' could not be run: "],
  ["that fails", "#!/bin/sh\necho no >&2; exit 71", "the command 'flock' ended with status 71: no"],
  ["that is killed", "#!/bin/sh\nkill -9 $$", "the command 'flock' ended with SIGKILL"],
];

if (isLinux && others.has("node")) {
  for (const [what, script, message] of WRONG_COMMANDS) {
    testInDirectory(
      `node with a command flock ${what}: NO_LOCK, rather than guessing who holds the lock`,
      async (directory) => {
        const peer = new Peer("node", directory, "peer", withFlock(directory, script));
        const answer = await peer.answer;
        assertStringIncludes(answer, `NO_LOCK: it cannot be found out whether there is another writer: ${message}`);
        assertStringIncludes(answer, "lock: false");
        await peer.end();
        assertTaken(denoPlatform.lock(`${directory}/LOCK`, "me")).release();
      },
    );
  }
}

if (isLinux && others.has("bun")) {
  testInDirectory(
    "bun locks without the command flock, in a worker too, and excludes the others",
    async (directory) => {
      const env = withFlock(directory, undefined);
      const peer = new Peer("bun", directory, "bun, by itself", env);
      assertEquals(await peer.answer, "held");
      const other = new Peer("bun", directory, "peer", env);
      assertEquals(await other.answer, "refused: bun, by itself");
      await other.end();
      for (const platform of [denoPlatform, nodePlatform]) {
        assertEquals(assertRefused(platform.lock(`${directory}/LOCK`, "me")), "bun, by itself");
      }
      await peer.kill();
      const [program, args] = peerCommand("bun", directory, [directory, "return"], "tests/platform/support/worker");
      const { stdout } = new Deno.Command(program, { args, env }).outputSync();
      assertEquals(new TextDecoder().decode(stdout).trim(), "return: free, 0 open 1 written");
    },
  );
}

for (const runtime of ["deno", ...others.keys()]) {
  testInDirectory(
    `${runtime}: a lock that is not asked for is had at once, and whoever had it has lost it`,
    async (directory) => {
      const peer = new Peer(runtime, directory, "peer");
      assertEquals(await peer.answer, "held");
      for (const platform of [denoPlatform, nodePlatform]) {
        const first = assertTaken(platform.lock(`${directory}/LOCK`, "first", false));
        assertEquals(first.isCurrent(), true);
        const second = assertTaken(platform.lock(`${directory}/LOCK`, "second", false));
        assertEquals([first.isCurrent(), second.isCurrent()], [false, true]);
        first.release();
        // Somebody who is refused the lock changes nothing.
        assertEquals([assertRefused(platform.lock(`${directory}/LOCK`, "me")), second.isCurrent()], ["second", true]);
        second.release();
      }
      await peer.end();
    },
  );
}
