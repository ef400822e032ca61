/**
 * Makes the pictures of docs/inspect.md anew: `deno task docs:pictures`. It fills stores with the same writes every
 * time, has `kvstore inspect` make pages of them, and photographs those in Chromium. Files are made small with
 * `pngquant`, where that is installed.
 *
 * @module
 */

import { join } from "node:path";
import { KvStore, surveyLog, type Value } from "../mod.ts";
import { makePage } from "../src/cli/inspect/html.ts";
import {
  type Look,
  openPage,
  type Page,
  scrollTo,
  startBrowser,
} from "../tests/cli/inspect/browser/support/chromium.ts";
import { randomNumbers } from "../bench/names/input.ts";
import { ROOT } from "./repository.ts";

const TARGET = join(ROOT, "docs/inspect");
/** The same footer every time. */
const MADE_MS = Date.UTC(2026, 10, 28, 12);

interface Shot extends Look {
  name: string;
  write: (store: KvStore<Value>) => Promise<void>;
  segmentBytes: number;
  /** What is scrolled to the top; without it the page's beginning is shown. */
  from?: string;
  /** What is done before the picture is taken. */
  act?: (page: Page) => Promise<void>;
}

/** A few records, as in the first minute with a store. */
async function few(store: KvStore<Value>): Promise<void> {
  await store.set("user:1", { name: "Ada" });
  await store.set("user:2", { name: "Grace" });
  await store.set("visits", 1);
  await store.set("visits", 2);
  await store.set("user:1", { name: "Ada Lovelace" });
  await store.delete("user:2");
  await store.set("visits", 3);
  await store.set("theme", "dark");
  await store.batch([
    { type: "set", key: "cart:7", value: ["tea"] },
    { type: "set", key: "cart:8", value: ["ink", "paper"] },
  ]);
}

/** Sessions that come, change and go, with a compaction on the way. */
function sessions(count: number): (store: KvStore<Value>) => Promise<void> {
  return async (store) => {
    const random = randomNumbers(7);
    const write = (): Promise<unknown> => {
      const key = `session:${Math.floor(random() ** 2 * (count / 4)).toString(36).padStart(4, "0")}`;
      if (random() < 0.08) return store.delete(key, { durability: "write" });
      const value = { user: Math.floor(random() * 1000), path: "/".padEnd(Math.floor(random() * 60), "x") };
      return store.set(key, value, { durability: "write" });
    };
    for (let i = 0; i < count; i++) {
      if (i === Math.floor(count * 0.4)) await store.compact();
      await write();
    }
  };
}

const SHOTS: readonly Shot[] = [
  { name: "overview", write: sessions(10_000), segmentBytes: 64 * 1024, width: 1280, height: 880 },
  { name: "log", write: sessions(10_000), segmentBytes: 64 * 1024, width: 1280, height: 1010, from: "#log" },
  {
    name: "step",
    write: few,
    segmentBytes: 64 * 1024,
    width: 1280,
    height: 770,
    from: "#log",
    act: async (page) => {
      await page.locator("#player input").focus();
      await page.keyboard.press("Home");
      for (let i = 0; i < 5; i++) await page.click('button[aria-label="One step on"]');
      await page.locator("h1").click();
    },
  },
  {
    name: "large",
    write: sessions(400_000),
    segmentBytes: 4 << 20,
    width: 1280,
    height: 900,
    from: "#log",
    scheme: "dark",
  },
];

async function main(): Promise<void> {
  const scratch = await Deno.makeTempDir({ prefix: "kvstore-shots-" });
  const browser = await startBrowser();
  await Deno.mkdir(TARGET, { recursive: true });
  try {
    for (const shot of SHOTS) {
      const directory = `${scratch}/${shot.name}`;
      const store = await KvStore.open(directory, { segmentBytes: shot.segmentBytes, compaction: { auto: false } });
      await shot.write(store);
      await store.close();
      const survey = surveyLog(directory);
      const { html } = await makePage(survey, { directory: "./kvstore-data", hasValues: false, nowMs: MADE_MS });
      survey.close();
      const file = `${scratch}/${shot.name}.html`;
      await Deno.writeTextFile(file, html);
      const { page, complaints } = await openPage(browser, file, shot);
      if (complaints.length > 0) throw new Error(complaints.join("\n"));
      await shot.act?.(page);
      await scrollTo(page, shot.from ?? "body");
      const path = join(TARGET, `${shot.name}.png`);
      await page.screenshot({ path });
      await shrink(path);
      console.log(`docs/inspect/${shot.name}.png: ${Math.round((await Deno.stat(path)).size / 1000)} kB`);
      await page.context().close();
    }
  } finally {
    await browser.close();
    await Deno.remove(scratch, { recursive: true });
  }
}

/** A third of the size, with 128 colours: patterns and text stay as they are. */
async function shrink(path: string): Promise<void> {
  const args = ["--force", "--skip-if-larger", "--strip", "--nofs", "--output", path, "128", path];
  const command = new Deno.Command("pngquant", { args, stdin: "null" });
  const { success } = await command.output().catch(() => ({ success: false }));
  if (!success) console.log("pngquant is not installed, or could make it no smaller: the picture stays as it is");
}

if (import.meta.main) await main();
