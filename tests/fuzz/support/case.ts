/**
 * A case: an intact store and what is done to its files. It follows from a seed, or stands in the corpus.
 *
 * @module
 */
import { Random } from "../../support/random.ts";
import { awareMutation, blindMutation } from "./generate.ts";
import type { Files } from "./layout.ts";
import { apply, type Mutation } from "./mutations.ts";
import { check } from "./oracle.ts";
import { BASE_NAMES, baseOf } from "./stores.ts";

/** An intact store and what is done to it. */
export interface Case {
  /** Name of the store. */
  base: string;
  /** What is done, in this order. */
  mutations: Mutation[];
}

/** The case of a seed: mostly one mutation, so that it gets deep, or several that may belong together. */
export function caseOf(seed: number): Case {
  const random = new Random(seed);
  const base = random.pick(BASE_NAMES);
  const files = baseOf(base);
  const mutations: Mutation[] = [];
  do {
    const mutation = random.chance(0.4) ? blindMutation(random, files) : awareMutation(random, files);
    mutations.push(mutation);
    apply(files, mutation);
  } while (files.size > 0 && mutations.length < 8 && random.chance(0.4));
  return { base, mutations };
}

/** The files of a case. */
export function filesOf({ base, mutations }: Case): { base: Files; files: Files; isForged: boolean } {
  const original = baseOf(base);
  const files = new Map(original);
  let isForged = false;
  for (const mutation of mutations) if (apply(files, mutation)) isForged = true;
  return { base: original, files, isForged };
}

/** Runs a case. Returns what came of it. Throws if anything is not as it must be. */
export async function runCase(one: Case): Promise<string> {
  return await check(filesOf(one));
}

/** A case with fewer mutations that fails still. */
export async function shrunk(one: Case): Promise<Case> {
  let smallest = one;
  for (let i = smallest.mutations.length - 1; i >= 0 && smallest.mutations.length > 1; i--) {
    const fewer = { ...smallest, mutations: smallest.mutations.filter((_, at) => at !== i) };
    if (await runCase(fewer).then(() => false, () => true)) smallest = fewer;
  }
  return smallest;
}
