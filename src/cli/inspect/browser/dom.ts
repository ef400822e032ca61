/**
 * Elements without HTML: whatever comes from a store goes in as text, so that a key cannot become markup.
 *
 * @module
 */

/** What goes into an element: other elements, or text. */
export type Content = Node | string;

/** An element with attributes and content. An attribute that is `false` is left out. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Record<string, string | number | boolean> = {},
  ...content: Content[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(attribute, value === true ? "" : String(value));
  }
  made.append(...content);
  return made;
}

/** The element with an id, which is there. */
export function byId(id: string): HTMLElement {
  return document.getElementById(id)!;
}

/** A colour or other custom property of the style sheet, as it is now. */
export function styleValue(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Calls `action` when the colours, or the width, of the page change. */
export function whenLooksChange(action: () => void): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", action);
  let width = document.documentElement.clientWidth;
  addEventListener("resize", () => {
    if (document.documentElement.clientWidth === width) return;
    width = document.documentElement.clientWidth;
    action();
  });
}
