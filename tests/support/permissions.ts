/** Which tests can run: `deno test` without `-A` runs those over the in-memory platform and ignores the others. */

function isGranted(name: "read" | "write" | "run"): boolean {
  return Deno.permissions.querySync({ name }).state === "granted";
}

/** Whether tests may use the disk. */
export const canUseDisk: boolean = isGranted("read") && isGranted("write");

/** Whether tests may use the disk and start processes. */
export const canStartProcesses: boolean = canUseDisk && isGranted("run");
