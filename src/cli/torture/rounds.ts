/**
 * The rounds of `torture`. In each one a process writes and is killed, and then the store is checked.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { KvStore, KvStoreError, verifyStore } from "../../../mod.ts";
import { ExpectedContents } from "./expected_contents.ts";
import { type Contents, contentsOf, Dice, openOptionsOf, Plan } from "./plan.ts";
import { IN_FLIGHT, type Message, type Phase, type Task, TASK_VARIABLE } from "./writer.ts";
import process from "node:process";

/** A process that has not ended by then hangs. */
const SILENCE_MS = 60_000;
/** The most rounds with one store. */
const ROUNDS_OF_STORE = 30;
/** Steps of a process that is to be killed while it closes the store, and of any other. */
const FEW_STEPS = 40;
const MANY_STEPS = 1500;

/** The figures of the report. */
export interface Tally {
  rounds: number;
  stores: number;
  /** Processes killed, by what they were doing. */
  kills: Record<Exclude<Phase, "done">, number>;
  /** Processes that ended before they were killed. */
  ended: number;
  /** Acknowledged writes. */
  acknowledged: number;
  /** Bytes of keys and values of all writes that were found in the stores. */
  bytes: number;
  /** Syncs of segments that the processes reported. */
  syncs: number;
  /** The number of times that contents were compared with the expected ones. */
  statesChecked: number;
  /** What was wrong with a store. */
  failures: string[];
}

/** The processes cannot run here. This says nothing of the store. */
export class TortureError extends Error {
  override readonly name = "TortureError";
}

/** When to kill a process: a while after it enters a phase. */
interface Aim {
  phase: Phase;
  /** How many times to let the phase pass before. */
  skips: number;
  delayMs: number;
  /** Kill it when this step is acknowledged, instead. */
  freezesAt?: number;
}

/** How a process ended. */
interface End {
  phase: Phase;
  killed: boolean;
  acknowledged: number;
  /** The error that it reported. */
  error?: { code: string; message: string };
  /** What it wrote to standard error. */
  stderr: string;
}

/** Where the stores are. */
export interface Place {
  /** The store. */
  store: string;
  /** A copy as the kill left it. Opening the store for writing changes the store. */
  crashed: string;
}

/** Runs rounds, on one store after another. */
export class Torture {
  readonly tally: Tally = {
    rounds: 0,
    stores: 0,
    kills: { start: 0, open: 0, write: 0, compact: 0, close: 0 },
    ended: 0,
    acknowledged: 0,
    bytes: 0,
    syncs: 0,
    statesChecked: 0,
    failures: [],
  };
  readonly #dice: Dice;
  readonly #command: readonly [program: string, args: readonly string[]];
  readonly #place: Place;
  #expected = new ExpectedContents();
  #isThere = false;
  #roundsLeft = 0;
  /** The time that an open takes, averaged. */
  #openMs = 5;
  #child: ChildProcess | undefined;

  constructor(seed: number, command: readonly [string, readonly string[]], place: Place) {
    this.#dice = new Dice(seed);
    this.#command = command;
    this.#place = place;
  }

  /** Kills the process that is running, if one is. */
  stop(): void {
    this.#child?.kill("SIGKILL");
  }

