import { settings } from "../property/support/settings.ts";
import { runScenes } from "./support/run.ts";

const ROUNDS = 350;

Deno.test("model: a store does what a Map does, through crashes, failures and compactions", async () => {
  await runScenes(settings(ROUNDS));
});
