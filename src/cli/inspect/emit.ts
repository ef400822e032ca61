/**
 * The page as one file: everything that it needs lies in it, and a policy forbids it to ask for more.
 *
 * @module
 */

import { BODY, LICENCE, SCRIPT, SCRIPT_HASH, STYLE, STYLE_HASH } from "./generated.ts";
import type { PictureData } from "./data.ts";

const POLICY = [
  "default-src 'none'",
  `script-src '${SCRIPT_HASH}'`,
  `style-src '${STYLE_HASH}'`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** The page. */
export function pageOf(data: PictureData): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escapedHtml(data.directory)}: a picture of the log</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<!-- The charts in this page are drawn by uPlot:
${LICENCE}
-->
${
    BODY.replace("</body>", () =>
      `<script type="application/json" id="data">${jsonForHtml(data)}</script>
<script>${SCRIPT}</script>
</body>`)
  }
</html>
`;
}

/** JSON that may stand in a script element: nothing in it can end the element or begin a comment. */
export function jsonForHtml(data: unknown): string {
  return JSON.stringify(data).replace(/[<>&\u2028\u2029]/g, (character) => {
    return "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0");
  });
}

function escapedHtml(text: string): string {
  return text.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
