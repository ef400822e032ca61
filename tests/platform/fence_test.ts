/**
 * The fence, where the lock of the operating system lies: whoever takes it while others take it, or have it, only one
 * still has it at the next look.
 */

import { assert, assertEquals } from "@std/assert";
import { type LockFile, lockFile } from "../../src/platform/lock.ts";
import type { FileHandle, Lock } from "../../src/platform/types.ts";
import { assertTaken } from "./support/suite.ts";

/** A LOCK file in memory, whose lock everybody gets. */
class LyingFile {
  text = new Uint8Array(0);
  changedMs = 0;
  /** How many seconds a time that is set is rounded to; `undefined` if it cannot be set. */
  stepSeconds: number | undefined = 1;
  /** Whether the disk takes no bytes. */
  isFull = false;
  /** How often somebody asks for the lock until it is free. */
  asksUntilFree = 1;
  /** Whether nobody can read it while somebody has locked it, as on Windows. */
  isUnreadable = false;
  /** Called before each call on the file. */
  onStep: () => void = () => {};
  #now = Date.now();

  #step(): void {
    this.onStep();
    this.#now += 10;
  }

  open(): LockFile {
    const handle: Partial<FileHandle> = {
      write: (bytes) => {
        this.#step();
        if (this.isFull) throw new Error("the disk is full");
        this.text = bytes.slice();
        this.changedMs = this.#now;
        return bytes.length;
      },
      read: (target) => {
        this.#step();
        if (this.isUnreadable) throw new Error("somebody has locked it");
        target.set(this.text.subarray(0, target.length));
        return this.text.length;
      },
      size: () => this.text.length,
      close: () => {},
    };
    return {
      handle: handle as FileHandle,
      tryLock: () => --this.asksUntilFree <= 0,
      truncate: () => {
        this.#step();
        this.changedMs = this.#now;
      },
      setTime: (seconds) => {
        this.#step();
        if (this.stepSeconds === undefined) throw new Error("not the owner");
        this.changedMs = 1000 * (seconds - seconds % this.stepSeconds);
      },
      look: () => {
        this.#step();
        return { identity: "1:1", changedMs: this.changedMs };
      },
    };
  }

  /** Takes the lock; before the `at`th step calls `between`. Returns how many steps there were. */
  take(name: string, at: number = Infinity, between: () => void = () => {}): { lock: Lock; steps: number } {
    let steps = 0;
    const outer = this.onStep;
    this.onStep = () => {
      if (++steps === at) between();
    };
    const system = {
      open: () => {
        throw new Error("nothing else is opened");
      },
      isNotFound: () => false,
    };
    const lock = assertTaken(lockFile(system, () => this.open(), { path: "/LOCK", text: name, isAsked: true }));
    this.onStep = outer;
    return { lock, steps };
  }
}

const FILES: Record<string, Partial<LyingFile>> = {
  "as on most file systems": {},
  "with even seconds": { stepSeconds: 2 },
  "a full disk": { isFull: true },
  "a file of another user": { stepSeconds: undefined },
};

Deno.test("fence: of those who take the lock one after the other, the last has it, whatever the file system", () => {
  for (const [what, traits] of Object.entries(FILES)) {
    const file = Object.assign(new LyingFile(), traits);
    const taken: Lock[] = [];
    for (let i = 0; i < 5; i++) {
      taken.push(file.take(`holder ${i}`).lock);
      assertEquals(taken.map((lock) => lock.isCurrent()), taken.map((_, at) => at === i), what);
      // A release of those who have lost it is none.
      for (const lock of taken.slice(0, -1)) lock.release();
      assertEquals(taken.at(-1)!.isCurrent(), true, what);
    }
    assertEquals(new Set(taken.map(({ token }) => token)).size, taken.length);
  }
});

Deno.test("fence: whenever others take the lock between two steps, one has it at most, whatever the file system", () => {
  for (const [what, traits] of Object.entries(FILES)) {
    const made = () => Object.assign(new LyingFile(), traits);
    const { steps } = made().take("alone");
    for (let first = 1; first <= steps; first++) {
      for (let second = 1; second <= steps; second++) {
        const file = made();
        const locks: Lock[] = [];
        const third = () => locks.push(file.take("third").lock);
        const two = () => locks.push(file.take("second", second, third).lock);
        locks.push(file.take("first", first, two).lock);
        const current = locks.filter((lock) => lock.isCurrent()).length;
        // Without a time of its own, each may find the text of another.
        const isRight = current === 1 || (current === 0 && file.stepSeconds === undefined);
        assert(isRight, `${what}: ${first}, ${second}: ${current}`);
      }
    }
  }
});

Deno.test("fence: a LOCK that anybody has changed or touched is lost, and its release leaves it as it is", () => {
  const file = new LyingFile();
  const { lock } = file.take("holder");
  file.changedMs = Date.now();
  assertEquals(lock.isCurrent(), false);
  const { text, changedMs } = file;
  lock.release();
  assertEquals([file.text, file.changedMs], [text, changedMs]);
});

Deno.test("fence: the time is an even second of the years 1987 to 2021, which no change of today sets", () => {
  for (let i = 0; i < 100; i++) {
    const file = new LyingFile();
    file.take("holder");
    const date = new Date(file.changedMs);
    assertEquals([date.getTime() % 2000, date.getUTCFullYear() >= 1987, date.getUTCFullYear() <= 2021], [
      0,
      true,
      true,
    ]);
  }
});

// A process that another thread is starting has a copy of every open file until it runs its own program.
Deno.test("fence: a lock that was released is asked for again, as a copy of the file may have it; one that is held is not", () => {
  const file = new LyingFile();
  const system = {
    open: () => {
      throw new Error("not opened");
    },
    isNotFound: () => false,
  };
  const take = () => lockFile(system, () => file.open(), { path: "LOCK", text: "me", isAsked: true });
  assertTaken(take()).release();
  file.asksUntilFree = 4;
  const lock = assertTaken(take());
  assertEquals(file.asksUntilFree, 0);
  file.asksUntilFree = 4;
  assertEquals(take(), { holder: "me" });
  assertEquals(file.asksUntilFree, 3);
  file.isUnreadable = true;
  assertEquals(take(), { holder: "" });
  assertEquals(file.asksUntilFree, 2);
  file.isUnreadable = false;
  lock.release();
});
