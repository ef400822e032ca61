/**
 * Projects of ten lines that use the installed package the way users do.
 *
 * @module
 */

import { dirname, join } from "node:path";
import config from "../../deno.json" with { type: "json" };
import { install, installedIn, type Tarball } from "./pack.ts";
import { documentPrograms } from "./documents.ts";
import { assertSame, type Results } from "./results.ts";
import { npmEnvironment, run, runOk, type RunOptions, withPath } from "./run.ts";
import type { Runtime } from "./runtimes.ts";

const COLUMN = "package";

/** What every project does with its store, once it has `KvStore` and `KvStoreError`. */
const TEN_LINES = `
async function main() {
  const store = await KvStore.open(process.argv[2]);
  await store.set("user:1", { name: "Ada" });
  await store.batch([{ type: "set", key: "a", value: "text" }, { type: "delete", key: "b" }]);
  const locked = await KvStore.open(process.argv[2]).catch((error) => error);
  console.log(JSON.stringify(store.get("user:1")), [...store.keys()].join(), locked instanceof KvStoreError && locked.code);
  console.log(await store.delete("user:1"), store.size);
  await store.close();
}
main();
`;
const SAID = `{"name":"Ada"} a,user:1 LOCKED\ntrue 1\n`;

/** The same in TypeScript, with a mistake that the types must tell. */
const TYPED = `
import { KvStore, KvStoreError, type Value } from "@kvstore/kvstore";
interface User { name: string }
// @ts-expect-error a map would come back as {}
type Maps = KvStore<Map<string, number>>;
class Users extends KvStore<User, string> {
  names(): string[] {
    return [...this.entries({ gt: undefined, limit: undefined })].map(([key, { name }]) => key.toUpperCase() + name);
  }
}
async function main(): Promise<void> {
  await using store = await KvStore.open<User>(process.argv[2]!);
  await store.set("user:1", { name: "Ada" });
  // @ts-expect-error a number is no user
  const refused: unknown = await store.set("user:2", 1n).catch((error: unknown) => error);
  const user: User | undefined = store.get("user:1");
  const values: Value[] = [...store.values({ prefix: "user:", limit: 10 })];
  const locked = await KvStore.open(process.argv[2]!).catch((error: unknown) => error);
  await store.close();
  const users = await Users.open(process.argv[2]!, { create: undefined });
  const bytes: Uint8Array[] = [...users.keys({ keys: "bytes" })];
  console.log(users.names().join(), bytes.length);
  await users.close();
  console.log(user?.name, values.length, refused instanceof TypeError, locked instanceof KvStoreError && locked.code);
}
main();
`;
const TYPED_SAID = "USER:1Ada 1\nAda 1 true LOCKED\n";

/** The adapters as their packages see them; `KvLevel` brings its own types. */
const ADAPTERS = `
import { KvKeyv } from "@kvstore/kvstore/keyv";
import { KvLevel } from "@kvstore/kvstore/level";
import kvstoreDriver from "@kvstore/kvstore/unstorage";
import { Keyv } from "keyv";
import { createStorage } from "unstorage";
async function main(): Promise<void> {
  const directory = process.argv[2]!;
  const keyv = new Keyv<number>(new KvKeyv(directory), { namespace: "n" });
  await keyv.set("k", 1);
  const storage = createStorage<number>({ driver: kvstoreDriver({ base: directory }) });
  await storage.setItem("s", 2, { ttl: 60 });
  const said = [await keyv.get("k"), await storage.getItem("s"), (await storage.getKeys()).length];
  await keyv.disconnect();
  await storage.dispose();
  const db = new KvLevel<string, { n: number }>(directory, { valueEncoding: "json", durability: "write" });
  await db.put("l", { n: 3 }, { sync: true });
  await db.batch([{ type: "put", key: "m", value: { n: 4 } }, { type: "del", key: "k" }], { sync: false });
  // @ts-expect-error text is no object
  const refused: Promise<void> = db.put("l", "text");
  await refused;
  const inner = db.sublevel<string, number>("inner", { valueEncoding: "json" });
  await inner.put("i", 5);
  const l: { n: number } | undefined = await db.get("l");
  console.log(...said, typeof l, (await db.getMany(["m"]))[0]?.n, await inner.get("i"));
  await db.close();
}
main();
`;
const ADAPTERS_SAID = "1 2 2 string 4 5\n";

/** The adapters as a compiler finds them that knows no `exports`; without their packages, which it may not find. */
const NODE10 = `
import { KvStore } from "@kvstore/kvstore";
import { KvKeyv } from "@kvstore/kvstore/keyv";
import { KvLevel } from "@kvstore/kvstore/level";
import kvstoreDriver from "@kvstore/kvstore/unstorage";
async function main(): Promise<void> {
  const directory = process.argv[2]!;
  const keyv = new KvKeyv(directory);
  const driver = kvstoreDriver({ base: directory });
  await keyv.set("k", "1");
  const said: (string | null | undefined)[] = [await keyv.get<string>("k"), await driver.getItem("k")];
  await keyv.disconnect();
  await driver.dispose();
  const db = new KvLevel<string, string>(directory);
  // @ts-expect-error a number is no text
  await db.put("l", 2);
  await db.close();
  const store = await KvStore.open(directory);
  console.log(...said, store.size);
  await store.close();
}
main();
`;
const NODE10_SAID = "1 1 2\n";

