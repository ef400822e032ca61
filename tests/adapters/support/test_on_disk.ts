/** Tests on a directory of their own, whose store is verified in the end. */

import { assertEquals } from "@std/assert";
import { verifyStore } from "../../../mod.ts";
import { canUseDisk } from "../../support/permissions.ts";

/** A test with a directory for one store. */
export function diskTest(name: string, test: (directory: string) => Promise<void>): void {
  Deno.test(name, { ignore: !canUseDisk }, async () => {
    const root = await Deno.makeTempDir({ prefix: "kvstore-adapters-" });
    try {
      await test(`${root}/store`);
      assertEquals((await verifyStore(`${root}/store`)).problems, []);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });
}

/** Runs something; returns how often a timer of a millisecond fired meanwhile. */
export async function timersDuring(action: () => Promise<unknown>): Promise<number> {
  let fired = 0;
  const timer = setInterval(() => fired++, 1);
  try {
    await action();
  } finally {
    clearInterval(timer);
  }
  return fired;
}
