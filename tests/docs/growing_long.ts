/** docs/growing.md, followed line by line with a real Redis server and the Deno KV of Deno: everything must arrive. */

import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { KvStore, type Value } from "../../mod.ts";
import { canStartProcesses } from "../support/permissions.ts";
import { blocksUnder, Follower } from "./support/follower.ts";
import { type Redis, RedisClient, redisProblem, startRedis } from "./support/redis.ts";

const DOCUMENT = "docs/growing.md";
const problem = redisProblem();
const isRequired = Deno.permissions.querySync({ name: "env" }).state === "granted" &&
  Deno.env.get("KVSTORE_REQUIRE_REDIS") !== undefined;
if (problem !== undefined) console.log(`skipped: "${DOCUMENT}" is not followed: ${problem}`);

/** A test in a folder of its own. */
function folderTest(name: string, ignore: boolean, test: (folder: string) => Promise<void>): void {
  Deno.test({
    name: `growing: ${name}`,
    ignore,
    fn: async () => {
      const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "kvstore-growing-" }));
      try {
        await test(folder);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

/** The same with servers that end with it. */
function redisTest(name: string, test: (folder: string, servers: Redis[]) => Promise<void>): void {
  folderTest(name, problem !== undefined && !isRequired, async (folder) => {
    assertEquals(problem, undefined, "KVSTORE_REQUIRE_REDIS is set");
    const servers: Redis[] = [];
    try {
      await test(folder, servers);
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
  });
}

/** Until then a master refuses its own keys, too. */
async function untilInCluster(port: number): Promise<void> {
  using client = await RedisClient.connect(port);
  for (let attempts = 0; attempts < 500; attempts++) {
    const info = new TextDecoder().decode(await client.call("CLUSTER", "INFO") as Uint8Array);
    if (info.includes("cluster_state:ok")) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("the cluster does not come up");
}

/**
 * Every key of a store must be in a database of the server: the same bytes, the same moment of expiry, and no other.
 */
async function assertArrived(directory: string, port: number, database: number): Promise<number> {
  await using store = await KvStore.open(directory, { readOnly: true });
  assertEquals((await store.verify()).problems, []);
  using client = await RedisClient.connect(port);
  await client.call("SELECT", String(database));
  assertEquals(await client.call("DBSIZE"), store.size);
  for (const [key, value] of store.entries({ keys: "bytes" }) as Iterable<[Uint8Array, Value]>) {
    const found = await client.call("GET", key);
    assertEquals(found, bytesOf(value), `the value of ${key}`);
    assertEquals(await client.call("PEXPIRETIME", key), store.expiresAt(key) ?? -1, `when ${key} expires`);
  }
  return store.size;
}

function bytesOf(value: Value): Uint8Array {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
}

redisTest("the document, line by line", async (folder, servers) => {
  const cluster = ["--cluster-enabled", "yes"];
  for (const options of [[], cluster, cluster, cluster]) servers.push(await startRedis(folder, options));
  const [single, ...masters] = servers.map(({ port }) => port) as [number, ...number[]];
  const shown = ["6379", "7001", "7002", "7003"];
  const reader = new Follower(folder, servers.map(({ port }, i) => [shown[i]!, String(port)]));
  const move = blocksUnder(DOCUMENT, ["The move"]);
  const loaded = move.findIndex(({ text }) => text.includes("--pipe")) + 2;

  await reader.follow(blocksUnder(DOCUMENT, ["The application"]));
  await reader.run("deno check --quiet app.ts");
  await reader.follow(move.slice(0, loaded));
  assertEquals(await assertArrived(`${folder}/sessions`, single, 0), 3);
  assertEquals(await assertArrived(`${folder}/pages`, single, 1), 2);
  await reader.follow(move.slice(loaded));
  await reader.follow(blocksUnder(DOCUMENT, ["Bytes under unstorage"]));
  await reader.run("deno check --quiet app.ts raw.ts");

  await reader.run(`redis-cli --cluster create ${masters.map((port) => `127.0.0.1:${port}`).join(" ")} --cluster-yes`);
  for (const port of masters) await untilInCluster(port);
  await reader.follow(blocksUnder(DOCUMENT, ["Into a cluster"]));
});

/** Sets much more than the document does, through the `storage.ts` that is there. */
const SEED = `
import { pages, sessions } from "./storage.ts";
const texts = ["", "plain", "\\r\\n$3\\r\\n", "grüße \\u{1f600}", ":colon", "a:b:c", "null", "7", '{"json":1}', "x".repeat(100_000)];
const values = [...texts, 0, -1.5, true, null, [], {}, { deep: [{ a: "é" }] }, ["lone \\ud800"]];
const writes = [];
for (let i = 0; i < 600; i++) {
  const value = values[i % values.length];
  writes.push(sessions.set(\`\${i}:\${texts[i % 7].slice(0, 9)}\`, value, i % 3 === 0 ? 1_000_000 + i : undefined));
  writes.push(pages.setItem(\`page:\${i % 50}:\${i}\`, value, i % 3 === 0 ? { ttl: 1000 + i } : {}));
  if (i % 20 === 0) writes.push(pages.setItemRaw(\`raw:\${i}\`, new Uint8Array(i).map((_, at) => at), { ttl: i + 500 }));
}
writes.push(sessions.set("expired", "gone", 1), pages.setItem("expired", "gone", { ttl: 0.001 }));
await Promise.all(writes);
while (await sessions.has("expired") || await pages.hasItem("expired")) await new Promise((r) => setTimeout(r, 5));
await sessions.disconnect();
await pages.dispose();
`;

/** Shows everything as the application sees it. */
const SHOW = `
import { pages, sessions } from "./storage.ts";
const shown = [];
for (const key of (await pages.getKeys()).sort()) {
  const raw = key.startsWith("raw:") ? [...await pages.getItemRaw(key)] : undefined;
  shown.push([key, raw ?? await pages.getItem(key)]);
}
for (let i = 0; i < 600; i++) {
  const key = \`\${i}:\${["", "plain", "\\r\\n$3\\r\\n", "grüße \\u{1f600}", ":colon", "a:b:c", "null"][i % 7].slice(0, 9)}\`;
  shown.push([key, await sessions.get(key), await sessions.has(key)]);
}
shown.push(await sessions.get("expired"), await pages.getItem("expired"));
console.log(JSON.stringify(shown));
await sessions.disconnect();
await pages.dispose();
`;

redisTest("keys of all kinds, and the application sees the same after it", async (folder, servers) => {
  servers.push(await startRedis(folder));
  const { port } = servers[0]!;
  const reader = new Follower(folder, [["6379", String(port)]]);
  const move = blocksUnder(DOCUMENT, ["The move"]);
  // Their output is that of the document's own few keys.
  const silently = async (what: (text: string) => boolean) => {
    for (const block of move) if (what(block.text)) await reader.follow([block]);
  };
  const application = blocksUnder(DOCUMENT, ["The application"]);
  await reader.follow(application.filter(({ text }) => !text.includes("deno run")));
  reader.write("seed.ts", SEED);
  reader.write("show.ts", SHOW);
  await reader.run("deno run -A --no-check seed.ts");
  const before = await reader.run("deno run -A --no-check show.ts");
  // Somebody else's keys go along: any bytes.
  await using others = await KvStore.open(`${folder}/sessions`);
  for (let byte = 0; byte < 256; byte++) {
    await others.set(new Uint8Array([byte, 0, 13, 10]), new Uint8Array([10, byte]));
  }
  await others.close();

  await silently((text) => /^export REDIS_URL|export sessions\.resp|--pipe/m.test(text));
  assertEquals(await assertArrived(`${folder}/sessions`, port, 0), 600 + 256);
  assertEquals(await assertArrived(`${folder}/pages`, port, 1), 600 + 30);
  await silently((text) => text.startsWith("deno add") || text.includes("new KeyvRedis"));
  const [raw, ...run] = blocksUnder(DOCUMENT, ["Bytes under unstorage"]);
  await reader.follow([raw!]);
  assertEquals(await reader.run(run[0]!.text), "30 items of bytes\n");
  const after = await reader.run("deno run -A --no-check show.ts");
  // Not assertEquals, which would print megabytes.
  const [was, is] = [before, after].map((text) => JSON.parse(text) as unknown[]);
  assertEquals(is!.length, was!.length);
  was!.forEach((item, i) => assertEquals(is![i], item));
});

redisTest("under keyv 6 the keys are the same without any option", async (folder, servers) => {
  servers.push(await startRedis(folder));
  const { port } = servers[0]!;
  const user = new Follower(folder, []);
  await user.run("deno add npm:keyv@6.1.0 npm:@keyv/redis@6.0.0-rc.1");
  const program = `
    const named = new Keyv({ store: store(), namespace: "sessions" });
    const plain = new Keyv({ store: store() });
    if (Deno.args[0] === "set") {
      await named.set("ada", { cart: ["é", 7] }, 1_000_000);
      await named.set("bob", "text");
      await plain.set("ada", [null]);
    }
    console.log(JSON.stringify([await named.get("ada"), await named.get("bob"), await plain.get("ada")]));
    await named.disconnect();
    await plain.disconnect();`;
  const here = 'import { KvKeyv } from "@kvstore/kvstore/keyv";\nconst store = () => new KvKeyv("./data");';
  const there = `import KeyvRedis from "@keyv/redis";\nconst store = () => new KeyvRedis("redis://127.0.0.1:${port}");`;
  user.write("here.ts", `import { Keyv } from "keyv";\n${here}\n${program}`);
  user.write("there.ts", `import { Keyv } from "keyv";\n${there}\n${program}`);
  const said = '[{"cart":["é",7]},"text",[null]]\n';
  assertEquals(await user.run("deno run -A --no-check here.ts set"), said);
  const load = `kvstore --dir ./data export --format resp | redis-cli -u redis://127.0.0.1:${port} --pipe`;
  assert((await user.run(load)).endsWith("errors: 0, replies: 3\n"));
  assertEquals(await assertArrived(`${folder}/data`, port, 0), 3);
  assertEquals(await user.run("deno run -A --no-check there.ts"), said);
});

const KV_SECTION = blocksUnder(DOCUMENT, ["To Deno Deploy and denokv"]);

folderTest("a program with the interface of Deno KV, line by line", !canStartProcesses, async (folder) => {
  const reader = new Follower(folder, []);
  await reader.follow(KV_SECTION);
  await reader.run("deno check --quiet --unstable-kv notes.ts move.ts");
});

/** Sets values of every kind, through the `kv.ts` that is there. */
const KV_SEED = `
import { KvU64 } from "@kvstore/kvstore/kv";
import { kv } from "./kv.ts";
const loop = { self: undefined };
loop.self = loop;
const values = [
  undefined, null, true, -0, NaN, 1.5, 7n, -(2n ** 70n), "", "grüße \\u{1f600}", "lone \\ud800", new Date(0), /a+/gi,
  new Map([[{ a: 1 }, new Set([1, "2"])]]), [1, , 3], new Uint8Array([1, 2]), new Float64Array([1.5]), loop,
  new ArrayBuffer(3), new RangeError("no", { cause: 1 }), { deep: [{ a: "é" }] }, new KvU64(2n ** 64n - 1n),
];
for (const [i, value] of values.entries()) await kv.set(["kind", i], value);
const parts = [new Uint8Array([0, 255]), "a\\0b", "", -1.5, NaN, 2n ** 70n, -1n, false, true];
for (const part of parts) await kv.set(["part", part], "x".repeat(60_000));
await kv.set(["soon"], 1, { expireIn: 60_000 });
kv.close();
`;

/** Shows everything as a program sees it. */
const KV_SHOW = `
import { kv } from "./kv.ts";
for await (const { key, value } of kv.list({ prefix: [] })) {
  const shown = value instanceof Error ? [String(value), value.cause] : value;
  console.log(Deno.inspect(key), Deno.inspect(shown, { depth: 9, breakLength: Infinity }));
}
kv.close();
`;

folderTest("entries of all kinds, and the program sees the same after the move", !canStartProcesses, async (folder) => {
  const withText = (text: string) => KV_SECTION.filter((block) => block.text.includes(text));
  const reader = new Follower(folder, []);
  reader.write("seed.ts", KV_SEED);
  reader.write("show.ts", KV_SHOW);
  await reader.follow(withText("export const kv = await openKv("));
  const seededMs = Date.now();
  await reader.run("deno run -A --no-check seed.ts");
  const before = await reader.run("deno run -A --no-check show.ts");
  assertEquals(before.split("\n").length, 32 + 1);
  await reader.follow([...withText("export KV"), ...withText("using to = ")]);
  assertEquals(await reader.run(withText("move.ts")[0]!.text), "32 entries\n");
  await reader.follow(withText("export const kv = await Deno.openKv("));
  const after = await reader.run("deno run -A --unstable-kv --no-check show.ts");
  assertEquals(after.split("\n"), before.split("\n"));
  using database = new DatabaseSync(`${folder}/notes.db`);
  const expiries = database.prepare("select expiration_ms as at from kv where expiration_ms > 0").all();
  assertEquals(expiries.length, 1);
  const leftMs = Number(expiries[0]!.at) - seededMs;
  assert(leftMs > 60_000 && leftMs < 2 * 60_000, `${leftMs}`);
});