  /** Runs a round and adds it to the tally. An abort of `signal` ends it without a check of the store. */
  async round(signal: AbortSignal): Promise<void> {
    const { tally } = this;
    if (this.#roundsLeft-- === 0) this.#begin();
    const seed = this.#dice.below(2 ** 32);
    const aim = this.#aim();
    const steps = aim.phase === "close" ? 1 + this.#dice.below(FEW_STEPS) : MANY_STEPS;
    const { freezesAt } = aim;
    const end = await this.#run({ directory: this.#place.store, seed, steps, freezesAt }, aim);
    // Recovery is killed too, and the next recovery has to deal with what it left.
    while (this.#dice.below(3) === 0 && !signal.aborted && end.error === undefined) {
      const visit = { directory: this.#place.store, seed: this.#dice.below(2 ** 32), steps: 0 };
      const { error } = await this.#run(visit, this.#aimAt("open"));
      if (error !== undefined) end.error = error;
    }
    if (signal.aborted) return;
    tally.rounds++;
    this.#copyStore();
    const complaint = end.error?.message ?? await this.#complaintAbout(seed, steps, end.acknowledged);
    if (complaint !== undefined) {
      tally.failures.push(`round ${tally.rounds}, killed in phase ${end.phase}: ${complaint}`);
    }
  }

  #begin(): void {
    rmSync(this.#place.store, { recursive: true, force: true });
    this.#expected = new ExpectedContents();
    this.#isThere = false;
    this.#roundsLeft = this.#dice.below(ROUNDS_OF_STORE);
    this.tally.stores++;
  }

  #aim(): Aim {
    const phase = this.#dice.pick(["open", "write", "write", "write", "compact", "close"] as const);
    if (phase !== "write" || this.#dice.below(3) === 0) return this.#aimAt(phase);
    return { phase: "done", skips: 0, delayMs: 0, freezesAt: 1 + this.#dice.below(this.#dice.pick([30, 300])) };
  }

  #aimAt(phase: Phase): Aim {
    const longestMs = { start: 0, open: 1.5 * this.#openMs, write: 300, compact: 8, close: 8, done: 0 }[phase];
    const skips = phase === "compact" ? this.#dice.below(5) : 0;
    return { phase, skips, delayMs: this.#dice.fraction() * longestMs };
  }

  /** Runs a process until it ends or is killed. */
  async #run(task: Task, aim: Aim): Promise<End> {
    const [program, args] = this.#command;
    const child = startTask(program, args, task);
    this.#child = child;
    const end = await this.#listen(child, aim);
    this.#child = undefined;
    const { tally } = this;
    tally.acknowledged += end.acknowledged;
    if (end.phase === "done") tally.ended++;
    else if (end.killed) tally.kills[end.phase]++;
    else if (end.phase === "start") {
      throw new TortureError(`the process ended at once: ${end.stderr.trim() || "it printed nothing"}`);
    }
    // A full disk is not a failure of the store.
    if (end.error?.code === "IO") throw new KvStoreError("IO", end.error.message);
    if (!end.killed && end.error === undefined && end.phase !== "done") {
      end.error = { code: "UNEXPECTED", message: `the process ended by itself: ${end.stderr.trim()}` };
    }
    return end;
  }

  #listen(child: ChildProcess, aim: Aim): Promise<End> {
    const end: End = { phase: "start", killed: false, acknowledged: 0, stderr: "" };
    let openedAt = 0;
    let syncs = 0;
    let { skips } = aim;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const kill = () => child.kill("SIGKILL");
    const hear = (message: Message) => {
      if ("error" in message) end.error = message.error;
      if ("acknowledged" in message) {
        end.acknowledged = message.acknowledged;
        if (message.acknowledged >= (aim.freezesAt ?? Infinity)) kill();
      }
      if (!("phase" in message)) return;
      const { phase } = message;
      end.phase = phase;
      syncs = Math.max(syncs, message.syncs);
      if (phase === "open") openedAt = performance.now();
      if (phase === "write" && openedAt > 0) {
        this.#openMs += (Math.min(performance.now() - openedAt, 1000) - this.#openMs) / 8;
        openedAt = 0;
      }
      if (phase !== aim.phase || timer !== undefined || skips-- > 0) return;
      // A timer waits for at least a millisecond.
      if (aim.delayMs < 0.5) kill();
      else timer = setTimeout(kill, aim.delayMs);
    };
    return new Promise((resolve, reject) => {
      let text = "";
      const silence = setTimeout(() => {
        end.error = { code: "SILENT", message: `the process did not end within ${SILENCE_MS / 1000} seconds` };
        kill();
      }, SILENCE_MS);
      child.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
        const lines = (text + chunk).split("\n");
        text = lines.pop()!;
        for (const line of lines) hear(messageOf(line));
      });
      child.stderr!.setEncoding("utf8").on("data", (chunk: string) => end.stderr = (end.stderr + chunk).slice(-2000));
      child.on("error", (error) => reject(new TortureError(error.message)));
      child.on("close", (_, signal) => {
        clearTimeout(timer);
        clearTimeout(silence);
        end.killed = signal === "SIGKILL";
        this.tally.syncs += syncs;
        resolve(end);
      });
    });
  }

  /** Copies the store as the kill left it, for the report. */
  #copyStore(): void {
    const { store, crashed } = this.#place;
    rmSync(crashed, { recursive: true, force: true });
    try {
      cpSync(store, crashed, { recursive: true });
    } catch (error) {
      if ((error as { code?: string }).code !== "ENOENT") throw error;
      // The kill came before there was a store. The report says where this copy is all the same.
      mkdirSync(crashed, { recursive: true });
    }
  }

  /** Checks the store. Returns what is wrong with it. */
  async #complaintAbout(seed: number, steps: number, acknowledged: number): Promise<string | undefined> {
    const { store } = this.#place;
    const attempt = { plan: new Plan(seed), acknowledged, limit: Math.min(steps, acknowledged + 4 * IN_FLIGHT) };
    const bytes = this.#expected.bytes;
    try {
      const read = await this.#contents(store, true);
      const wrong = this.#expected.settle(read ?? new Map(), attempt);
      if (wrong !== undefined) return `opened for reading: ${wrong}`;
      const recovered = this.#expected.compare((await this.#contents(store, false))!);
      if (recovered !== undefined) return `recovery changed the contents: ${recovered}`;
      this.#isThere = true;
      return await problemsOf(store);
    } catch (error) {
      if (!(error instanceof KvStoreError) || error.code === "IO") throw error;
      return `${error.code}: ${error.message}`;
    } finally {
      this.tally.bytes += this.#expected.bytes - bytes;
    }
  }

  /** Reads the contents. Returns `undefined` if there is no store yet. Opening for writing recovers or creates it. */
  async #contents(directory: string, readOnly: boolean): Promise<Contents | undefined> {
    let store: KvStore;
    try {
      const options = readOnly ? {} : openOptionsOf(this.#dice.below(2 ** 32));
      store = await KvStore.open(directory, { ...options, readOnly });
    } catch (error) {
      const isMissing = readOnly && !this.#isThere && error instanceof KvStoreError && error.code === "NOT_FOUND";
      if (isMissing) return undefined;
      throw error;
    }
    try {
      this.tally.statesChecked++;
      return contentsOf(store);
    } finally {
      await store.close();
    }
  }
}

function startTask(program: string, args: readonly string[], task: Task): ChildProcess {
  try {
    return spawn(program, [...args, "torture", "--quiet"], {
      env: { ...process.env, [TASK_VARIABLE]: JSON.stringify(task) },
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
    });
  } catch (error) {
    throw new TortureError((error as Error).message);
  }
}

function messageOf(line: string): Message {
  try {
    return JSON.parse(line) as Message;
  } catch {
    return { error: { code: "UNEXPECTED", message: `the process printed: ${line}` } };
  }
}

/** Returns what `verify` finds wrong. */
async function problemsOf(directory: string): Promise<string | undefined> {
  const { problems } = await verifyStore(directory);
  const [problem] = problems;
  return problem === undefined ? undefined : `verify: ${problem.file} at ${problem.offset}: ${problem.reason}`;
}
