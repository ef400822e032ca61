/**
 * What `deno doc` shows of the package: every call stands where its user looks for it, explained, and internals come
 * last.
 *
 * Once the reading calls were inherited from a class of their own, which `deno doc` does not follow: under `KvStore`
 * there was no `get`. They are members of the classes themselves now.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { canStartProcesses } from "../support/permissions.ts";

interface Tagged {
  jsDoc?: { doc?: string; tags?: { kind: string }[] };
}

interface Declared {
  name: string;
  declarations: (Tagged & { kind: string; def: { methods?: (Tagged & { name: string })[] } })[];
}

const READING = ["size", "get", "getMany", "has", "expiresAt", "keys", "values", "entries", "[Symbol.iterator]"];
const WITH_EXAMPLE = ["get", "set", "batch", "entries", "snapshot", "watch", "history", "compact", "backup", "refresh"];

async function documented(): Promise<Declared[]> {
  const root = new URL("../../", import.meta.url).pathname;
  const args = ["doc", "--json", "mod.ts"];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args, cwd: root }).output();
  const { nodes } = JSON.parse(new TextDecoder().decode(stdout));
  return Object.values<{ symbols: Declared[] }>(nodes)[0]!.symbols;
}

const has = ({ jsDoc }: Tagged, tag: string) => jsDoc?.tags?.some(({ kind }) => kind === tag) ?? false;

Deno.test({
  name: "deno doc: a store and its snapshots list every call with its explanation, the main ones with an example",
  ignore: !canStartProcesses,
  async fn() {
    const symbols = await documented();
    for (const name of ["KvStore", "Snapshot"]) {
      const methods = symbols.find((symbol) => symbol.name === name)!.declarations[0]!.def.methods!;
      const names = new Set(methods.map((method) => method.name));
      // Of a call with several signatures the last is the implementation, which nobody is shown.
      for (const method of methods) if (method.jsDoc?.doc || has(method, "internal")) names.delete(method.name);
      assertEquals([...names], [], `${name}: calls without an explanation`);
      for (const method of methods) names.add(method.name);
      assertEquals(READING.filter((call) => !names.has(call)), [], `${name}: calls that are not listed`);
      if (name === "Snapshot") continue;
      const shown = new Set(methods.filter((method) => has(method, "example")).map((method) => method.name));
      assertEquals(WITH_EXAMPLE.filter((call) => !shown.has(call)), [], "calls without an example");
    }
  },
});

Deno.test({
  name: "deno doc: the interface comes first; what follows is for readers and tools, and says so",
  ignore: !canStartProcesses,
  async fn() {
    const symbols = await documented();
    const isInternal = symbols.map(({ declarations }) => declarations.some((one) => has(one, "experimental")));
    const first = isInternal.indexOf(true);
    assert(first > 0);
    assertEquals(symbols.filter((_, i) => i > first && !isInternal[i]).map(({ name }) => name), []);
  },
});
