/**
 * Sweeps, and how to run one case of them again: a sweep goes over all operations of a scenario, and what fails says
 * with which command that very case is repeated.
 *
 * @module
 */

import { AssertionError } from "@std/assert";
import type { OpenOptions } from "../../../mod.ts";
import type { Platform } from "../../../src/platform/types.ts";
import type { MemoryPlatform } from "../../support/memory_platform.ts";
import { EXPIRING, makeExpiring } from "./crash_expiring.ts";
import { newMachine, randomFrom, withSeed } from "./disk.ts";
import { History } from "./history.ts";
import { DIRECTORY, FILL, Run, runSteps, type Step } from "./scenario.ts";

/** What a sweep runs: steps on a machine, maybe with something between the store and its disk. */
export interface Subject {
  steps: Step[];
  /** The machine at the beginning; a sweep runs on copies of it. */
  machine: MemoryPlatform;
  /** What has been written to it. */
  history: History;
  wrap?: (platform: MemoryPlatform) => Platform;
  open?: OpenOptions;
}

/** Steps on an empty machine. */
export function onEmptyDisk(steps: Step[]): Subject {
  return { steps, machine: newMachine(), history: new History() };
}

/** Steps on a store whose process died, and whose records expire in a far future. */
export async function onExpiring(steps: Step[]): Promise<Subject> {
  const machine = newMachine();
  const history = new History();
  await withSeed(1, () => Promise.resolve(makeExpiring(machine, DIRECTORY)));
  for (const [key, value] of EXPIRING) {
    await history.write(Promise.resolve(), "sync", [key], (contents) => void contents.set(key, value));
  }
  return { steps, machine, history };
}

/** Steps on a store of more than a hundred segments, closed. */
export async function onManySegments(steps: Step[]): Promise<Subject> {
  const { machine, history } = await onExpiring([]);
  const run = new Run(machine, {}, history);
  await withSeed(2, async () => {
    await runSteps(run, FILL);
    await run.close();
  });
  return { steps, machine, history };
}

/** A run of a subject's steps on a copy of its machine. */
export function runOf(subject: Subject, options: { isFaulty?: boolean } = {}): Run {
  const { machine, history, wrap, open } = subject;
  return new Run(machine.fork(), {
    ...options,
    ...(wrap === undefined ? {} : { wrap }),
    ...(open === undefined ? {} : { open }),
  }, history.copy());
}

/** A number that follows from a text. */
export function seedOf(text: string): number {
  let seed = 2166136261;
  for (let i = 0; i < text.length; i++) seed = Math.imul(seed ^ text.charCodeAt(i), 16777619);
  return seed >>> 0;
}

/** The cases of a sweep: runs all of them, one in so many, or only one, each with a seed of its own. */
export class Cases {
  /** How many there were. */
  met = 0;
  /** How many have run. */
  count = 0;
  readonly seed: number;
  readonly #oneIn: number;
  readonly #only: string | undefined;
  readonly #command: (id: string) => string;

  constructor(
    seed: number,
    options: { only?: string | undefined; oneIn?: number; command?: (id: string) => string } = {},
  ) {
    this.seed = seed;
    this.#oneIn = options.oneIn ?? 1;
    this.#only = options.only;
    this.#command = options.command ?? ((id) => `seed ${seed}, case ${id}`);
  }

  /** Runs a case; a failure is an assertion error with the command that repeats it. */
  async run(id: string, action: (random: () => number) => Promise<void> | void): Promise<void> {
    const isDue = this.#only === undefined ? this.met % this.#oneIn === 0 : this.#only === id;
    this.met++;
    if (!isDue) return;
    this.count++;
    const seed = seedOf(`${this.seed} ${id}`);
    try {
      await withSeed(seed, async () => await action(randomFrom(seed)));
    } catch (error) {
      const message = error instanceof Error ? error.stack ?? error.message : String(error);
      throw new AssertionError(`${message}\nThis case alone:\n  ${this.#command(id)}`);
    }
  }
}
