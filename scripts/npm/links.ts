/**
 * Links of documents that leave the repository: where npm shows a README there are no files beside it.
 *
 * @module
 */

/** What is published on JSR, by `publish` in deno.json. */
export interface Published {
  /** Files, and folders with a slash at the end. */
  include: string[];
  /** Of those, what is not. */
  exclude: string[];
}

/** The package's files on JSR. */
export function filesOnJsr({ name, version }: { name: string; version: string }): string {
  return `https://jsr.io/${name}/${version}/`;
}

/**
 * Makes the relative links of a Markdown text whole ones, to the same file below `base`. A link to what is not
 * published there becomes its text.
 */
export function withWholeLinks(text: string, base: string, { include, exclude }: Published): string {
  const covers = (entries: string[], path: string) =>
    entries.some((entry) => path === entry || (entry.endsWith("/") && path.startsWith(entry)));
  return text.replaceAll(/(!?)\[([^\]]*)\]\(([^)\s]+)\)/g, (link, image: string, label: string, target: string) => {
    if (/^(#|[a-z]+:)/.test(target)) return link;
    const path = target.replace(/#.*$/, "");
    const isThere = covers(include, path) && !covers(exclude, path);
    return isThere ? `${image}[${label}](${base}${target})` : label;
  });
}
