/**
 * What is to be measured, from the command line.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { parseArgs } from "@std/cli/parse-args";
import { ROOT } from "../scripts/repository.ts";
import { type Part, PARTS, type RuntimeKind } from "./engine.ts";
import { ENGINES } from "./engines/mod.ts";

/** What the command line says. */
export interface Options {
  /** On which runtimes. */
  on: RuntimeKind[];
  /** Names of engines. */
  engines: string[];
  /** Parts. */
  workloads: Part[];
  /** How often everything is done at most. */
  rounds: number;
  /** Whether it is done so often even where rounds differ by little. */
  everyRound: boolean;
  /** Keys, where a part does not say otherwise. */
  keys: number;
  /** Only ratios against the floors are printed. */
  quick: boolean;
  /** Where results go; absent if they are only printed. */
  out?: string;
  /** Whether results that are there are kept where there are no new ones. */
  merge: boolean;
  /** Whether rounds are added to those that are there. */
  add: boolean;
  /** Version of the Node that is taken from npm. */
  node: string;
  /** Where peers, the package, and stores are, if not in the system's folder for temporary files. */
  cache?: string;
}

const USAGE = `usage: deno task bench [--quick] [--on deno,node] [--engines NAMES] [--workloads NAMES]
    [--rounds N] [--keys N] [--out DIR] [--merge | --add] [--cache DIR] [--node VERSION]

A run of everything writes docs/bench. A run of a part is only printed, unless --merge puts it in the place of the results
that are there, --add counts its rounds with theirs, or --out writes it elsewhere. Without --rounds
there are at most three, with --quick two: the third where two differ by more than a tenth, and none after 52 minutes.
Node is the newest 24 from npm, or --node VERSION.

engines: ${ENGINES.map(({ name }) => name).join(", ")}
workloads: ${PARTS.join(", ")}`;

/** Wrong usage; the message is the usage. */
export class UsageError extends Error {
  /** Says what is wrong, and what is right. */
  constructor(problem: string) {
    super(`${problem}\n${USAGE}`);
  }
}

const QUICK = {
  engines: "kvstore,openKv,Map,raw file,Deno.openKv,@deno/kv",
  workloads: "basic,durable,ranges,kv",
  keys: "100000",
};

/** Reads the command line. */
export function optionsOf(args: string[]): Options {
  const parsed = parseArgs(args, {
    boolean: ["quick", "merge", "add"],
    string: ["on", "engines", "workloads", "rounds", "keys", "out", "cache", "node"],
    unknown: (name) => {
      throw new UsageError(`unknown: ${name}`);
    },
  });
  const isPart = ["on", "engines", "workloads", "rounds", "keys"].some((name) => parsed[name] !== undefined);
  const given: Partial<Record<string, string>> = { ...(parsed.quick ? QUICK : {}), ...textsOf(parsed) };
  const isWritten = parsed.merge || parsed.add || parsed.out !== undefined || (!isPart && !parsed.quick);
  return {
    on: namesOf("--on", given.on, ["deno", "node"]),
    engines: namesOf("--engines", given.engines, ENGINES.map(({ name }) => name)),
    workloads: namesOf("--workloads", given.workloads, PARTS),
    rounds: countOf("--rounds", given.rounds, parsed.quick ? 2 : 3),
    everyRound: parsed.rounds !== undefined,
    keys: countOf("--keys", given.keys, 1_000_000),
    quick: parsed.quick,
    ...(isWritten ? { out: resolve(parsed.out ?? join(ROOT, "docs/bench")) } : {}),
    merge: parsed.merge,
    add: parsed.add,
    node: parsed.node ?? "24",
    ...(parsed.cache === undefined ? {} : { cache: resolve(parsed.cache) }),
  };
}

function textsOf(parsed: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(parsed).filter(([, value]) => typeof value === "string")) as Record<
    string,
    string
  >;
}

function namesOf<T extends string>(option: string, text: string | undefined, all: readonly T[]): T[] {
  if (text === undefined) return [...all];
  const names = text.split(",");
  const unknown = names.find((name) => !(all as readonly string[]).includes(name));
  if (unknown !== undefined) throw new UsageError(`${option}: there is no "${unknown}"`);
  return all.filter((name) => names.includes(name));
}

function countOf(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw new UsageError(`${option}: not a number of something: ${text}`);
  return count;
}
