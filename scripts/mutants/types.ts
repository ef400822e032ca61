/**
 * What a mutant is: the list is data, so that tests can check it without running it.
 *
 * @module
 */

/** A test that must notice: its file, and its name as it stands there, `…` for what is put in. Without one: any. */
export type Killer = [file: string, name?: string];

/** A small breakage of the code. */
export interface Mutant {
  /** What it is called: a few words with hyphens. */
  id: string;
  /** The file that is changed. */
  file: string;
  /** The text that is replaced. It must occur exactly once. */
  find: string;
  /** What stands there instead. It must pass the type checker. */
  replace: string;
  /** One of these tests must fail. */
  killers: Killer[];
}

/** A sentence of docs/safety.md, and the mutants that break it. */
export type Promised =
  & {
    /** Its exact words. */
    sentence: string;
  }
  & ({
    /** Breakages of it. */
    mutants: Mutant[];
  } | {
    /** Why no change of the code can break it. */
    none: string;
  });

/** The mutants of a sentence. */
export function mutantsOf(promised: Promised): Mutant[] {
  return "mutants" in promised ? promised.mutants : [];
}
