/** Calls on directories leave the event loop its turns, as those of an open store do: see tests/contract/turns.ts. */

import { destroyStore, KvStore, repairStore, verifyStore } from "../../mod.ts";
import { canUseDisk } from "../support/permissions.ts";
import { assertTurns } from "../support/turns.ts";

const UNKNOWN = { unknown: true } as object;

/** Each is made in a loop, on a directory with a store. */
const CALLS: Record<string, (directory: string) => Promise<unknown>> = {
  "KvStore.open of what is not there": (directory) => KvStore.open(`${directory}-none`, { create: false }),
  "KvStore.open with an option that does not exist": (directory) => KvStore.open(directory, UNKNOWN),
  verifyStore: (directory) => verifyStore(directory),
  "verifyStore of what is not there": (directory) => verifyStore(`${directory}-none`),
  "verifyStore with an option that does not exist": (directory) => verifyStore(directory, UNKNOWN),
  repairStore: (directory) => repairStore(directory, { dryRun: true }),
  "repairStore of what is not there": (directory) => repairStore(`${directory}-none`),
  "repairStore with an option that does not exist": (directory) => repairStore(directory, UNKNOWN),
  "destroyStore of what is not there": (directory) => destroyStore(`${directory}-none`),
  "destroyStore of what is no directory": () => destroyStore(""),
};

for (const [name, call] of Object.entries(CALLS)) {
  Deno.test(`${name}, awaited in a loop, leaves others their turn`, { ignore: !canUseDisk }, async () => {
    const root = await Deno.makeTempDir({ prefix: "kvstore-turns-" });
    try {
      const directory = `${root}/store`;
      await (await KvStore.open(directory)).close();
      await assertTurns(() => call(directory));
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });
}
