/**
 * Input for `deno task bench:names`: millions of distinct names, and the NDJSON that `kvstore import` takes.
 *
 * @module
 */

import { join } from "node:path";

/** As many names as a large package registry has. */
const MADE_NAMES = 3_500_000;
/** Real words, so that lengths and common beginnings of the names are those of words. */
const WORDS = "an-array-of-english-words";
const WORDS_VERSION = "2.0.0";
/** Lines per write. */
const PIECE_LINES = 50_000;

/** The names in a JSON file, or, without one, names made of English words. */
export async function readNames(file: string | undefined, scratch: string): Promise<string[]> {
  if (file === undefined) return makeNames(await installWords(scratch), MADE_NAMES);
  const names: unknown = JSON.parse(await Deno.readTextFile(file));
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string")) {
    throw new Error(`${file} is no JSON array of strings`);
  }
  if (new Set(names).size !== names.length) throw new Error(`${file} names something twice`);
  return names;
}

/** The words of an npm package, installed into `scratch` with npm. */
async function installWords(scratch: string): Promise<string[]> {
  const args = ["install", "--prefix", scratch, "--no-audit", "--no-fund", `${WORDS}@${WORDS_VERSION}`];
  const { success, stderr } = await new Deno.Command("npm", { args, stdin: "null", stdout: "null" }).output();
  if (!success) throw new Error(`npm ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(await Deno.readTextFile(join(scratch, "node_modules", WORDS, "index.json")));
}

/** The words, then pairs of them in the form of package names; the same at every call. */
function makeNames(words: readonly string[], count: number): string[] {
  const names = new Set(words);
  const random = randomNumbers(1);
  const word = () => words[Math.floor(random() * words.length)];
  while (names.size < count) names.add(random() < 0.3 ? `@${word()}/${word()}` : `${word()}-${word()}`);
  return [...names];
}

/** Random numbers from 0 to below 1, the same for the same seed (xorshift32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** A line of an export. */
export function lineOf(name: string, position: number): string {
  return `{"key":${JSON.stringify(name)},"value":${position}}\n`;
}

/** Writes lines to a new file; returns its size in bytes. */
export async function writeLines(file: string, count: number, line: (at: number) => string): Promise<number> {
  const encoder = new TextEncoder();
  using output = await Deno.create(file);
  let bytes = 0;
  for (let start = 0; start < count; start += PIECE_LINES) {
    const length = Math.min(PIECE_LINES, count - start);
    const piece = encoder.encode(Array.from({ length }, (_, i) => line(start + i)).join(""));
    for (let done = 0; done < piece.length;) done += await output.write(piece.subarray(done));
    bytes += piece.length;
  }
  return bytes;
}

/** The entries in a file of lines, in order. */
export async function* readLines(file: string): AsyncGenerator<{ key: string; value: number }> {
  const input = await Deno.open(file);
  let rest = "";
  for await (const text of input.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
}
