/**
 * Holds Deno's own KV against the conformance suite: it fails where the table of differences says so, and nowhere else.
 * Random histories give the same answers on both.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { DIFFERENCES } from "./support/conformance.ts";

Deno.test("kv: Deno's own does the same, but for the differences that are listed", async () => {
  const script = new URL("./support/conformance_of_deno.ts", import.meta.url).href;
  const args = ["run", "--no-check", "--unstable-kv", script];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  assert(success, new TextDecoder().decode(stderr));
  const { failed, differences }: { failed: [name: string, error: string][]; differences: string[] } = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  assertEquals(differences, []);
  const others = failed.filter(([name]) => !Object.hasOwn(DIFFERENCES, name));
  assertEquals(others, []);
  assertEquals(failed.map(([name]) => name).sort(), Object.keys(DIFFERENCES).sort());
});
