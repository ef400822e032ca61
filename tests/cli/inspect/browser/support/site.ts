// What runs in the page has a browser around it, of which Deno has no types.
// deno-lint-ignore-file no-explicit-any
/**
 * Stores, pages of them in a browser, and what is asked of those.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { Browser } from "playwright-core";
import { KvStore, surveyLog } from "../../../../../mod.ts";
import { makePage, type PageLimits } from "../../../../../src/cli/inspect/html.ts";
import { type Look, nextFrame, type Opened, openPage, type Page } from "./chromium.ts";

declare const document: any;

/** A browser, and a folder for stores. */
export interface Site {
  browser: Browser;
  root: string;
}

/** Makes a store and opens the page of it. */
export async function pageOfStore(
  { browser, root }: Site,
  write: (store: KvStore) => Promise<void>,
  options: Look & { limits?: Partial<PageLimits>; hasValues?: boolean; damage?: (directory: string) => void } = {},
): Promise<Opened> {
  const directory = Deno.makeTempDirSync({ dir: root });
  const store = await KvStore.open(`${directory}/store`, { segmentBytes: 4096, compaction: { auto: false } });
  await write(store);
  await store.close();
  options.damage?.(`${directory}/store`);
  const survey = surveyLog(`${directory}/store`);
  const { hasValues = false, limits = {} } = options;
  const { html } = await makePage(survey, { directory: "my store", hasValues, limits });
  survey.close();
  Deno.writeTextFileSync(`${directory}/page.html`, html);
  return await openPage(browser, `${directory}/page.html`, options);
}

/** Seven records of three keys, and what is left of them. */
export async function few(store: KvStore): Promise<void> {
  await store.set("ada", "first");
  await store.set("bob", "only");
  await store.set("ada", "second");
  await store.set("ada", "third");
  await store.delete("bob");
  await store.set("eve", "x".repeat(200));
}

/** Several segments, one of them written by a compaction. */
export async function many(store: KvStore): Promise<void> {
  const write = (i: number) => store.set(`key ${(i * i) % 173}`, "v".repeat(i % 90), { durability: "write" });
  for (let i = 0; i < 300; i++) await write(i);
  await store.compact();
  for (let i = 300; i < 500; i++) await write(i);
}

/** The text of the first element that a selector finds. */
export async function text(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).first().innerText()).replaceAll("\u00a0", " ");
}

/** Moves the player's slider. */
export async function setSlider(page: Page, value: number | "max"): Promise<void> {
  await page.evaluate((value) => {
    const slider = document.querySelector("#player input")!;
    slider.value = value === "max" ? slider.max : String(value);
    slider.dispatchEvent(new Event("input"));
  }, value);
  await nextFrame(page);
}

/** How many pixels of a canvas have been drawn on, of each colour that is frequent in it. */
export async function drawnPixels(page: Page, selector: string): Promise<number> {
  return await page.evaluate((selector) => {
    const canvas = document.querySelector(selector)!;
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    let drawn = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i]! > 0) drawn++;
    return drawn / (canvas.width * canvas.height);
  }, selector);
}

/** Closes a page, which must have complained of nothing and asked for nothing. */
export async function noComplaints({ page, complaints }: Opened): Promise<void> {
  // That is about the reading of pixels by these tests.
  assertEquals(complaints.filter((one) => !one.includes("willReadFrequently")), []);
  await page.context().close();
}