/** A program to run, with what it must say. */
interface Program {
  name: string;
  file: string;
  says: string | RegExp;
}

/** Something of what the README's first program says. */
const README_SAID = /Grace/;

/** Projects with the tarball installed. */
export interface Projects {
  /** Nothing but the tarball is installed here. */
  plain: string;
  /** What runtimes are to run. */
  programs: Program[];
  /** npm's cache. */
  cache: string;
}

const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noEmitOnError: true,
  target: "es2022",
  types: ["node"],
};

/** Settings of the two TypeScript projects: with the declarations checked, and without. */
const TYPESCRIPT = {
  nodenext: { ...STRICT, module: "nodenext", lib: ["es2022", "esnext.disposable"] },
  bundler: { ...STRICT, module: "esnext", moduleResolution: "bundler", lib: ["es2022"], skipLibCheck: true },
  node10: {
    ...STRICT,
    module: "commonjs",
    moduleResolution: "node10",
    ignoreDeprecations: "6.0",
    esModuleInterop: true,
    lib: ["es2022"],
    skipLibCheck: true,
  },
};

/**
 * The programs of each of them; the adapters where declarations are not checked, as those of others need not stand it.
 */
const SOURCES: Record<keyof typeof TYPESCRIPT, string[]> = {
  nodenext: ["main.ts", "readme.ts", "script.cts"],
  bundler: ["main.ts", "readme.ts", "adapters.ts"],
  node10: ["node10.ts"],
};

/** Writes the projects, installs the tarball, and compiles what is TypeScript. */
export async function makeProjects(
  scratch: string,
  { tarball, cache, node, results }: { tarball: Tarball; cache: string; node: Runtime; results: Results },
): Promise<Projects> {
  const plain = join(scratch, "plain");
  await install(plain, [tarball.file], { cache });
  const programs: Program[] = [
    { name: "ESM import", file: join(plain, "main.mjs"), says: SAID },
    { name: "CommonJS require", file: join(plain, "main.cjs"), says: SAID },
  ];
  const names = "{ KvStore, KvStoreError }";
  await Deno.writeTextFile(programs[0]!.file, `import ${names} from "@kvstore/kvstore";${TEN_LINES}`);
  await Deno.writeTextFile(programs[1]!.file, `const ${names} = require("@kvstore/kvstore");${TEN_LINES}`);

  const typescript = join(scratch, "typescript");
  const version = config.imports.typescript.replace("npm:", "");
  const { "abstract-level": level, keyv, unstorage } = config.imports;
  const peers = [level, keyv, unstorage].map((spec) => spec.replace("npm:", ""));
  await install(typescript, [tarball.file, version, "@types/node@20", ...peers], {
    cache,
    manifest: { type: "module" },
  });
  const [readme = ""] = documentPrograms();
  for (const [name, compilerOptions] of Object.entries(TYPESCRIPT)) {
    const folder = join(typescript, name);
    await Deno.mkdir(folder);
    const sources = SOURCES[name as keyof typeof TYPESCRIPT];
    const type = compilerOptions.module === "commonjs" ? "commonjs" : "module";
    await Deno.writeTextFile(join(folder, "package.json"), JSON.stringify({ type }));
    for (const source of sources) await Deno.writeTextFile(join(folder, source), textOf(source, readme));
    await Deno.writeTextFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: sources }));
    await results.check("tarball", COLUMN, `TypeScript with moduleResolution ${name} compiles`, async () => {
      await runOk(node.program, [join(typescript, "node_modules/typescript/bin/tsc"), "-p", folder]);
    });
    for (const source of sources) {
      const file = join(folder, source.replace(/\.(c?)ts$/, ".$1js"));
      const says = { "readme.ts": README_SAID, "adapters.ts": ADAPTERS_SAID, "node10.ts": NODE10_SAID }[source];
      programs.push({ name: `TypeScript (${name}, ${source})`, file, says: says ?? TYPED_SAID });
    }
  }
  return { plain, programs, cache };
}

function textOf(source: string, readme: string): string {
  return { "readme.ts": readme, "adapters.ts": ADAPTERS, "node10.ts": NODE10 }[source] ?? TYPED;
}

