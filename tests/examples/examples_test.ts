import { assert, assertEquals, assertMatch } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { openKv } from "../../src/kv/mod.ts";
import { canUseDisk } from "../support/permissions.ts";
import { type Example, exampleNames, exampleTest } from "./support/examples.ts";

Deno.test({
  name: "examples: each has a test here",
  ignore: !canUseDisk,
  fn: () => {
    const tested = [...Deno.readTextFileSync(new URL(import.meta.url)).matchAll(/^exampleTest\("(.*?)"/gm)];
    assertEquals(tested.map(([, name]) => name).sort(), exampleNames());
  },
});

exampleTest("quick_start.ts", async (example) => {
  for (const run of [1, 2, 3]) {
    assertEquals(await example.run(), [
      `run ${run}`,
      'user:ada {"name":"Ada","born":1815}',
      'user:grace {"name":"Grace","born":1906}',
      `${3 + run} keys, of which ${run} count the runs`,
      "deleted: true and again: false",
    ]);
  }
});

exampleTest("from_json_file.ts", async (example) => {
  const people = Object.fromEntries(Array.from({ length: 2500 }, (_, i) => [`p${i}`, { born: 1900 + i }]));
  example.write("people.json", JSON.stringify({ ada: { born: 1815 }, ...people }));
  assertEquals(await example.run(), ["2501 people, moved now", 'ada: {"born":1815,"visits":1}']);
  // Were it moved again, the visits would begin anew.
  assertEquals(await example.run(), ["2501 people, moved before", 'ada: {"born":1815,"visits":2}']);
  await using store = await KvStore.open(`${example.folder}/people`, { readOnly: true });
  for (const [name, person] of Object.entries(people)) assertEquals(store.get(`person:${name}`), person);
});

exampleTest("nightly_backup.ts", async (example) => {
  for (const run of [1, 2, 3, 4, 5]) {
    // What a crash left behind goes away, too.
    if (run === 3) await Deno.mkdir(`${example.folder}/backups/2020.unfinished`);
    const kept = Math.min(run, 3);
    assertEquals(await example.run(), [
      `the store has ${2 * run} orders, the backup ${2 * run - 1}; ${kept} are kept`,
    ]);
  }
  const names = [...Deno.readDirSync(`${example.folder}/backups`)].map(({ name }) => name).sort();
  for (const [i, name] of names.entries()) {
    assertMatch(name, /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z$/);
    await using copy = await KvStore.open(`${example.folder}/backups/${name}`, { readOnly: true });
    assertEquals(copy.size, 2 * (i + 3) - 1);
  }
});

exampleTest("cache.ts", async (example) => {
  for (const made of [2, 0]) {
    assertEquals(await example.run(), [
      `3 reports, ${made} of them made now, 2 kept`,
      "Oslo is kept for a minute at most: true",
      "at once: !",
      "a moment later: undefined (2 kept)",
    ]);
  }
});

exampleTest("event_log.ts", async (example) => {
  const key = (number: number) => `event:${String(number).padStart(9, "0")}`;
  assertEquals(await example.run(), [`missed ${key(1)}: ordered`, `heard of ${key(2)}: paid`]);
  for (const last of [3, 6]) {
    assertEquals(await example.run(), [
      `missed ${key(last)}: sent`,
      `missed ${key(last + 1)}: ordered`,
      `heard of ${key(last + 2)}: paid`,
    ]);
  }
});

exampleTest("sessions.ts", async (example) => {
  let cookie = "";
  await whileServed(example, async (url) => {
    assertEquals(await said(fetch(`${url}/`)), [401, "who are you?\n"]);
    assertEquals(await said(fetch(`${url}/`, { headers: { cookie: "session=made-up" } })), [401, "who are you?\n"]);
    assertEquals(await said(fetch(`${url}/login`, { method: "POST", body: "name=" })), [400, "a name is wanted\n"]);
    const response = await fetch(`${url}/login`, { method: "POST", body: new URLSearchParams({ name: "Ada" }) });
    assertEquals(await response.text(), "welcome Ada\n");
    const [, set] = /^(session=[0-9a-f-]{36}); HttpOnly; SameSite=Lax; Path=\/$/.exec(
      response.headers.get("set-cookie")!,
    )!;
    cookie = set!;
    const visits = await Promise.all([1, 2, 3].map(() => said(fetch(`${url}/`, { headers: { cookie } }))));
    assertEquals(visits.map(([, text]) => text).sort(), [1, 2, 3].map((visit) => `hello Ada, visit ${visit}\n`));
  });
  await whileServed(example, async (url) => {
    assertEquals(await said(fetch(`${url}/`, { headers: { cookie } })), [200, "hello Ada, visit 4\n"]);
    await using store = await KvStore.open(`${example.folder}/sessions`, { readOnly: true });
    const [key] = [...store.keys()];
    const remainingMs = store.expiresAt(key!)! - Date.now();
    assert(remainingMs > 29 * 60_000 && remainingMs <= 30 * 60_000, `${remainingMs}`);
    assertEquals(await said(fetch(`${url}/logout`, { method: "POST", headers: { cookie } })), [200, "bye\n"]);
    assertEquals(await said(fetch(`${url}/`, { headers: { cookie } })), [401, "who are you?\n"]);
    assertEquals(await said(fetch(`${url}/other`)), [404, "not found\n"]);
  });
});

exampleTest("short_links.ts", async (example) => {
  const url = "https://deno.com/blog";
  let names: string[] = [];
  await whileServed(example, async (server) => {
    const post = (body: string) => said(fetch(server, { method: "POST", body }));
    assertEquals(await post("no URL"), [400, "a URL is wanted\n"]);
    const added = await Promise.all([post(url), post(`${url}#2`), post("https://example.com")]);
    for (const [status, text] of added) assertMatch(`${status} ${text}`, /^201 [0-9a-z]{1,6}\n$/);
    names = added.map(([, text]) => text.trim());
    const follow = (name: string) => fetch(`${server}/${name}`, { redirect: "manual" });
    for (const response of await Promise.all(Array.from({ length: 20 }, () => follow(names[0]!)))) {
      assertEquals([response.status, response.headers.get("location")], [302, url]);
      await response.body?.cancel();
    }
    assertEquals(await said(follow("none")), [404, "not found\n"]);
  });
  await whileServed(example, async (server) => {
    const [first, second] = names;
    const lines = async () => (await said(fetch(`${server}/?host=deno.com`)))[1].split("\n").slice(0, -1);
    const listed = [`${first} ${url} 20 visits`, `${second} ${url}#2 0 visits`];
    assertEquals(await lines(), listed.toSorted());
    const remove = (name: string) => said(fetch(`${server}/${name}`, { method: "DELETE" }));
    const [one, other] = await Promise.all([remove(first!), remove(first!)]);
    assertEquals([one, other].filter(([status]) => status === 200).length, 1, `${one}, ${other}`);
    assertEquals(await remove(first!), [404, "not found\n"]);
    assertEquals(await lines(), listed.slice(1));
    assertEquals(await said(fetch(`${server}/?host=example.org`)), [200, ""]);
  });
  await using kv = await openKv(`${example.folder}/links`);
  const left = await Array.fromAsync(kv.list({ prefix: [] }), ({ key }) => key[0]);
  assertEquals(left, ["by host", "by host", "link", "link"]);
});

/** Runs the server on a free port until `use` is through, and ends it by a signal, which must be a good end. */
async function whileServed(example: Example, use: (url: string) => Promise<void>): Promise<void> {
  const child = example.command(["--port", "0"]).spawn();
  // A server that says nothing must not hold up the gate.
  const deadline = setTimeout(() => child.kill("SIGKILL"), 60_000);
  let out = "";
  const started = Promise.withResolvers<string>();
  const read = (async () => {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      out += text;
      const url = /^listening on (http:\/\/127\.0\.0\.1:\d+)\/$/m.exec(out)?.[1];
      if (url !== undefined) started.resolve(url);
    }
    started.reject(new Error(`the server ended: ${out}`));
  })();
  const err = new Response(child.stderr).text();
  try {
    await use(await started.promise);
  } finally {
    child.kill("SIGTERM");
    const { code, signal } = await child.status;
    clearTimeout(deadline);
    await read;
    assertEquals({ code, signal, err: await err }, { code: 0, signal: null, err: "" });
  }
  assert(out.endsWith("closed\n"), out);
}

async function said(response: Promise<Response>): Promise<[status: number, text: string]> {
  const { status, text } = await response.then(async (one) => ({ status: one.status, text: await one.text() }));
  return [status, text];
}
