/**
 * A writer that stops before each call on files until it is told to go on, in a worker: so a test decides how the calls
 * of several writers follow one another. They work on real files, and the lock on their store lies.
 */

import { KvStore, KvStoreError } from "../../../mod.ts";
import { denoPlatform } from "../../../src/platform/deno.ts";
import { pooled } from "../../../src/platform/pool.ts";
import type { FileHandle, Lock, Platform } from "../../../src/platform/types.ts";

/** What a writer does: a call is `open`, `close`, `compact`, or the name of a key that is set. */
export interface Task {
  directory: string;
  calls: string[];
  /** What a value begins with. */
  name: string;
  gate: SharedArrayBuffer;
}

/** How a call ended: "ok", or the code of its error. */
export interface Ended {
  call: string;
  code: string;
  /** What a key was set to. */
  value: string;
}

/** Where a writer is, in the first field of the gate; the second counts how often it may go on. */
export const GATE = { running: 0, waiting: 1, done: 2 } as const;

/** Long enough that a few need a new segment. */
const PADDING = "v".repeat(1000);

class Stepper {
  readonly #gate: Int32Array;
  #taken = 0;

  constructor(gate: SharedArrayBuffer) {
    this.#gate = new Int32Array(gate);
  }

  say(where: number): void {
    Atomics.store(this.#gate, 0, where);
    Atomics.notify(this.#gate, 0);
  }

  /** Waits until it may make the next call, and makes it. */
  step<T>(call: () => T): T {
    this.say(GATE.waiting);
    while (Atomics.load(this.#gate, 1) === this.#taken) Atomics.wait(this.#gate, 1, this.#taken);
    this.#taken++;
    return call();
  }
}

/** The platform with a stop before each call that sees or changes a file. Nothing is synced: no power goes. */
function steppedPlatform(stepper: Stepper): Platform {
  const step: Stepper["step"] = (call) => stepper.step(call);
  const steppedHandle = (handle: FileHandle): FileHandle => ({
    read: (target, offset) => step(() => handle.read(target, offset)),
    write: (source, offset) => step(() => handle.write(source, offset)),
    syncData: () => step(() => Promise.resolve()),
    syncDataNow: () => step(() => {}),
    size: () => step(() => handle.size()),
    close: () => handle.close(),
  });
  return pooled({
    ...denoPlatform,
    open: (path, mode) => steppedHandle(step(() => denoPlatform.open(path, mode))),
    list: (path) => step(() => denoPlatform.list(path)),
    syncDirectory: () => {},
    syncDirectoryLater: () => Promise.resolve(),
    rename: (from, to) => step(() => denoPlatform.rename(from, to)),
    remove: (path) => step(() => denoPlatform.remove(path)),
    removeLater: (path) => step(() => denoPlatform.removeLater(path)),
    readAhead: (extent) => step(() => denoPlatform.readAhead(extent)),
    lock(path, text) {
      const lock = step(() => denoPlatform.lock(path, text, false)) as Lock;
      return {
        token: lock.token,
        isCurrent: () => step(() => lock.isCurrent()),
        release: () => step(() => lock.release()),
      };
    },
    availableBytes: () => undefined,
    startTimer: () => ({ stop() {} }),
  });
}

async function runTask({ directory, calls, name, gate }: Task): Promise<Ended[]> {
  const stepper = new Stepper(gate);
  const ended: Ended[] = [];
  let store: KvStore | undefined;
  for (const [i, call] of calls.entries()) {
    const value = `${name}${i} ${PADDING}`;
    try {
      if (call === "open") {
        const options = { segmentBytes: 4096, compaction: { auto: false } };
        store = await KvStore.openOn(steppedPlatform(stepper), directory, options);
      } else if (call === "close") await store!.close();
      else if (call === "compact") await store!.compact();
      else await store!.set(call, value);
      ended.push({ call, code: "ok", value });
    } catch (error) {
      if (!KvStoreError.is(error)) throw error;
      ended.push({ call, code: error.code, value });
      if (call === "open") break;
    }
  }
  stepper.say(GATE.done);
  return ended;
}

/** The scope of a worker; the test that imports this module has no `postMessage`. */
const scope = globalThis as { postMessage?: (message: unknown) => void; onmessage?: unknown };
if (scope.postMessage !== undefined) {
  scope.onmessage = async ({ data }: MessageEvent<Task>) => scope.postMessage!(await runTask(data));
  scope.postMessage("ready");
}
