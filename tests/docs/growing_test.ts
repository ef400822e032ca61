/** docs/growing.md, followed line by line with a real Redis server: everything must arrive. */

import { assertEquals } from "@std/assert";
import { KvStore, type Value } from "../../mod.ts";
import { blocksUnder, Follower } from "./follower.ts";
import { type Redis, RedisClient, redisProblem, startRedis } from "./redis.ts";

const DOCUMENT = "docs/growing.md";
const problem = redisProblem();
const isRequired = Deno.permissions.querySync({ name: "env" }).state === "granted" &&
  Deno.env.get("KVSTORE_REQUIRE_REDIS") !== undefined;
if (problem !== undefined) console.log(`skipped: "${DOCUMENT}" is not followed: ${problem}`);

/** A test in a folder of its own, with servers that end with it. */
function redisTest(name: string, test: (folder: string, servers: Redis[]) => Promise<void>): void {
  Deno.test({
    name: `growing: ${name}`,
    ignore: problem !== undefined && !isRequired,
    fn: async () => {
      assertEquals(problem, undefined, "KVSTORE_REQUIRE_REDIS is set");
      const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "kvstore-growing-" }));
      const servers: Redis[] = [];
      try {
        await test(folder, servers);
      } finally {
        await Promise.all(servers.map((server) => server.stop()));
        await Deno.remove(folder, { recursive: true });
      }
    },
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

/** Every key of a store must be in a database of the server: the same bytes, the same moment of expiry, and no other. */
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
