/**
 * What structured clone refuses, by name.
 *
 * @module
 */

function detached(): ArrayBuffer {
  const buffer = new ArrayBuffer(4);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

/** Each call makes one. */
export const REFUSED: Record<string, () => unknown> = {
  function: () => Object.defineProperty(() => 1, "name", { value: "f" }),
  "function inside": () => [{ f: parseInt }],
  class: () => class {},
  symbol: () => Symbol("s"),
  "symbol inside": () => new Map([[1, Symbol()]]),
  "boxed symbol": () => [Object(Symbol("s"))],
  promise: () => [Promise.resolve()],
  "weak map": () => new WeakMap(),
  "weak set": () => new WeakSet(),
  "weak reference": () => new WeakRef({}),
  "finalization registry": () => new FinalizationRegistry(() => {}),
  proxy: () => new Proxy({ a: 1 }, {}),
  "proxy of an array": () => new Proxy([], {}),
  generator: () =>
    (function* () {
      yield 1;
    })(),
  "map iterator": () => new Map().entries(),
  "array iterator": () => [1].values(),
  "number format": () => new Intl.NumberFormat(),
  "WebAssembly memory": () => new WebAssembly.Memory({ initial: 1 }),
  arguments: () =>
    (function (..._: unknown[]) {
      return arguments;
    })(1),
  "detached buffer": detached,
  "getter that throws": () => ({
    get a() {
      throw new RangeError("mine");
    },
  }),
};
