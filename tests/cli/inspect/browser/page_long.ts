/** The page of `kvstore inspect` in a real browser. */

import { hasBrowser, startBrowser } from "./support/chromium.ts";
import { LOOKS } from "./support/page_looks.ts";
import { USES } from "./support/page_uses.ts";

Deno.test({
  name: "inspect: the page in Chromium",
  ignore: !hasBrowser(),
  fn: async (test) => {
    const root = Deno.makeTempDirSync({ prefix: "kvstore-inspect-" });
    const browser = await startBrowser();
    try {
      for (const [name, step] of Object.entries({ ...USES, ...LOOKS })) {
        await test.step(name, () => step({ browser, root }));
      }
    } finally {
      await browser.close();
      Deno.removeSync(root, { recursive: true });
    }
  },
});
