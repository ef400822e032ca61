/** One writer at a time among real processes, whatever the file LOCK holds or becomes, and nobody has to remove it. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { KvStore, KvStoreError, verifyStore } from "../../mod.ts";
import { libraryModules, runtimes, stageModules } from "../support/javascript.ts";
import { canStartProcesses } from "../support/permissions.ts";
import { denoRun, kvstore, processTest, run } from "../support/processes.ts";

/** A process that holds the store and sets keys when told. */
class Holder {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;
  #said = "";

  constructor(command: string[], env: Record<string, string> = {}) {
    const [program, ...args] = command;
    this.#child = new Deno.Command(program!, { args, env, stdin: "piped", stdout: "piped", stderr: "inherit" }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next line that it says: "ok", or the code of an error. */
  async hear(): Promise<string> {
    while (!this.#said.includes("\n")) {
      const { value, done } = await this.#output.read();
      if (done) return "(gone)";
      this.#said += value;
    }
    const end = this.#said.indexOf("\n");
    const line = this.#said.slice(0, end);
    this.#said = this.#said.slice(end + 1);
    return line;
  }

  /** Tells it to set a key, or to `close`. */
  async tell(line: string): Promise<string> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
    return await this.hear();
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#gone();
  }

  async end(): Promise<void> {
    await this.#input.close().catch(() => {});
    await this.#gone();
  }

  async #gone(): Promise<void> {
    await this.#child.status;
    await this.#output.cancel();
  }
}

const SCRIPT = "tests/process/support/holder";

async function holderOf(directory: string): Promise<Holder> {
  const holder = new Holder(denoRun(`${SCRIPT}.ts`, [directory]));
  assertEquals(await holder.hear(), "ok");
  return holder;
}

async function assertLocked(directory: string): Promise<void> {
  const error = await assertRejects(() => KvStore.open(directory), KvStoreError);
  assertEquals(error.code, "LOCKED", error.message);
}

const CONTENTS: Record<string, string | Uint8Array> = {
  "nothing": "",
  "garbage": new Uint8Array([0, 255, 10, 123, 0, 0]),
  "a process that is long gone": '{"process":999999,"since":"2020-01-01T00:00:00.000Z"}\n',
  "a megabyte": "x".repeat(1 << 20),
};

await processTest(
  "LOCK may hold anything; its holder fails if it is written to meanwhile, and loses nothing",
  async (root) => {
    const directory = `${root}/store`;
    for (const [what, content] of Object.entries(CONTENTS)) {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.mkdir(directory, { recursive: true });
      await Deno.writeFile(`${directory}/LOCK`, bytes);
      const holder = await holderOf(directory);
      await assertLocked(directory);
      assertEquals([what, await holder.tell(`key ${what}`)], [what, "ok"]);
      // Written to in place: it is the same file, and still locked.
      await Deno.writeFile(`${directory}/LOCK`, bytes);
      await assertLocked(directory);
      assertEquals([what, await holder.tell(`late ${what}`)], [what, "FAILED"]);
      await holder.kill();
      const store = await KvStore.open(directory);
      assertEquals(store.has(`key ${what}`), true);
      await store.close();
    }
    assertEquals((await verifyStore(directory)).problems, []);
  },
);

for (const how of ["removed", "replaced"]) {
  await processTest(`LOCK ${how} under its holder: of two writers one fails, and no write is lost`, async (root) => {
    const directory = `${root}/store`;
    const holder = await holderOf(directory);
    assertEquals(await holder.tell("first"), "ok");
    Deno.removeSync(`${directory}/LOCK`);
    if (how === "replaced") Deno.writeTextFileSync(`${directory}/LOCK`, "another file");
    const acknowledged = ["first"];
    const store = await KvStore.open(directory);
    assertEquals(store.has("first"), true);
    let code = "ok";
    for (let i = 0; i < 50 && code === "ok"; i++) {
      const key = `late ${i}`;
      code = await holder.tell(key);
      if (code === "ok") acknowledged.push(key);
      await store.set(`mine ${i}`, "v");
      acknowledged.push(`mine ${i}`);
    }
    assertEquals(code, "FAILED");
    assertEquals(await holder.tell("close"), "FAILED");
    await holder.end();
    await store.set("last", "v");
    await store.close();
    assertEquals((await verifyStore(directory)).problems, []);
    const again = await KvStore.open(directory);
    assertEquals(acknowledged.filter((key) => !again.has(key)), []);
    await again.close();
  });
}

// A script named `flock` that exits with 0 gave two writers, both without an error, and a store that could not be opened.
for (const runtime of ["deno", ...canStartProcesses ? runtimes().keys() : []]) {
  await processTest(`${runtime}, where the lock lies: each writer that comes fails the one before`, async (root) => {
    const directory = `${root}/store`;
    const programs = `${root}/programs`;
    await Deno.mkdir(programs);
    await Deno.writeTextFile(`${programs}/flock`, "#!/bin/sh\nexit 0\n", { mode: 0o755 });
    let command = denoRun(`${SCRIPT}.ts`, [directory, "unasked"]);
    if (runtime !== "deno") {
      await Deno.mkdir(`${root}/stage`);
      stageModules([...libraryModules(), `${SCRIPT}.ts`], `${root}/stage`);
      // Node believes the script. Bun asks the C library, which does not lie.
      command = [runtimes().get(runtime)!, `${root}/stage/${SCRIPT}.js`, directory];
      if (runtime === "bun") command.push("unasked");
    }
    const acknowledged: string[] = [];
    const holders: Holder[] = [];
    for (let turn = 0; turn < 4; turn++) {
      const holder = new Holder(command, { PATH: programs });
      assertEquals(await holder.hear(), "ok");
      holders.push(holder);
      for (let i = 0; i < 12; i++) {
        // The former one first, so that it may write into a segment that the next one goes on in.
        for (const [at, writer] of holders.entries()) {
          const key = `${turn} ${i} ${at}`;
          const answer = await writer.tell(i === 7 ? "compact" : key);
          assertEquals([turn, i, at, answer], [turn, i, at, writer === holder ? "ok" : "FAILED"]);
          if (writer === holder && i !== 7) acknowledged.push(key);
        }
      }
    }
    for (const holder of holders) {
      assertEquals(await holder.tell("close"), holder === holders.at(-1) ? "ok" : "FAILED");
      await holder.end();
    }
    assertEquals((await verifyStore(directory)).problems, []);
    const store = await KvStore.open(directory);
    assertEquals([...store.keys()], acknowledged.sort());
    await store.close();
  });
}

await processTest(
  "processes that race for a store: as many keys as were acknowledged, the others hear LOCKED",
  async (root) => {
    const directory = `${root}/store`;
    const count = 8;
    const ask = (i: number, wait: string[]) => run(kvstore(directory, ["set", `key ${i}`, "v", "--json", ...wait]));
    const patient = await Promise.all(Array.from({ length: count }, (_, i) => ask(i, ["--wait", "60"])));
    assertEquals(patient.map(({ code, err }) => code === 0 ? "" : err), Array(count).fill(""));
    const hasty = await Promise.all(Array.from({ length: count }, (_, i) => ask(count + i, [])));
    const store = await KvStore.open(directory);
    for (const [i, { code, err }] of [...patient, ...hasty].entries()) {
      assertEquals([i, store.has(`key ${i}`)], [i, code === 0]);
      if (code !== 0) assertEquals([code, JSON.parse(err).error.code], [3, "LOCKED"]);
    }
    assert(hasty.some(({ code }) => code === 0));
    await store.close();
    assertEquals((await verifyStore(directory)).problems, []);
  },
);
