/** `delete` and `has`. */

import { assertEquals } from "@std/assert";
import { cliTest } from "./support/shell.ts";

cliTest("has and delete: the exit status tells, get and delete say it", async (shell) => {
  await shell.ok(["set", "k", "v"]);
  assertEquals(await shell.run(["has", "k"]), await shell.run(["delete", "k"]));
  const absent = { code: 1, out: "", outBytes: new Uint8Array() };
  assertEquals(await shell.run(["has", "k"]), { ...absent, err: "" });
  for (const name of ["get", "delete", "rm", "del"]) {
    assertEquals(await shell.run([name, "k"]), { ...absent, err: "kvstore: key not found: k\n" });
    assertEquals(await shell.run([name, "k", "--quiet"]), { ...absent, err: "" });
  }
  const json = await shell.run(["get", "k", "--json"]);
  assertEquals(JSON.parse(json.err), { error: { code: "KEY_NOT_FOUND", message: "key not found: k" } });
  assertEquals((await shell.run(["has", "k", "--json"])).out, '{"key":"k","present":false}\n');
  assertEquals((await shell.run(["delete", "k", "--json"])).out, '{"key":"k","deleted":false}\n');
});
