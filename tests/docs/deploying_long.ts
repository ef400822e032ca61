/** docs/deploying.md, followed: its application runs as the unit and the containers start it, and its commands are typed. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import * as esbuild from "esbuild";
import { request } from "node:http";
import { fileURLToPath } from "node:url";
import { KvStore, verifyStore } from "../../mod.ts";
import { canStartProcesses } from "../support/permissions.ts";
import { type Block, blocksOf } from "./support/blocks.ts";
import { Follower } from "./support/follower.ts";

const ROOT = new URL("../../", import.meta.url);
const blocks = canStartProcesses ? blocksOf(Deno.readTextFileSync(new URL("docs/deploying.md", ROOT))) : [];

/** The blocks of a language under a heading. */
function blocksIn(heading: string, language: string): Block[] {
  const found = blocks.filter((block) => block.heading === heading && block.language === language);
  assert(found.length > 0, `there is a block of ${language} under ${heading}`);
  return found;
}

/** A port that is free. */
function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return (listener.addr as Deno.NetAddr).port;
}

/** Waits for an answer of a server that starts. */
async function answer(url: string, child: Deno.ChildProcess): Promise<string> {
  let ended = false;
  child.status.then(() => ended = true);
  for (;;) {
    const text = await fetch(url).then((response) => response.text(), () => undefined);
    if (text !== undefined) return text;
    assert(!ended, "the server has ended");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Starts the application, visits it, and stops it as an init system does: it ends in order, and the store is intact. */
async function visit(follower: Follower, words: string[], dataDirectory: string): Promise<string[]> {
  const port = freePort();
  const child = new Deno.Command(words[0]!, {
    args: words.slice(1),
    cwd: follower.folder,
    env: {
      DATA_DIR: dataDirectory,
      PORT: String(port),
      PATH: `${follower.folder}/bin:${Deno.env.get("PATH")}`,
      DENO_NO_UPDATE_CHECK: "1",
    },
    stdin: "null",
  }).spawn();
  const url = `http://127.0.0.1:${port}`;
  const answers = [await answer(`${url}/healthz`, child), await answer(url, child), await answer(url, child)];
  child.kill("SIGTERM");
  assertEquals((await child.status).code, 0);
  const { problems, notes } = await verifyStore(dataDirectory);
  assertEquals([problems, notes], [[], []]);
  return answers;
}

/** The words of a `CMD` in the form without a shell. */
function wordsOfCommand({ text }: Block): string[] {
  return JSON.parse(/^CMD (\[.*\])$/m.exec(text)![1]!);
}

Deno.test({
  name: "deploying: the application starts, answers and ends as the unit and the containers say, on Deno and Node",
  ignore: !canStartProcesses,
  fn: async () => {
    const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "kvstore-deploying-" }));
    try {
      const follower = new Follower(folder, []);
      await follower.follow(blocksIn("The application", "ts"));
      for (const name of ["state", "volume", "node"]) Deno.mkdirSync(`${folder}/${name}`);

      const [unit] = blocksIn("systemd", "ini");
      const line = /^ExecStart=\/usr\/bin\/env (.*)$/m.exec(unit!.text)![1]!;
      const started = line.replaceAll("/var/lib/visits", `${folder}/state`).split(" ");
      assertEquals(await visit(follower, started, `${folder}/state/data`), ["ok\n", "1\n", "2\n"]);

      const [onDeno, onNode] = blocksIn("Docker", "dockerfile");
      const inContainer = wordsOfCommand(onDeno!).map((word) => word.replace("=/data", `=${folder}/volume`));
      assertEquals(await visit(follower, ["deno", ...inContainer], `${folder}/volume/store`), ["ok\n", "1\n", "2\n"]);

      await esbuild.build({
        entryPoints: [`${folder}/server.ts`],
        outfile: `${folder}/server.js`,
        alias: { "@kvstore/kvstore": fileURLToPath(new URL("mod.ts", ROOT)) },
        bundle: true,
        format: "esm",
        platform: "node",
      });
      Deno.writeTextFileSync(`${folder}/package.json`, '{"type":"module"}');
      const words = ["node", ...wordsOfCommand(onNode!)];
      assertEquals(await visit(follower, words, `${folder}/node/store`), ["ok\n", "1\n", "2\n"]);
    } finally {
      await esbuild.stop();
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "deploying: the owner of a store answers through its socket",
  ignore: !canStartProcesses,
  fn: async () => {
    const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "kvstore-deploying-" }));
    try {
      const follower = new Follower(folder, []);
      await follower.follow(blocksIn("pm2 and cluster", "ts"));
      const owner = new Deno.Command("deno", { args: ["run", "-A", "owner.ts"], cwd: folder }).spawn();
      const ask = (method: string, body: string) =>
        new Promise<string>((resolve, reject) => {
          const asked = request({ socketPath: `${folder}/owner.sock`, path: "/cart", method }, (response) => {
            let text = "";
            response.on("data", (part) => text += part).on("end", () => resolve(`${response.statusCode} ${text}`));
          });
          asked.on("error", reject).end(body);
        });
      while (await Deno.stat(`${folder}/owner.sock`).then(() => false, () => true)) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assertEquals([await ask("GET", ""), await ask("PUT", "tea"), await ask("GET", "")], [
        "404 ",
        "200 tea",
        "200 tea",
      ]);
      owner.kill("SIGTERM");
      assertEquals((await owner.status).code, 0);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "deploying: the commands for backups, restoring and monitoring do what the page says",
  ignore: !canStartProcesses,
  fn: async () => {
    const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "kvstore-deploying-" }));
    try {
      const follower = new Follower(folder, []);
      const store = await KvStore.open(`${folder}/data`);
      await store.set("health", 1);
      await store.increment("visits:/");
      await store.close();

      const [crontab] = blocksIn("Backups", "crontab");
      Deno.mkdirSync(`${folder}/kept`);
      for (const line of crontab!.text.trimEnd().split("\n")) {
        const [, command] = /^(?:\S+ ){5}(.*)$/.exec(line)!;
        const here = command!.replaceAll("\\%", "%").replaceAll("/var/backups/visits", "kept");
        assertEquals(await follower.run(here.replaceAll("/var/lib/visits/data", "data")), "");
      }
      const [backup] = Deno.readDirSync(`${folder}/kept`);
      assertMatch(backup!.name, /^\d{4}-\d\d-\d\d$/);
      assertEquals((await verifyStore(`${folder}/kept/${backup!.name}`)).problems, []);

      for (const heading of ["Restoring", "Monitoring"]) {
        await follower.follow(blocks.filter((block) => block.heading === heading));
      }
      assertEquals((await verifyStore(`${folder}/data`)).problems, []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
