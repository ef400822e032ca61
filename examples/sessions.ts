/**
 * Sessions of an HTTP server: each is a key that expires when it was not used for half an hour, and restarts of the
 * server do not end it.
 *
 * Run it: `deno run --allow-read --allow-write --allow-net=127.0.0.1 sessions.ts` (and `--port 9000` for another port)
 * Then: `curl -c jar -d name=Ada http://127.0.0.1:8000/login` and `curl -b jar http://127.0.0.1:8000/`
 */
import { KvStore } from "@kvstore/kvstore";

const TTL_MS = 30 * 60_000;

interface Session {
  name: string;
  visits: number;
}

const store = await KvStore.open<Session>("./sessions");
const server = Deno.serve({
  hostname: "127.0.0.1",
  port: portWanted(),
  onListen: ({ port }) => console.log(`listening on http://127.0.0.1:${port}/`),
}, answer);

// Requests under way are answered first; then what they wrote is synced, and the lock given back.
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => server.shutdown());
await server.finished;
await store.close();
console.log("closed");

async function answer(request: Request): Promise<Response> {
  const id = /(?:^|; )session=([\w-]+)/.exec(request.headers.get("cookie") ?? "")?.[1];
  const session = id === undefined ? undefined : store.get(`session:${id}`);
  switch (`${request.method} ${new URL(request.url).pathname}`) {
    case "POST /login":
      return await login(new URLSearchParams(await request.text()).get("name") ?? "");
    case "POST /logout":
      // Resolved once it is durable: a power cut does not log anybody in again.
      if (id !== undefined) await store.delete(`session:${id}`);
      return new Response("bye\n", { headers: { "set-cookie": "session=; Max-Age=0; Path=/" } });
    case "GET /":
      if (id === undefined || session === undefined) return new Response("who are you?\n", { status: 401 });
      session.visits++;
      // Set anew, it lives half an hour from now. Losing a visit in a power cut is no reason to make people wait.
      await store.set(`session:${id}`, session, { ttl: TTL_MS, durability: "write" });
      return new Response(`hello ${session.name}, visit ${session.visits}\n`);
    default:
      return new Response("not found\n", { status: 404 });
  }
}

async function login(name: string): Promise<Response> {
  if (name === "") return new Response("a name is wanted\n", { status: 400 });
  // Nobody guesses 122 random bits.
  const id = crypto.randomUUID();
  await store.set(`session:${id}`, { name, visits: 0 }, { ttl: TTL_MS });
  // Served over TLS, the cookie is to be Secure as well.
  const cookie = `session=${id}; HttpOnly; SameSite=Lax; Path=/`;
  return new Response(`welcome ${name}\n`, { headers: { "set-cookie": cookie } });
}

function portWanted(): number {
  return Deno.args[0] === "--port" ? Number(Deno.args[1]) : 8000;
}
