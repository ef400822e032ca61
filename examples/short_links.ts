/**
 * A service of short links with the interface of Deno KV. Each link stands in two places, under its name and under its
 * host, and a commit changes both or none: so the second is an index that is never wrong.
 *
 * Run it: `deno run --allow-read --allow-write --allow-net=127.0.0.1 short_links.ts` (and `--port 9000` for another port)
 * Then: `curl -d https://deno.com/blog http://127.0.0.1:8000/` and `curl "http://127.0.0.1:8000/?host=deno.com"`
 */
import { type KvU64, openKv } from "@kvstore/kvstore/kv";

interface Link {
  url: string;
  made: Date;
}

// On Deno Deploy it is `await Deno.openKv()`, and nothing else changes.
const kv = await openKv("./links");
const server = Deno.serve({
  hostname: "127.0.0.1",
  port: Deno.args[0] === "--port" ? Number(Deno.args[1]) : 8000,
  onListen: ({ port }) => console.log(`listening on http://127.0.0.1:${port}/`),
}, answer);

// Requests under way are answered first.
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => server.shutdown());
await server.finished;
kv.close();
console.log("closed");

async function answer(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const name = pathname.slice(1);
  if (request.method === "POST" && name === "") return await add(await request.text());
  if (request.method === "GET" && name === "") return await list(searchParams.get("host") ?? "");
  if (request.method === "GET") return await follow(name);
  if (request.method === "DELETE") return await remove(name);
  return new Response("not found\n", { status: 404 });
}

async function add(text: string): Promise<Response> {
  const url = URL.parse(text);
  if (url === null) return new Response("a URL is wanted\n", { status: 400 });
  for (;;) {
    const name = Math.random().toString(36).slice(2, 8);
    const { ok } = await kv.atomic()
      .check({ key: ["link", name], versionstamp: null })
      .set(["link", name], { url: url.href, made: new Date() } satisfies Link)
      .set(["by host", url.host, name], url.href)
      .commit();
    // Otherwise the name is taken.
    if (ok) return new Response(`${name}\n`, { status: 201 });
  }
}

async function follow(name: string): Promise<Response> {
  const { value } = await kv.get<Link>(["link", name]);
  if (value === null) return new Response("not found\n", { status: 404 });
  // Requests at the same time add up, and share a sync of the disk.
  await kv.atomic().sum(["visits", name], 1n).commit();
  return Response.redirect(value.url, 302);
}

async function list(host: string): Promise<Response> {
  const lines: string[] = [];
  for await (const { key, value } of kv.list<string>({ prefix: ["by host", host] }, { limit: 100 })) {
    const name = key.at(-1) as string;
    const visits = await kv.get<KvU64>(["visits", name]);
    lines.push(`${name} ${value} ${visits.value?.value ?? 0n} visits\n`);
  }
  return new Response(lines.join(""));
}

async function remove(name: string): Promise<Response> {
  const link = await kv.get<Link>(["link", name]);
  if (link.value === null) return new Response("not found\n", { status: 404 });
  const { ok } = await kv.atomic()
    .check(link)
    .delete(link.key)
    .delete(["by host", new URL(link.value.url).host, name])
    .delete(["visits", name])
    .commit();
  return ok ? new Response("gone\n") : new Response("it has changed meanwhile\n", { status: 409 });
}
