import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { surveyOn } from "../../../src/check/survey.ts";
import { SCRIPT, SCRIPT_HASH, STYLE, STYLE_HASH } from "../../../src/cli/inspect/generated.ts";
import { htmlOf, jsonForHtml, makePage } from "../../../src/cli/inspect/html.ts";
import { HOSTILE_KEYS } from "./support/hostile.ts";
import { DIRECTORY, storeOf } from "./support/stores.ts";

async function hostilePage(hasValues: boolean): Promise<string> {
  const platform = await storeOf(async (store) => {
    for (const key of HOSTILE_KEYS) await store.set(key, `secret of ${key.slice(0, 40)}`);
    await store.set(new Uint8Array([0xff, 0xd8, 0x3c, 0x2f]), "\ud800</script>");
  });
  const survey = surveyOn(platform, DIRECTORY);
  const { html } = await makePage(survey, { directory: "a<b>&\"'", hasValues, nowMs: 0 });
  survey.close();
  return html;
}

Deno.test("inspect page: hostile keys stay data, and come back as they are shown in lists", async () => {
  const html = await hostilePage(true);
  const [head, rest] = html.split('<script type="application/json" id="data">');
  assertEquals(html.split('id="data">').length, 2);
  const json = rest!.slice(0, rest!.indexOf("</script>"));
  const data = JSON.parse(json);
  assert(!/[<>&\u2028\u2029]/.test(json));
  for (const key of ["</script><script>document.title = 'broken'</script>", "-->", "&lt;b&gt;", "__proto__", ""]) {
    assert(data.keyData.text.includes(key), key);
  }
  assert(data.keyData.text.includes("\\u2028\\u2029\\u0000\\u001b[31m"));
  assert(data.keyData.text.some((key: string) => key.startsWith("base64:")));
  assert(Math.max(...data.keyData.text.map((key: string) => key.length)) < 400);
  assertStringIncludes(head!, "<title>a&#60;b&#62;&#38;&#34;&#39;: a picture of the log</title>");
  // Behind the data there is the script, and nothing else.
  assertEquals(rest!.slice(json.length), `</script>\n<script>${SCRIPT}</script>\n</body>\n</html>\n`);
});

Deno.test("inspect page: values are in it only if they are asked for", async () => {
  assertStringIncludes(await hostilePage(true), "secret of");
  assert(!(await hostilePage(false)).includes("secret of"));
});

Deno.test("inspect page: a policy lets nothing in but what is in the page, and the hashes are right", async () => {
  const html = await hostilePage(false);
  const hash = async (text: string) => {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
    return `sha256-${btoa(String.fromCharCode(...digest))}`;
  };
  assertEquals([await hash(SCRIPT), await hash(STYLE)], [SCRIPT_HASH, STYLE_HASH]);
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)![1]!;
  assertStringIncludes(policy, "default-src 'none'");
  assertStringIncludes(policy, `script-src '${SCRIPT_HASH}'`);
  assertStringIncludes(policy, `style-src '${STYLE_HASH}'`);
  assert(!/unsafe|https?:|\*/.test(policy), policy);
  // Nothing is fetched: no addresses but data ones, but for that in the licence of the charts.
  assertEquals([...html.matchAll(/\b(?:src|href)="([^"#]+)"/g)].map(([, url]) => url), ["data:,"]);
});

Deno.test("inspect page: JSON in a script element can neither end it nor begin a comment", () => {
  const text = "</script> <!-- --> & \u2028\u2029";
  const json = jsonForHtml({ text });
  assert(!/[<>&\u2028\u2029]/.test(json));
  assertEquals(JSON.parse(json), { text });
});

Deno.test("inspect page: the licence of the charts goes along", async () => {
  const platform = await storeOf(() => Promise.resolve());
  const survey = surveyOn(platform, DIRECTORY);
  const { data } = await makePage(survey, { directory: "d", hasValues: false });
  survey.close();
  assertStringIncludes(htmlOf(data), "The MIT License");
});
