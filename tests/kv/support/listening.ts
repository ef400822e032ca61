/**
 * What the cases of the queue are made with.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { Kv } from "./cases.ts";

/** Waits. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until something is so, for 20 seconds at most. */
export async function until(isSo: () => unknown): Promise<void> {
  for (const end = Date.now() + 20_000; !await isSo();) {
    assert(Date.now() < end, String(isSo));
    await sleep(5);
  }
}

/** Listens, and collects what comes. A message `{ fails: n }` fails the first n times. */
export function listening(kv: Kv): { got: unknown[]; listener: Promise<void> } {
  const got: unknown[] = [];
  const failures = new Map<string, number>();
  const listener = kv.listenQueue((message: { fails?: number; name: string } | undefined) => {
    got.push(message);
    if (message?.fails === undefined) return;
    const count = failures.get(message.name) ?? 0;
    failures.set(message.name, count + 1);
    if (count < message.fails) throw new Error("injected");
  });
  return { got, listener };
}

/** Does something while nothing is printed: what handlers throw is. */
export async function quietly(action: () => Promise<void>): Promise<void> {
  const { error } = console;
  console.error = () => {};
  try {
    await action();
  } finally {
    console.error = error;
  }
}
