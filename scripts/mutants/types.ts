/**
 * What a mutant is: the list is data, so that tests can check it without running it.
 *
 * @module
 */

/** A test that is to notice a mutant. */
export interface Killer {
  /** The file that it stands in. */
  file: string;
  /** Its title as it stands there, `…` for what is put in. */
  title: string;
}

/** A small breakage of the code. */
export interface Mutant {
  /** What it is called: a few words with hyphens. */
  id: string;
  /**
   * The name of what is changed in `src/`: a function (`openWriter`), a member of a class (`Writer.publish`,
   * `Writer.#waiters`, `Writer.constructor`), or a constant of a module. Where several have that name, `find` must
   * occur in one of them only.
   */
  in: string;
  /** The code that is replaced. It must occur exactly once; white space, comments and trailing commas do not matter. */
  find: string;
  /** What stands there instead. It must pass the type checker. */
  replace: string;
  /** The titles of tests, of which one must fail. Each must be unique in `tests/`; `…` stands for what is put in. */
  killers: string[];
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
