/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The page of `kvstore inspect` as people use it, in a real browser. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Browser } from "playwright-core";
import { KvStore, surveyLog } from "../../../mod.ts";
import { collectPage, type PageLimits } from "../../../src/cli/inspect/pages.ts";
import { hasBrowser, type Look, nextFrame, type Opened, openPage, type Page, startBrowser } from "./browser.ts";
import { HOSTILE_KEYS } from "./hostile.ts";

interface Site {
  browser: Browser;
  root: string;
}

/** Makes a store and opens the page of it. */
async function pageOfStore(
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
  const { html } = await collectPage(survey, { directory: "my store", hasValues, limits });
  survey.close();
  Deno.writeTextFileSync(`${directory}/page.html`, html);
  return await openPage(browser, `${directory}/page.html`, options);
}

/** Seven records of three keys, and what is left of them. */
async function few(store: KvStore): Promise<void> {
  await store.set("ada", "first");
  await store.set("bob", "only");
  await store.set("ada", "second");
  await store.set("ada", "third");
  await store.delete("bob");
  await store.set("eve", "x".repeat(200));
}

/** Several segments, one of them written by a compaction. */
async function many(store: KvStore): Promise<void> {
  const write = (i: number) => store.set(`key ${(i * i) % 173}`, "v".repeat(i % 90), { durability: "write" });
  for (let i = 0; i < 300; i++) await write(i);
  await store.compact();
  for (let i = 300; i < 500; i++) await write(i);
}

async function text(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).first().innerText()).replaceAll("\u00a0", " ");
}

async function setSlider(page: Page, value: number | "max"): Promise<void> {
  await page.evaluate((value) => {
    const slider = document.querySelector<HTMLInputElement>("#player input")!;
    slider.value = value === "max" ? slider.max : String(value);
    slider.dispatchEvent(new Event("input"));
  }, value);
  await nextFrame(page);
}

/** How many pixels of a canvas have been drawn on, of each colour that is frequent in it. */
async function drawnPixels(page: Page, selector: string): Promise<number> {
  return await page.evaluate((selector) => {
    const canvas = document.querySelector<HTMLCanvasElement>(selector)!;
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    let drawn = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i]! > 0) drawn++;
    return drawn / (canvas.width * canvas.height);
  }, selector);
}

async function noComplaints({ page, complaints }: Opened): Promise<void> {
  // That is about the reading of pixels by these tests.
  assertEquals(complaints.filter((one) => !one.includes("willReadFrequently")), []);
  await page.context().close();
}

