/** The blocks of code in a document. */

/** A block between fences. */
export interface Block {
  /** The first word behind the opening fence. */
  language: string;
  text: string;
  /** The heading above it. */
  heading: string;
  /** The last line of text above it. */
  before: string;
}

/** All blocks of a document, in their order. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let heading = "";
  let before = "";
  let block: Block | undefined;
  for (const line of markdown.split("\n")) {
    if (block !== undefined) {
      if (line === "```") block = void blocks.push(block);
      else block.text += line + "\n";
    } else if (line.startsWith("```")) block = { language: line.slice(3).split(" ")[0]!, text: "", heading, before };
    else if (line.startsWith("#")) heading = line.replace(/^#+ /, "");
    else if (line !== "") before = line;
  }
  return blocks;
}
