// What runs in the page has a browser around it, of which Deno has no types.
// deno-lint-ignore-file no-explicit-any
/**
 * Chromium, as far as it is installed: Debian has a package of it. Whoever runs the gate without one is told what is
 * left out; where the gate decides about a change, it must be there.
 *
 * @module
 */

import type { Browser, CDPSession, Page } from "playwright-core";
import { canStartProcesses } from "../../../../support/permissions.ts";

declare const document: any;
declare const requestAnimationFrame: any;

export type { CDPSession, Page };

/** Debian's, and where others have it or its like. */
const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];
/** Quiet, and asking nobody for anything. */
const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Where a Chromium is, if one is. */
export function findChromium(): string | undefined {
  const named = Deno.env.get("KVSTORE_CHROMIUM");
  return [...(named === undefined ? [] : [named]), ...PLACES].find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

/** Whether the tests in a browser can run. Says so in a line if they cannot; in CI they must. */
export function hasBrowser(): boolean {
  if (!canStartProcesses) return false;
  if (findChromium() !== undefined) return true;
  if (Deno.env.get("CI") === "true") return true;
  console.log("inspect: no Chromium is installed, so the page is not tested in a browser (apt-get install chromium)");
  return false;
}

/** Starts a browser with an empty profile. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error("Chromium is missing: apt-get install chromium");
  const { chromium } = await import("playwright-core");
  return await chromium.launch({ executablePath, args: ARGUMENTS });
}

/** How a page is looked at. */
export interface Look {
  width?: number;
  height?: number;
  scheme?: "light" | "dark";
}

/** A page, and what it complained of or asked the network for. */
export interface Opened {
  page: Page;
  complaints: string[];
  session: CDPSession;
}

/** Opens a file, without any network. */
export async function openPage(browser: Browser, file: string, look: Look = {}): Promise<Opened> {
  const { width = 1280, height = 900, scheme = "light" } = look;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, offline: true });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("request", (request) => {
    const url = request.url();
    if (url !== `file://${file}` && !url.startsWith("data:")) complaints.push(`request: ${url}`);
  });
  await page.goto(`file://${file}`);
  await scrollTo(page, "#log");
  return { page, complaints, session: await context.newCDPSession(page) };
}

/** Brings an element to the top of the window. */
export async function scrollTo(page: Page, selector: string): Promise<void> {
  await page.evaluate(
    (selector) => document.querySelector(selector)!.scrollIntoView({ behavior: "instant" }),
    selector,
  );
  await nextFrame(page);
}

/** Waits until what was asked for has been drawn. */
export async function nextFrame(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}