const STEPS: Record<string, (site: Site) => Promise<void>> = {
  "draws every part, without a complaint and without the network": async (site) => {
    const opened = await pageOfStore(site, few);
    const { page } = opened;
    assertMatch(await text(page, "h1"), /^2 keys in 1 file, \d+ B on disk\.$/);
    assertStringIncludes(await text(page, "#verdict"), "Compaction would give");
    assert(await drawnPixels(page, ".strip canvas") > 0.3);
    assertEquals(await page.locator(".idea").count(), 3);
    assertEquals(await page.locator(".chart canvas").count(), 4);
    for (const state of ["live", "stale", "tombstone"]) assertStringIncludes(await text(page, "#legend"), state);
    await noComplaints(opened);
  },

  "shows the record under the mouse": async (site) => {
    const opened = await pageOfStore(site, few);
    const { page } = opened;
    const box = (await page.locator(".strip").first().boundingBox())!;
    const seen = new Set<string>();
    for (let i = 1; i < 40; i++) {
      await page.mouse.move(box.x + (box.width * i) / 40, box.y + 40);
      seen.add(await text(page, ".details"));
    }
    const all = [...seen].join("\n");
    for (const key of ["ada", "bob", "eve"]) assertStringIncludes(all, key);
    for (const state of ["live:", "stale:", "tombstone:"]) assertStringIncludes(all, state);
    assertStringIncludes(all, "not shown (kvstore inspect --values)");
    await noComplaints(opened);
  },

  "shows values if they were asked for": async (site) => {
    const opened = await pageOfStore(site, few, { hasValues: true });
    await opened.page.fill("#key", "ada");
    await opened.page.locator(".version").first().click();
    assertStringIncludes(await text(opened.page, ".details"), "third");
    await noComplaints(opened);
  },

  "can be walked along with the keyboard, and says where one is": async (site) => {
    const opened = await pageOfStore(site, many);
    const { page } = opened;
    await page.locator("#key").focus();
    await page.locator(".play").focus();
    // From the controls the Tab key leads to the strips.
    for (let i = 0; i < 10 && !await page.evaluate(() => document.activeElement!.matches(".strip")); i++) {
      await page.keyboard.press("Tab");
    }
    assert(
      await page.evaluate(() => document.activeElement!.matches(".strip:focus-visible")),
      "the focus is on a strip",
    );
    const sequences: number[] = [];
    for (const key of ["Home", "ArrowRight", "ArrowRight", "ArrowLeft", "End"]) {
      await page.keyboard.press(key);
      sequences.push(Number(/Sequence\s+([\d,]+)/.exec(await text(page, ".details"))![1]!.replaceAll(",", "")));
    }
    const [first, second, third, back, last] = sequences as [number, number, number, number, number];
    assert(first < second && second < third && back === second && last > third, sequences.join());
    assertMatch(await text(page, ".panel .unseen"), /sequence/);
    const row = () => page.evaluate(() => document.activeElement!.closest<HTMLElement>(".row")!.dataset.row);
    const before = await row();
    await page.keyboard.press("ArrowDown");
    assertEquals(await row(), String(Number(before) + 1));
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    const key = /Key\s+(key \d+)/.exec(await text(page, ".details"))![1]!;
    assertStringIncludes(await text(page, ".versions h3"), key);
    await noComplaints(opened);
  },

  "finds a key, shows its versions, and the one that the index points at": async (site) => {
    const opened = await pageOfStore(site, few);
    const { page } = opened;
    await page.fill("#key", "ada");
    assertEquals(await page.locator(".version").count(), 3);
    assertStringIncludes(await text(page, ".version.pointed"), "live");
    assertMatch(await text(page, ".index-entry"), /Segment 1, offset \d+/);
    await page.fill("#key", "bob");
    assertStringIncludes(await text(page, ".index-entry"), "no entry");
    await page.fill("#key", "A");
    await page.locator(".match").first().click();
    assertStringIncludes(await text(page, ".versions h3"), "ada");
    await page.fill("#key", "nobody");
    assertStringIncludes(await text(page, "#matches-count"), "No key");
    // Before it was written a key has no entry either.
    await page.fill("#key", "eve");
    await setSlider(page, 1);
    assertStringIncludes(await text(page, ".versions"), "Not written yet");
    await noComplaints(opened);
  },

  "plays the history, a sentence for each step, and what compaction would do": async (site) => {
    const opened = await pageOfStore(site, few);
    const { page } = opened;
    await setSlider(page, 0);
    assertStringIncludes(await text(page, "#sentence"), "empty");
    const sentences: string[] = [];
    for (let i = 0; i < 9; i++) {
      await page.click('button[aria-label="One step on"]');
      sentences.push(await text(page, "#sentence"));
    }
    const wanted = [
      /set ada: a record of 32 B is appended/,
      /set bob: /,
      /set ada again: .* sequence 1, is stale/,
      /set ada again/,
      /delete bob: a tombstone/,
      /set eve/,
      /log as it is/,
      /compaction would do: copy/,
      /the old file goes: .* are free again/,
    ];
    wanted.forEach((pattern, i) => assertMatch(sentences[i]!, pattern));
    assertEquals(await page.locator(".row:not([hidden]) .row-title").allInnerTexts(), ["New segment"]);
    await page.click(".play");
    await page.waitForFunction(() => document.querySelector("#player strong")!.textContent!.startsWith("Sequence"));
    assertStringIncludes(await text(page, ".play"), "Pause");
    await page.click(".play");
    const stopped = await text(page, "#player strong");
    await nextFrame(page);
    assertEquals(await text(page, "#player strong"), stopped);
    await page.locator("#player input").focus();
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowLeft");
    assertStringIncludes(await text(page, "#player strong"), "first half");
    await noComplaints(opened);
  },

  "is honest about what a compaction has removed": async (site) => {
    const opened = await pageOfStore(site, many);
    const { page } = opened;
    assertStringIncludes((await page.locator(".row-note").allInnerTexts()).join(), "compacted from");
    await setSlider(page, 5);
    assertStringIncludes((await page.locator(".row.ghost .row-note").allInnerTexts()).join(), "then in");
    const max = Number(await page.locator("#player input").getAttribute("max"));
    const seen: string[] = [];
    seen.push(
      ...await page.evaluate((max) => {
        const slider = document.querySelector<HTMLInputElement>("#player input")!;
        return Array.from({ length: max }, (_, value) => {
          slider.value = String(value);
          slider.dispatchEvent(new Event("input"));
          return document.getElementById("sentence")!.textContent!;
        });
      }, max),
    );
    const compactions = seen.filter((sentence) => sentence.startsWith("Compaction:"));
    assert(compactions.length > 0);
    for (const sentence of compactions) assertMatch(sentence, /What was stale in there is gone/);
    assert(seen.some((sentence) => sentence.includes("removed by a compaction since")));
    await noComplaints(opened);
  },

  "says that it shows a sample of a large store, which is drawn in cells": async (site) => {
    const opened = await pageOfStore(site, many, { limits: { records: 150, cells: 200, steps: 30 } });
    const { page } = opened;
    assertStringIncludes(await text(page, "#matches-count"), "a sample");
    assert(await drawnPixels(page, ".strip canvas") > 0.3);
    await page.locator(".strip").first().focus();
    await page.keyboard.press("ArrowRight");
    assertMatch(await text(page, ".details"), /bytes \d+ to [\d,]+/);
    await setSlider(page, 3);
    assertMatch(await text(page, "#sentence"), /appended/);
    await setSlider(page, 0);
    assert(await drawnPixels(page, ".strip canvas") < 0.1);
    await noComplaints(opened);
  },

  "names damage at the top, and draws it": async (site) => {
    const damage = (directory: string) => {
      const path = `${directory}/00000001.seg`;
      const bytes = Deno.readFileSync(path);
      bytes[90]! ^= 1;
      Deno.writeFileSync(path, bytes);
    };
    const opened = await pageOfStore(site, few, { damage });
    assertStringIncludes(await text(opened.page, "#alerts"), "This store is damaged.");
    assertStringIncludes(await text(opened.page, "#alerts"), "segment 1, offset");
    await noComplaints(opened);
  },

  "shows an empty store": async (site) => {
    const opened = await pageOfStore(site, () => Promise.resolve());
    assertStringIncludes(await text(opened.page, "#verdict"), "Nothing has been written yet.");
    await opened.page.click(".play");
    await noComplaints(opened);
  },

  "keeps hostile keys text": async (site) => {
    const opened = await pageOfStore(site, async (store) => {
      for (const key of HOSTILE_KEYS) await store.set(key, key.slice(0, 99));
      await store.set(new Uint8Array([0xff, 0x3c]), "\ud800");
    }, { hasValues: true });
    const { page } = opened;
    const title = await page.title();
    assertEquals(title, "my store: a picture of the log");
    for (const part of ["script", "img", "onerror", "&lt;", "]]>", "日本", "base64:", "__proto__"]) {
      await page.fill("#key", part);
      if (await page.locator(".match").count() > 0) await page.locator(".match").first().click();
      assertStringIncludes((await text(page, ".versions h3")).toLowerCase(), part.toLowerCase());
      await page.locator(".version").first().click();
    }
    await setSlider(page, 2);
    assertEquals(await page.locator("img, iframe, body script:not([type]) ~ script").count(), 0);
    assertEquals(await page.title(), title);
    await noComplaints(opened);
  },

  "fits windows from a telephone's to a wide one": async (site) => {
    for (const write of [few, many]) {
      const opened = await pageOfStore(site, write);
      const { page } = opened;
      for (const width of [320, 400, 720, 1020, 1280, 2000]) {
        await page.setViewportSize({ width, height: 800 });
        await nextFrame(page);
        const over = await page.evaluate(() => {
          const right = document.documentElement.clientWidth + 1;
          return [...document.querySelectorAll<HTMLElement>("body *:not(.skip)")]
            .filter((one) => one.getBoundingClientRect().right > right && !one.closest(".unseen"))
            .map((one) => `${one.tagName}.${one.className}`);
        });
        assertEquals(over, [], `at ${width}`);
        // What was drawn for another width has been drawn anew.
        const blurred = await page.evaluate(() =>
          [...document.querySelectorAll<HTMLCanvasElement>(".bar, .idea canvas")]
            .filter((canvas) => canvas.width !== Math.round(canvas.clientWidth * devicePixelRatio)).length
        );
        assertEquals(blurred, 0, `at ${width}`);
      }
      await noComplaints(opened);
    }
  },

  "is readable in light and in dark": async (site) => {
    const grounds: string[] = [];
    for (const scheme of ["light", "dark"] as const) {
      const opened = await pageOfStore(site, few, { scheme });
      const contrasts = await opened.page.evaluate(contrastsInPage);
      for (const { name, contrast } of contrasts) {
        assert(contrast >= 4.5, `${scheme}: ${name} has ${contrast.toFixed(1)}`);
      }
      grounds.push(await opened.page.evaluate(() => getComputedStyle(document.body).backgroundColor));
      // The colours may change while the page is open.
      await opened.page.emulateMedia({ colorScheme: scheme === "light" ? "dark" : "light" });
      await nextFrame(opened.page);
      assert(await drawnPixels(opened.page, ".strip canvas") > 0.3);
      await noComplaints(opened);
    }
    assertEquals(new Set(grounds).size, 2);
  },

  "tells states apart without colour": async (site) => {
    const opened = await pageOfStore(site, few);
    const greys = await opened.page.evaluate(() =>
      [...document.querySelectorAll<HTMLCanvasElement>("#legend canvas")].map((canvas) => {
        const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
        let pattern = "";
        for (let i = 0; i < data.length; i += 4) {
          const own = 0.3 * data[i]! + 0.6 * data[i + 1]! + 0.1 * data[i + 2]!;
          const first = 0.3 * data[0]! + 0.6 * data[1]! + 0.1 * data[2]!;
          pattern += Math.abs(own - first) > 25 ? "#" : ".";
        }
        return pattern;
      })
    );
    assertEquals(new Set(greys).size, greys.length);
    assert(greys.length >= 4);
    await noComplaints(opened);
  },

  "has a name for everything that can be reached": async (site) => {
    const opened = await pageOfStore(site, many);
    await opened.page.fill("#key", "key 1");
    const { nodes } = await opened.session.send("Accessibility.getFullAXTree");
    const focusable = nodes.filter((node) =>
      !node.ignored && node.properties?.some(({ name, value }) => name === "focusable" && value.value === true)
    );
    assert(focusable.length > 15, `${focusable.length} are few`);
    for (const { role, name } of focusable) {
      if (role?.value === "RootWebArea") continue;
      assert(String(name?.value ?? "").trim() !== "", `a ${role?.value} without a name`);
    }
    const roles = new Set(nodes.map(({ role }) => role?.value));
    for (const role of ["banner", "main", "complementary", "contentinfo", "searchbox", "slider"]) {
      assert(roles.has(role), `no ${role}`);
    }
    const levels = await opened.page.evaluate(() =>
      [...document.querySelectorAll("h1,h2,h3")].map((one) => Number(one.tagName[1]))
    );
    levels.forEach((level, i) => assert(level - (levels[i - 1] ?? 0) <= 1, `headings: ${levels.join()}`));
    await noComplaints(opened);
  },
};

