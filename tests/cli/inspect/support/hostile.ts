/** What has broken pages before: ends of elements, comments, line separators, entities, templates, directions. */
export const HOSTILE_KEYS: readonly string[] = [
  "</script><script>document.title = 'broken'</script>",
  "<!--<script>",
  "-->",
  "<img src=x onerror=\"document.title='broken'\">",
  "'\"`${1}$&$1",
  "\u2028\u2029\u0000\u001b[31m",
  "&lt;b&gt;",
  "\u202eevil\u202c",
  "]]>",
  "",
  "__proto__",
  "constructor",
  "k".repeat(60_000),
  "日本語 🗝️ ключ",
];
