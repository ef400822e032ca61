/**
 * Guesses what a mistyped word was meant to be.
 *
 * @module
 */

/** From so many characters on, a word is rather the beginning of what was meant than mistyped. */
const LEAST_BEGINNING = 3;

/** Returns the words that are closest to a mistyped one; none if all are far from it. */
export function closest(typed: string, words: readonly string[]): string[] {
  const most = Math.min(3, Math.floor((typed.length + 1) / 3));
  const far = words.map((word) => isBeginning(typed, word) ? 0 : distance(typed, word));
  const least = Math.min(...far);
  return least > most ? [] : words.filter((_, i) => far[i] === least);
}

function isBeginning(typed: string, word: string): boolean {
  return typed.length >= LEAST_BEGINNING && word.startsWith(typed);
}

/** The least number of letters to change, add, leave out, or swap with the next one (the optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      next[j] = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (isSame ? 0 : 1));
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) next[j] = Math.min(next[j]!, before[j - 2]! + 1);
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}
