/**
 * Values of every kind that a Kv keeps. Errors have fixed stacks, so that each run has the same bytes.
 *
 * @module
 */

/** An error with a stack that is the same everywhere. */
function error(made: Error): Error {
  const stack = `${made.name}: ${made.message}\n    at nowhere`;
  Object.defineProperty(made, "stack", { value: stack, configurable: true });
  return made;
}

function circular(): unknown {
  const object: Record<string, unknown> = { map: new Map() };
  object.self = object;
  (object.map as Map<unknown, unknown>).set(object, [object]);
  return object;
}

function shared(): unknown {
  const [object, date, buffer] = [{}, new Date(1), new Uint8Array(9).buffer];
  return [
    object,
    date,
    new Uint8Array(buffer, 1, 2),
    buffer,
    new DataView(buffer, 3),
    object,
    date,
    new Uint8Array(buffer),
  ];
}

function selfCaused(): unknown {
  const made = error(new Error("around"));
  Object.defineProperty(made, "cause", { value: made });
  return made;
}

class Point {
  #hidden = 1;
  constructor(public x: number, public y: number) {}
  get sum(): number {
    return this.#hidden + this.x;
  }
}

const typedArrays = [
  new Int8Array([-1, 2]),
  new Uint8Array([1, 255]),
  new Uint8ClampedArray([0, 255]),
  new Int16Array([-300]),
  new Uint16Array([65535]),
  new Int32Array([-70000]),
  new Uint32Array([2 ** 32 - 1]),
  new Float32Array([1.5, NaN]),
  new Float64Array([-0, 1e300]),
  new BigInt64Array([-5n]),
  new BigUint64Array([2n ** 64n - 1n]),
];

/**
 * Values that V8 may write in two ways, after what it keeps of them and no program can tell: room for holes, and whether
 * numbers are all doubles, which changes as code that reads them is optimised.
 */
export const WRITTEN_IN_TWO_WAYS: string[] = ["match of a regular expression", "small and large"];

/** Values by name. */
export const VALUES: Record<string, unknown> = {
  undefined: undefined,
  null: null,
  true: true,
  false: false,
  integers: [0, 1, -1, 63, 64, -64, -65, 8191, 8192, 2 ** 31 - 1, -(2 ** 31)],
  doubles: [2 ** 31, -(2 ** 31) - 1, 1.5, -0, NaN, Infinity, -Infinity, 5e-324, Number.MAX_VALUE],
  "mixed numbers": ["a", 1, 1.5, -0, 2 ** 40],
  "small and large": [1, 2.5],
  zero: 0,
  "minus zero": -0,
  nan: NaN,
  bigints: [0n, 1n, -1n, 2n ** 63n, -(2n ** 64n), 2n ** 64n - 1n, 2n ** 128n, -(2n ** 500n) + 3n, 255n, 256n],
  empty: "",
  "one byte": "a\u0000\u007f\u0080ÿ",
  "two bytes": "日本 a",
  "two bytes at odd offsets": ["日", "本本", { "日": "本", a: "日" }],
  "long one byte": ["é".repeat(31), "é".repeat(32), "é".repeat(33), "a".repeat(200), "a".repeat(40) + "é"],
  "long two bytes": ["日".repeat(40), "a".repeat(40) + "日", "日".repeat(63), "日".repeat(64), "日".repeat(9000)],
  "lone surrogates": ["\ud800", "\udc00x", "\ud83d\ude00", "\udc00\ud800"],
  "many names": Object.fromEntries(Array.from({ length: 1500 }, (_, i) => [`name ${i}`, i])),
  "long names": { ["n".repeat(33)]: 1, ["n".repeat(200)]: 2, "": 3 },
  order: { b: 1, a: 2, 10: 3, 9: 4, "-1": 5, "01": 6, "1.5": 7 },
  "whole names": { 4294967294: 1, 4294967295: 2, 2147483647: 3, 2147483648: 4, 0: 5, "-0": 6 },
  "own proto": JSON.parse('{"__proto__": {"x": 1}, "constructor": 2, "toString": 3}'),
  instance: new Point(1, 2),
  getter: {
    get a() {
      return [1];
    },
  },
  "names that do not count": Object.defineProperty({ a: 1, [Symbol("s")]: 2 }, "hidden", { value: 3 }),
  "no prototype": Object.assign(Object.create(null), { a: 1 }),
  tagged: { [Symbol.toStringTag]: "Map", a: 1 },
  "holey array": [1, , 3],
  "holey doubles": [1.5, , 2.5],
  "only holes": new Array(3),
  "undefined and holes": [undefined, , undefined],
  sparse: Object.assign([], { 5000: 1 }),
  "sparse to the end": Object.assign([], { 4294967294: "last" }),
  "array with names": Object.assign([1, "b"], { name: 1, "-1": 2, "01": 3 }),
  "sparse array with names": Object.assign([, 2], { name: 1 }),
  nested: [[], {}, [[[{ a: [{}] }]]]],
  date: new Date(1e12),
  "invalid date": new Date(NaN),
  regexps: [/a\/b/giu, /(?:)/, new RegExp(""), /日/dmsy],
  map: new Map<unknown, unknown>([[1, 2], [{ a: 1 }, new Map()], [NaN, undefined], ["x", new Set()]]),
  set: new Set<unknown>([1, "a", {}, undefined, new Set([1])]),
  "typed arrays": typedArrays,
  "part of a buffer": [new Uint16Array(new Uint8Array([1, 2, 3, 4, 5, 6]).buffer, 2, 1)],
  "data view": new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2),
  buffer: new Uint8Array([1, 2, 3]).buffer,
  "empty buffers": [new ArrayBuffer(0), new Uint8Array(0), new Float64Array(0)],
  boxed: [Object(1), Object(-0), Object("s"), Object("日"), Object(true), Object(false), Object(-7n)],
  error: error(new Error("plain")),
  "errors of every class": [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((kind) =>
    error(new kind("m"))
  ),
  "error with a cause": error(new Error("m", { cause: error(new TypeError("日", { cause: { a: 1 } })) })),
  "error with an undefined cause": error(new Error("m", { cause: undefined })),
  "error without a message": error(new Error()),
  "error without a stack": Object.defineProperty(new Error("m"), "stack", { value: undefined }),
  "error that causes itself": selfCaused(),
  "error of a subclass": error(
    new (class extends RangeError {
      code = 1;
    })("m"),
  ),
  "error by name": Object.assign(error(new Error("m")), { name: "URIError" }),
  "aggregate error": error(new AggregateError([1], "m")),
  circular: circular(),
  shared: shared(),
  "the same text twice": ["abc", "abc"],
  "match of a regular expression": /b(?<name>c)/.exec("abcd"),
};
