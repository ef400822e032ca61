/**
 * Lists that shrink fast. Those of fast-check try to drop what stands first, one by one; of hundreds of commands most
 * can go in large pieces, wherever they stand (delta debugging: Zeller, "Yesterday, My Program Worked. Today, It Does
 * Not. Why?", 1999).
 *
 * @module
 */
import fc from "fast-check";

/** A list with what it needs to shrink on: pieces of which length to leave out, from where on, and then which item. */
interface Context<T> {
  items: fc.Value<T>[];
  piece: number;
  at: number;
}

/** Lists of up to `maxLength` items. */
export class ListArbitrary<T> extends fc.Arbitrary<T[]> {
  readonly #item: fc.Arbitrary<T>;
  readonly #maxLength: number;

  /** Lists of items of that kind. */
  constructor(item: fc.Arbitrary<T>, maxLength: number) {
    super();
    this.#item = item;
    this.#maxLength = maxLength;
  }

  override generate(random: fc.Random, bias: number | undefined): fc.Value<T[]> {
    const length = random.nextInt(1, this.#maxLength);
    const items = Array.from({ length }, () => this.#item.generate(random, bias));
    return valueOf({ items, piece: length, at: 0 });
  }

  override canShrinkWithoutContext(_: unknown): _ is T[] {
    return false;
  }

  override shrink(_: T[], context: unknown): fc.Stream<fc.Value<T[]>> {
    return fc.stream(this.#smaller(context as Context<T>));
  }

  *#smaller({ items, piece, at }: Context<T>): IterableIterator<fc.Value<T[]>> {
    // What was tried before and did not fail is not tried again: the rest of it is what this is called for.
    for (; piece > 0; piece >>= 1, at = 0) {
      for (; at < items.length; at += piece) {
        yield valueOf({ items: [...items.slice(0, at), ...items.slice(at + piece)], piece, at });
      }
    }
    for (; at < items.length; at++) {
      const { value, context } = items[at]!;
      for (const smaller of this.#item.shrink(value, context)) {
        yield valueOf({ items: items.with(at, smaller), piece, at });
      }
    }
  }
}

function valueOf<T>(context: Context<T>): fc.Value<T[]> {
  return new fc.Value(context.items.map(({ value }) => value), context);
}
