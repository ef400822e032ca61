import { assertEquals } from "@std/assert";
import { nextTurn, startTimer } from "../../src/platform/turn.ts";

Deno.test("a turn lets due timers run", async () => {
  let ran = false;
  startTimer(0, () => ran = true);
  const startMs = Date.now();
  while (Date.now() - startMs < 5);
  for (let i = 0; i < 3; i++) await nextTurn();
  assertEquals(ran, true);
});

Deno.test("a stopped timer does nothing", async () => {
  let ran = false;
  const timer = startTimer(1, () => ran = true);
  timer.stop();
  timer.stop();
  await new Promise((resolve) => setTimeout(resolve, 10));
  assertEquals(ran, false);
});
