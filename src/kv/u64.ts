/**
 * Unsigned 64-bit integers that `sum`, `min` and `max` work on.
 *
 * @module
 */

const TAG = "Deno.KvU64";
const LIMIT = 1n << 64n;

/**
 * A number of 64 bits without a sign, as a value of its own: what `sum`, `min` and `max` take and what they keep.
 */
export class KvU64 {
  /** The number. */
  readonly value: bigint;

  /**
   * Keeps a number.
   *
   * @throws {TypeError} If it is not a bigint.
   * @throws {RangeError} If it is negative or has more than 64 bits.
   */
  constructor(value: bigint) {
    if (typeof value !== "bigint") throw new TypeError(`Value must be a bigint: received ${typeof value}`);
    if (value < 0n) throw new RangeError(`Value must be a positive bigint: received ${value}`);
    if (value >= LIMIT) throw new RangeError("Value must fit in a 64-bit unsigned integer");
    this.value = value;
    Object.freeze(this);
  }

  /** The number itself, for arithmetic. */
  valueOf(): bigint {
    return this.value;
  }

  /** Its decimal digits. */
  toString(): string {
    return this.value.toString();
  }

  /** By this it is recognised, whichever copy of the class it is of, Deno's own included. */
  get [Symbol.toStringTag](): string {
    return TAG;
  }

  static {
    // Named here, as the declarations of a published package cannot name computed symbols. Consoles of all runtimes
    // print it by this one.
    Object.defineProperty(this.prototype, Symbol.for("nodejs.util.inspect.custom"), {
      value(this: KvU64, _depth: number, options: unknown, inspect: (value: unknown, options: unknown) => string) {
        return inspect(Object(this.value), options).replace("BigInt", TAG);
      },
    });
  }
}

/** Whether a value is a `KvU64`: of this class, of another copy of it, or Deno's. */
export function isU64(thing: unknown): thing is KvU64 {
  if (typeof thing !== "object" || thing === null || Object.hasOwn(thing, Symbol.toStringTag)) return false;
  return (thing as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === TAG &&
    typeof (thing as { value?: unknown }).value === "bigint";
}
