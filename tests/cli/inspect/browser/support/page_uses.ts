// What runs in the page has a browser around it, of which Deno has no types.
// deno-lint-ignore-file no-explicit-any
/**
 * The page as people use it: with the mouse, the keyboard, the search and the player.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { nextFrame } from "./chromium.ts";
import { drawnPixels, few, many, noComplaints, pageOfStore, setSlider, type Site, text } from "./site.ts";

declare const document: any;

/** What people do with the page. */
export const USES: Record<string, (site: Site) => Promise<void>> = {
  "draws every part, without a complaint and without the network": async (site) => {
    const opened = await pageOfStore(site, few);
    const { page } = opened;
    assertMatch(await text(page, "h1"), /^2 keys in 1 file, \d+ B on disk\.$/);
    assertStringIncludes(await text(page, "#verdict"), "Compaction would reclaim");
    assert(await drawnPixels(page, ".strip canvas") > 0.3);
    assertEquals(await page.locator(".idea").count(), 3);
    assertEquals(await page.locator(".chart canvas").count(), 4);
    for (const state of ["live", "stale", "tombstone"]) assertStringIncludes(await text(page, "#legend"), state);
    await noComplaints(opened);
  },

  // The title said 333 keys and the caption of Growth 342: it counted what had expired as if it was still there.
  "counts the same keys in its title and under its charts, also where some have expired": async (site) => {
    const opened = await pageOfStore(site, async (store) => {
      for (let i = 0; i < 12; i++) await store.set(`key ${i}`, i, i % 3 === 0 ? { ttl: 1 } : {});
      await store.set("key 0", "stays");
      await new Promise((resolve) => setTimeout(resolve, 20));
    });
    const { page } = opened;
    assertMatch(await text(page, "h1"), /^9 keys in /);
    assertMatch(await text(page, ".reading"), /, 9 keys, and 3 that expired\.$/);
    await page.locator(".plot").first().hover({ position: { x: 120, y: 60 } });
    assertMatch(await text(page, ".reading"), /, \d+ keys?, those that expired included\.$/);
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
    const row = () => page.evaluate(() => document.activeElement!.closest(".row")!.dataset.row);
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
        const slider = document.querySelector("#player input")!;
        return Array.from({ length: max }, (_, value) => {
          slider.value = String(value);
          slider.dispatchEvent(new Event("input"));
          return document.getElementById("sentence")!.textContent!;
        });
      }, max),
    );
    const compactions = seen.filter((sentence) => sentence.startsWith("Compaction:"));
    assert(compactions.length > 0);
    for (const sentence of compactions) assertMatch(sentence, /Stale records were not copied/);
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
    const named = new Set<string>();
    for (let i = 0; i < 12; i++) {
      const key = /Such as\s+(key \d+)/.exec(await text(page, ".details"))?.[1];
      if (key !== undefined) {
        named.add(key);
        await page.keyboard.press("Enter");
        assertStringIncludes(await text(page, ".versions h3"), key);
      }
      await page.keyboard.press("ArrowRight");
    }
    assert(named.size > 1, "parts of the log name keys of the sample that lie in them");
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
};
