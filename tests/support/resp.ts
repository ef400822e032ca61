/** Reads commands in RESP, strictly: what is not exactly in the form of the specification is an error. */

/** The commands in a stream of bytes, each as its words. */
export function parseCommands(bytes: Uint8Array): Uint8Array[][] {
  const commands: Uint8Array[][] = [];
  let offset = 0;
  const line = (mark: string): number => {
    const end = bytes.indexOf(13, offset);
    const text = new TextDecoder("latin1").decode(bytes.subarray(offset, end));
    const number = new RegExp(`^\\${mark}(0|[1-9][0-9]*)$`).exec(text)?.[1];
    if (end < 0 || bytes[end + 1] !== 10 || number === undefined) throw new Error(`no ${mark} line at byte ${offset}`);
    offset = end + 2;
    return Number(number);
  };
  const word = (): Uint8Array => {
    const length = line("$");
    const found = bytes.slice(offset, offset += length);
    if (bytes[offset] !== 13 || bytes[offset + 1] !== 10) throw new Error(`no line end at byte ${offset}`);
    offset += 2;
    return found;
  };
  while (offset < bytes.length) {
    const words = line("*");
    commands.push(Array.from({ length: words }, word));
  }
  return commands;
}
