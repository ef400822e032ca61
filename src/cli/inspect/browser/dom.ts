/**
 * Makes elements without parsing HTML. What comes from a store goes in as text, so a key cannot become markup.
 *
 * @module
 */

/** Content of an element: another element, or text. */
export type Content = Node | string;

/** Makes an element with attributes and content. An attribute that is `false` is left out. */
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

/** Returns the element with an id, which must exist. */
export function byId(id: string): HTMLElement {
  return document.getElementById(id)!;
}

/** Returns the present value of a custom property of the style sheet, such as a colour. */
export function styleValue(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Calls `action` when the colours or the width of the page change. */
export function whenLooksChange(action: () => void): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", action);
  let width = document.documentElement.clientWidth;
  addEventListener("resize", () => {
    if (document.documentElement.clientWidth === width) return;
    width = document.documentElement.clientWidth;
    action();
  });
}