/** Runs all programs and the command in one runtime. */
export async function checkProjects(projects: Projects, runtime: Runtime, results: Results): Promise<void> {
  const stores = await Deno.makeTempDir({ dir: dirname(projects.plain), prefix: "stores-" });
  for (const [i, { name, file, says }] of projects.programs.entries()) {
    await results.check(runtime.name, COLUMN, name, async () => {
      const before = runtime.kind === "deno" ? ["run", "-A", "--quiet"] : [];
      const cwd = join(stores, String(i));
      await Deno.mkdir(cwd);
      const { code, stdout, stderr } = await run(runtime.program, [...before, file, "store"], { cwd });
      assertSame([code, stderr], [0, ""], `exit status, with ${JSON.stringify(stdout)}`);
      assertSaid(stdout, says);
    });
  }
  if (runtime.kind !== "deno") await checkCommand(projects, runtime, { directory: join(stores, "command"), results });
}

function assertSaid(said: string, wanted: string | RegExp): void {
  if (typeof wanted === "string" ? said === wanted : wanted.test(said)) return;
  throw new Error(`said ${JSON.stringify(said)} instead of ${JSON.stringify(String(wanted))}`);
}

/** Command lines of `kvstore` with the exit status and the standard output that they must have. */
const COMMAND_LINES: [string[], number, string | RegExp][] = [
  [["--version"], 0, /0|[1-9]/],
  [["get", "greeting"], 3, ""],
  [["set", "greeting", "hello world"], 0, ""],
  [["get", "greeting"], 0, "hello world\n"],
  [["get", "other", "--quiet"], 1, ""],
  [["set", "--", "-5", "007"], 0, ""],
  [["list", "--values"], 0, /^-5\t.*007.*\ngreeting\t.*hello world/],
  [["export"], 0, '{"key":"-5","value":"007"}\n{"key":"greeting","value":"hello world"}\n'],
  [["nonsense"], 2, ""],
  [["delete", "greeting"], 0, ""],
  [["has", "greeting"], 1, ""],
  [["verify"], 0, /^/],
];

async function checkCommand(
  projects: Projects,
  runtime: Runtime,
  { directory, results }: { directory: string; results: Results },
): Promise<void> {
  const options: RunOptions = {
    cwd: projects.plain,
    env: { ...npmEnvironment(projects.cache), ...withPath(runtime.folder), KVSTORE_DIR: directory },
  };
  // Bun would start Node for the script's first line, if it was not told
  const command = runtime.kind === "bun"
    ? [runtime.program, "x", "--bun", "--no-install", "kvstore"]
    : [join(projects.plain, "node_modules/.bin/kvstore")];
  for (const [args, status, output] of COMMAND_LINES) {
    await results.check(runtime.name, COLUMN, `kvstore ${args.join(" ")}`, async () => {
      const { code, stdout, stderr } = await run(command[0]!, [...command.slice(1), ...args], options);
      assertSame(code, status, `exit status, with ${JSON.stringify(stderr)}`);
      assertSaid(stdout, output);
    });
  }
  if (Deno.build.os !== "windows") {
    await results.check(runtime.name, COLUMN, "kvstore refuses a key that is not UTF-8", async () => {
      const { code, stderr } = await run("bash", ["-c", String.raw`"$@" set $'a\xff' 1`, "bash", ...command], options);
      assertSame(
        [code, /argument 2 is not UTF-8/.test(stderr)],
        [2, true],
        `exit status, with ${JSON.stringify(stderr)}`,
      );
    });
  }
  if (runtime.kind === "node") await checkNpx(runtime, { options, results });
}

/** npx comes with npm, which may want a newer Node for itself: only what it starts runs in the runtime. */
async function checkNpx(runtime: Runtime, { options, results }: { options: RunOptions; results: Results }) {
  const [program, ...before] = await findNpx();
  await results.check(runtime.name, COLUMN, "npx kvstore", async () => {
    const version = await runOk(program!, [...before, "--no", "-c", "node --version"], options);
    assertSame(version.trim(), runtime.name.replace("Node ", "v"), "npx starts");
    const said = await runOk(program!, [...before, "--no", "kvstore", "get", "--", "-5"], options);
    assertSame(said, "007\n", "npx kvstore get");
    const { code } = await run(program!, [...before, "--no", "kvstore", "get", "greeting"], options);
    assertSame(code, 1, "exit status of npx kvstore");
  });
}

/** How npx is started by the Node that is on the PATH here, whatever PATH it is given. */
async function findNpx(): Promise<string[]> {
  if (Deno.build.os === "windows") return ["cmd", "/c", "npx"];
  const which = (name: string) => runOk("sh", ["-c", `command -v ${name}`]).then((path) => Deno.realPath(path.trim()));
  return [await which("node"), await which("npx")];
}

/** Size and number of files of what is installed. */
export async function measureInstalled(project: string): Promise<{ files: number; sizeBytes: number }> {
  const total = { files: 0, sizeBytes: 0 };
  const folders = [installedIn(project)];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const entry of Deno.readDir(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory) folders.push(path);
      else {
        total.files++;
        total.sizeBytes += (await Deno.stat(path)).size;
      }
    }
  }
  return total;
}
