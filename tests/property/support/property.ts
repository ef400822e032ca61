/**
 * Properties: what must hold for whatever fast-check generates.
 *
 * @module
 */
import fc from "fast-check";
import { hashKey } from "../../../src/hash.ts";
import { Index } from "../../../src/engine/index.ts";
import { settings } from "./settings.ts";

/** So long a failing case is made smaller. */
const MAX_SHRINK_MS = 10_000;

/** A test that a property holds. `module` is the test file's `import.meta.url`. */
export function testProperty<T>(
  module: string,
  name: string,
  options: { of: fc.Arbitrary<T>; holds: (one: T) => void; rounds?: number },
): void {
  Deno.test(name, () => {
    const { seed, rounds, path } = settings(options.rounds ?? 300);
    const replay = path === undefined ? { numRuns: rounds } : { numRuns: 1, path, endOnFailure: true };
    let shrinkUntil = Infinity;
    const property = fc.property(options.of, (one) => {
      // What is left to try when the time is over counts as passed, so that the smallest failure so far is reported.
      if (performance.now() > shrinkUntil) return;
      try {
        options.holds(one);
      } catch (error) {
        shrinkUntil = Math.min(shrinkUntil, performance.now() + MAX_SHRINK_MS);
        throw error;
      }
    });
    const found = fc.check(property, { seed, ...replay });
    if (!found.failed) return;
    const file = module.slice(module.lastIndexOf("/tests/") + 1);
    throw new Error(
      `to be run again with\n  KVSTORE_TEST_SEED=${seed} KVSTORE_TEST_PATH=${found.counterexamplePath} ` +
        `deno test -A ${file} --filter "${name}"\n${fc.stringify(found.counterexample?.[0])}`,
      { cause: found.errorInstance },
    );
  });
}

/** An empty index with the same hash in every run. */
export function newIndex(): Index {
  return new Index(1);
}

/** Texts that all belong into two of the partitions of `newIndex`, so that those grow and shrink. */
export const crowded: string[] = Array.from({ length: 60_000 }, (_, i) => `${"long ".repeat(i % 4)}${i}`).filter(
  (text) => {
    const bytes = new TextEncoder().encode(text);
    return hashKey(bytes, 0, bytes.length, 1) >>> 25 === 0;
  },
);

/** Bytes; with a few values only, so that they agree in places, or with all. */
export const someBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.array(fc.constantFrom(0, 1, 0x61, 0xef, 0xff), { maxLength: 8 }).map((list) => Uint8Array.from(list)),
  fc.uint8Array({ maxLength: 40 }),
);

/** Text that UTF-8 has a form for, with what JavaScript sorts otherwise than bytes. */
export const someText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.string({ unit: fc.constantFrom("a", "b", "\0", "\ufeff", "\uffff", "\u{10000}", "é"), maxLength: 6 }),
);

/** Code units of any kind, surrogates alone too. */
export const someUnits: fc.Arbitrary<string> = fc.array(fc.oneof(
  fc.nat(0xffff),
  fc.constantFrom(0xd800, 0xdc00, 0xdbff, 0xfeff, 0x61),
)).map((units) => String.fromCharCode(...units));
