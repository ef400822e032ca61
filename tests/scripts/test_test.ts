import { assertEquals } from "@std/assert";
import { closingLine } from "../../scripts/test.ts";

Deno.test("test: the closing lines of two halves are added up, and one that has none is no success", () => {
  const first = "a test ... ok (1ms)\n\nok | 12 passed (3 steps) | 0 failed | 2 ignored (3m2s)\n";
  const second = "FAILED | 5 passed | 1 failed (890ms)\n\nerror: Test failed\n";
  assertEquals(closingLine([first]), "ok | 12 passed | 0 failed | 2 ignored");
  assertEquals(closingLine([first, second]), "FAILED | 17 passed | 1 failed | 2 ignored");
  assertEquals(closingLine([first, "a test ...\nerror: it ended\n"]), undefined);
});
