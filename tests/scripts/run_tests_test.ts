import { assertEquals } from "@std/assert";
import { closingLine, progressLine } from "../../scripts/run_tests.ts";

Deno.test("test: the closing lines of all runs are added up, and a run without one has failed", () => {
  const first = "a test ... ok (1ms)\n\nok | 12 passed (3 steps) | 0 failed | 2 ignored (3m2s)\n";
  const second = "FAILED | 5 passed | 1 failed (890ms)\n\nerror: Test failed\n";
  assertEquals(closingLine([first]), "ok | 12 passed | 0 failed | 2 ignored");
  assertEquals(closingLine([first, second]), "FAILED | 17 passed | 1 failed | 2 ignored");
  assertEquals(closingLine([first, "a test ...\nerror: it ended\n"]), "FAILED | 12 passed | 1 failed | 2 ignored");
});

/** For minutes nothing was to be seen of half of the suite, and not how much was left of the other. */
Deno.test("test: progress says how many files are done, what runs, and what has failed so far", () => {
  const told = (outputs: string[], seconds: number) => progressLine(outputs, { files: 9, seconds });
  assertEquals(told(["Check a_test.ts\n", ""], 0.7), "0 of 9 files, 0:00: checking types");
  const first =
    "running 2 tests from ./tests/a/a_test.ts\na ... ok (1ms)\nb ... ok (2s)\nrunning 1 test from ./tests/a/b_test.ts\n";
  const second = "running 0 tests from ./tests/c_test.ts\nrunning 1 test from ./tests/d_test.ts\nd ... FAILED (3ms)\n";
  assertEquals(told([first, ""], 65), "1 of 9 files, 1:05: tests/a/b_test.ts");
  assertEquals(told([first, second], 600), "2 of 9 files, 1 failed, 10:00: tests/a/b_test.ts tests/d_test.ts");
  const ended = second + "\nFAILED | 0 passed | 1 failed (1s)\n";
  assertEquals(told([first, ended], 601), "3 of 9 files, 1 failed, 10:01: tests/a/b_test.ts");
});
