/** Deep equality as `@std/assert` sees it: by value, 0 and -0 alike, prototypes of objects the same. */
export function equal(a: unknown, b: unknown): boolean {
  return compare(a, b, new Map());
}

/** `seen` holds the pairs that are being compared further up, so that cycles end. */
function compare(a: unknown, b: unknown, seen: Map<object, object>): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b) || !samePrototype(a, b)) return false;
  if (typeof a === "function") return false;
  if (seen.get(a) === b) return true;
  if (a instanceof Date) return Object.is(a.getTime(), (b as Date).getTime());
  if (a instanceof RegExp || a instanceof URL) return String(a) === String(b);
  if (a instanceof ArrayBuffer) return sameElements(new Uint8Array(a), new Uint8Array(b as ArrayBuffer));
  if (ArrayBuffer.isView(a) && !(a instanceof DataView)) return sameElements(a as Uint8Array, b as Uint8Array);
  if (Object.keys(a).length !== Object.keys(b).length) return false;
  seen.set(a, b);
  if (a instanceof Set) return sameMembers(new Map(a.entries()), new Map((b as Set<unknown>).entries()), seen);
  if (a instanceof Map) return sameMembers(a, b as Map<unknown, unknown>, seen);
  for (const key of new Set([...allKeys(a), ...allKeys(b)])) {
    if (key in a !== key in b) return false;
    if (!compare(a[key as keyof object], b[key as keyof object], seen)) return false;
  }
  return true;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" ? value !== null : typeof value === "function";
}

function samePrototype(a: object, b: object): boolean {
  const plain = (prototype: unknown) => prototype === null ? Object.prototype : prototype;
  return plain(Object.getPrototypeOf(a)) === plain(Object.getPrototypeOf(b));
}

function sameElements(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((element, i) => Object.is(element, b[i]) || element === b[i]);
}

/** Keys that are objects are looked for by value, one by one; all others are looked up. */
function sameMembers(a: Map<unknown, unknown>, b: Map<unknown, unknown>, seen: Map<object, object>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => {
    if (!isObject(key)) return b.has(key) && compare(value, b.get(key), seen);
    return [...b].some(([other, otherValue]) => compare(key, other, seen) && compare(value, otherValue, seen));
  });
}

/** Of plain objects and arrays the enumerable keys; of others all their own and those of their classes, getters too. */
function allKeys(value: object): (string | symbol)[] {
  const ends: unknown[] = [null, Object.prototype, Array.prototype];
  if (ends.includes(Object.getPrototypeOf(value))) return Reflect.ownKeys({ ...value });
  const keys: (string | symbol)[] = [];
  for (let level = value; !ends.includes(level); level = Object.getPrototypeOf(level)) {
    keys.push(...Reflect.ownKeys(level));
  }
  return keys;
}