/** Runs in the page: the contrast of each text with what is behind it. */
function contrastsInPage(): { name: string; contrast: number }[] {
  const parse = (colour: string) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (colour: number[]) => {
    const [r, g, b] = colour.slice(0, 3).map((part) => {
      const share = part / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const groundOf = (one: Element): number[] => {
    const colour = parse(getComputedStyle(one).backgroundColor);
    return colour[3] === 0 && one.parentElement ? groundOf(one.parentElement) : colour;
  };
  const texts = [...document.querySelectorAll("h1,h2,h3,p,dt,dd,span,button,strong,small,label,code")]
    .filter((one) => one.textContent!.trim() !== "" && one.getClientRects().length > 0 && !one.closest(".unborn"));
  return texts.map((one) => {
    const [a, b] = [luminance(parse(getComputedStyle(one).color)), luminance(groundOf(one))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    return { name: `${one.tagName}.${one.className} "${one.textContent!.slice(0, 20)}"`, contrast };
  });
}

Deno.test({
  name: "inspect: the page in Chromium",
  ignore: !hasBrowser(),
  fn: async (test) => {
    const root = Deno.makeTempDirSync({ prefix: "kvstore-inspect-" });
    const browser = await startBrowser();
    try {
      for (const [name, step] of Object.entries(STEPS)) await test.step(name, () => step({ browser, root }));
    } finally {
      await browser.close();
      Deno.removeSync(root, { recursive: true });
    }
  },
});
