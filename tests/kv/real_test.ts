import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { canStartProcesses } from "../support/permissions.ts";

Deno.test("kv: keys and values have the bytes, the order and the errors of this Deno's own KV", {
  ignore: !canStartProcesses,
}, async () => {
  const program = fileURLToPath(new URL("support/real.ts", import.meta.url));
  const args = ["run", "-A", "--quiet", "--no-check", "--unstable-kv", program];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  const [said, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assertEquals(errors, "");
  assertEquals(JSON.parse(said!), []);
});
