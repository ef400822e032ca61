import { canStartProcesses } from "../support/permissions.ts";

Deno.test("tests that need the disk or other processes run only with -A", () => {
  if (!canStartProcesses) console.log("without -A: tests that need the disk or other processes are ignored");
});
