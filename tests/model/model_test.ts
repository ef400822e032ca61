import { settings } from "../property/support/settings.ts";
import { IS_THOROUGH } from "../support/sweep.ts";
import { runScenes } from "./support/scenes.ts";

/** In the suite and in the gate. */
const ROUNDS = IS_THOROUGH ? 350 : 30;

Deno.test("model: a store does what a Map does, through crashes, failures and compactions", async () => {
  await runScenes(settings(ROUNDS));
});
