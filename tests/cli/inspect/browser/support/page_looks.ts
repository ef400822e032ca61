// What runs in the page has a browser around it, of which Deno has no types.
// deno-lint-ignore-file no-explicit-any
/**
 * The page as people find it: in small windows, in the dark, without colours, by ear, and with keys that mean harm.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { HOSTILE_KEYS } from "../../support/hostile.ts";
import { nextFrame } from "./chromium.ts";
import { drawnPixels, few, many, noComplaints, pageOfStore, setSlider, type Site, text } from "./site.ts";

declare const document: any;
declare const getComputedStyle: any;
declare const devicePixelRatio: number;

/** What the page must be, whoever looks at it. */
export const LOOKS: Record<string, (site: Site) => Promise<void>> = {
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
          return [...document.querySelectorAll("body *:not(.skip)")]
            .filter((one) => one.getBoundingClientRect().right > right && !one.closest(".unseen"))
            .map((one) => `${one.tagName}.${one.className}`);
        });
        assertEquals(over, [], `at ${width}`);
        // What was drawn for another width has been drawn anew.
        const blurred = await page.evaluate(() =>
          [...document.querySelectorAll(".bar, .idea canvas")]
            .filter((canvas) => canvas.width !== Math.round(canvas.clientWidth * devicePixelRatio)).length
        );
        assertEquals(blurred, 0, `at ${width}`);
        if (width > 1020) continue;
        // Where the panel is below the strips, a line beside them says what is pointed at.
        await page.locator(".strip").first().hover({ position: { x: 60, y: 30 } });
        assertStringIncludes(await text(page, "#pointed"), "sequence");
      }
      await noComplaints(opened);
    }
  },

  // 'now' stood in the middle of its place, which in a narrow panel left a pixel between it and 'compacted'.
  "keeps the labels under the slider apart": async (site) => {
    for (const write of [few, many]) {
      const opened = await pageOfStore(site, write);
      for (const width of [320, 720, 1021, 1280, 2000]) {
        await opened.page.setViewportSize({ width, height: 800 });
        await nextFrame(opened.page);
        const gaps = await opened.page.evaluate(() => {
          const boxes = [...document.querySelectorAll(".tick")].map((tick) => tick.getBoundingClientRect())
            .filter((box) => box.width > 0).sort((a, b) => a.left - b.left);
          return boxes.slice(1).map((box, i) => box.left - boxes[i].right);
        });
        assert(gaps.length > 0 && gaps.every((gap) => gap >= 12), `${gaps.map(Math.round)} at ${width}`);
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
      [...document.querySelectorAll("#legend canvas")].map((canvas) => {
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
  const groundOf = (one: any): number[] => {
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
