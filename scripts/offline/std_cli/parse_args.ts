/**
 * Stand-in for `@std/cli/parse-args`. Unlike the published one it does not take names with dots apart.
 *
 * @module
 */

/** One name or several. */
type Names<T extends string> = T | readonly T[];
/** Other names of an option, by its name. */
type Aliases = Readonly<Record<string, string | readonly string[]>>;

/** Options of `parseArgs`. */
export interface ParseOptions<
  B extends string = string,
  S extends string = string,
  C extends string = string,
  N extends string = string,
  D extends Record<string, unknown> = Record<string, unknown>,
  A extends Aliases = Aliases,
  DD extends boolean = boolean,
> {
  /** Whether what follows `--` goes to the result's `--` instead of its `_` (default `false`). */
  "--"?: DD;
  /** Other names of options. */
  alias?: A;
  /** Options that take no value. */
  boolean?: Names<B>;
  /** Options, or `_`, whose values stay strings even if they look like numbers. */
  string?: Names<S>;
  /** Options that may come more than once. */
  collect?: Names<C>;
  /** Options that `--no-NAME` sets to `false`. */
  negatable?: Names<N>;
  /** Values of options that are not given. */
  default?: D;
  /** Whether everything after the first argument that is no option is left alone (default `false`). */
  stopEarly?: boolean;
  /** Called for every argument that belongs to no option named here; `false` drops it. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

type Flags<B extends string, S extends string, C extends string, N extends string> =
  & { [K in Exclude<S, C>]?: string | Negated<K, N> }
  & { [K in Extract<S, C>]: string[] | Negated<K, N> }
  & { [K in Exclude<B, C>]: boolean }
  & { [K in Extract<B, C>]: boolean[] }
  & { [K in Exclude<C, B | S>]: unknown[] | Negated<K, N> };

type Negated<K, N> = K extends N ? false : never;

type WithDefaults<F, D> =
  & Omit<F, keyof D>
  & { [K in keyof D]: K extends keyof F ? D[K] | NonNullable<F[K]> : unknown };

type WithAliases<F, A> = { [K in keyof F as K | (K extends keyof A ? AliasNames<A[K]> : never)]: F[K] };

type AliasNames<T> = T extends string ? T : T extends readonly string[] ? T[number] : never;

/** What `parseArgs` returns: the options by name, the other arguments in `_`. */
export type Args<F, DD extends boolean> =
  & F
  & { _: (string | number)[] }
  & (true extends DD ? { "--": string[] } : Record<never, never>);

type Values<B extends string, S extends string, C extends string, N extends string, D, A> = [B | S | C] extends [never]
  // deno-lint-ignore no-explicit-any
  ? Record<string, any>
  : Record<string, unknown> & WithAliases<WithDefaults<Flags<B, Exclude<S, "_">, C, N>, D>, A>;

type Value = string | number | boolean;

/** Takes a command line apart: `--name value`, `--name=value`, `-n value`, `-abc`, `--no-name`, `--`. */
export function parseArgs<
  const B extends string = never,
  const S extends string = never,
  const C extends string = never,
  const N extends string = never,
  const D extends Record<string, unknown> = Record<never, never>,
  const A extends Aliases = Record<never, never>,
  const DD extends boolean = false,
>(args: readonly string[], options: ParseOptions<B, S, C, N, D, A, DD> = {}): Args<Values<B, S, C, N, D, A>, DD> {
  const parser = new Parser(options);
  parser.run(args);
  return parser.result as Args<Values<B, S, C, N, D, A>, DD>;
}

class Parser {
  readonly result: Record<string, unknown> & { _: (string | number)[] } = { _: [] };
  readonly #options: ParseOptions;
  readonly #aliases: Map<string, string[]>;
  readonly #boolean: Set<string>;
  readonly #string: Set<string>;
  readonly #collect: Set<string>;
  readonly #negatable: Set<string>;

  constructor(options: ParseOptions) {
    this.#options = options;
    this.#aliases = new Map();
    for (const [name, others] of Object.entries(options.alias ?? {})) {
      const all = [name, ...[others].flat()];
      for (const one of all) this.#aliases.set(one, all.filter((other) => other !== one));
    }
    const named = (names: Names<string> = []) =>
      new Set([names].flat().flatMap((name) => [name, ...this.#aliases.get(name) ?? []]));
    this.#boolean = named(options.boolean);
    this.#string = named(options.string);
    this.#collect = named(options.collect);
    this.#negatable = named(options.negatable);
  }

  run(all: readonly string[]): void {
    const end = all.indexOf("--");
    const args = end === -1 ? all : all.slice(0, end);
    const rest = end === -1 ? [] : all.slice(end + 1);
    for (let i = 0; i < args.length; i++) {
      const arg = args[i]!;
      if (/^--./s.test(arg)) i += this.#long(arg, args[i + 1]);
      else if (/^-./s.test(arg)) i += this.#short(arg, args[i + 1]);
      else {
        if (this.#options.unknown?.(arg) !== false) {
          this.result._.push(this.#string.has("_") ? arg : numberIfNumeric(arg));
        }
        if (!this.#options.stopEarly) continue;
        this.result._.push(...args.slice(i + 1));
        break;
      }
    }
    this.#fillIn();
    if (this.#options["--"]) this.result["--"] = rest;
    else this.result._.push(...rest);
  }

  /** Returns how many further arguments it took: 0 or 1. */
  #long(arg: string, next: string | undefined): number {
    const equals = arg.indexOf("=", 3);
    let name = equals === -1 ? arg.slice(2) : arg.slice(2, equals);
    const negated = /^no-./s.test(name);
    if (equals !== -1) {
      // as published: `--no-name=value` is an option called `name`
      if (negated) name = name.slice(3);
      const value = arg.slice(equals + 1);
      this.#set(name, this.#boolean.has(name) ? value !== "false" : value, arg);
      return 0;
    }
    if (negated && this.#negatable.has(name.slice(3))) {
      this.#set(name.slice(3), false, arg, false);
      return 0;
    }
    return this.#setFromNext(name, arg, next, !next?.startsWith("-"));
  }

  #short(arg: string, next: string | undefined): number {
    const letters = arg.slice(1, -1);
    for (let j = 0; j < letters.length; j++) {
      const letter = letters[j]!;
      const rest = arg.slice(j + 2);
      if (rest === "-") {
        this.#set(letter, rest, arg);
        continue;
      }
      const value = attachedValue(letter, rest);
      if (value !== undefined) {
        this.#set(letter, value, arg);
        return 0;
      }
      this.#set(letter, this.#string.has(letter) ? "" : true, arg);
    }
    const last = arg.slice(-1);
    if (last === "-") return 0;
    return this.#setFromNext(last, arg, next, !/^--?[^-]/.test(next ?? ""));
  }

  #setFromNext(name: string, arg: string, next: string | undefined, isValue: boolean): number {
    if (next && isValue && !this.#boolean.has(name)) {
      this.#set(name, next, arg);
      return 1;
    }
    if (next === "true" || next === "false") {
      this.#set(name, next === "true", arg);
      return 1;
    }
    this.#set(name, this.#string.has(name) ? "" : true, arg);
    return 0;
  }

  #set(name: string, value: Value, arg: string, collect = true): void {
    const sets: { has(name: string): boolean }[] = [this.#boolean, this.#string, this.#collect, this.#aliases];
    if (!sets.some((set) => set.has(name)) && this.#options.unknown?.(arg, name, value) === false) return;
    if (typeof value === "string" && !this.#string.has(name)) value = numberIfNumeric(value);
    for (const key of [name, ...this.#aliases.get(name) ?? []]) {
      if (key === "__proto__") continue;
      const before = Object.hasOwn(this.result, key) ? this.result[key] : undefined;
      if (!collect || !this.#collect.has(name)) this.result[key] = value;
      else if (Array.isArray(before)) before.push(value);
      else this.result[key] = before ? [before, value] : [value];
    }
  }

  #fillIn(): void {
    const fill = (name: string, value: unknown) => {
      if (!Object.hasOwn(this.result, name)) this.result[name] = value;
    };
    for (const [name, value] of Object.entries(this.#options.default ?? {})) {
      if (Object.hasOwn(this.result, name)) continue;
      for (const key of [name, ...this.#aliases.get(name) ?? []]) this.result[key] = value;
    }
    for (const name of this.#boolean) fill(name, this.#collect.has(name) ? [] : false);
    for (const name of this.#string) if (this.#collect.has(name)) fill(name, []);
  }
}

/** The value in `-n5`, `-n=5`, `-n/path`: `rest` is what follows the letter. */
function attachedValue(letter: string, rest: string): string | undefined {
  if (rest === "=") return "";
  if (/[A-Za-z]/.test(letter)) {
    const value = /=(.+)/.exec(rest)?.[1];
    if (value !== undefined) return value;
    if (/-?\d+(\.\d*)?(e-?\d+)?$/.test(rest)) return rest;
  }
  return rest.length > 1 && /^\W/.test(rest) ? rest : undefined;
}

function numberIfNumeric(text: string): string | number {
  return /\S/.test(text) && Number.isFinite(Number(text)) ? Number(text) : text;
}
