/**
 * Runs rounds in a thread of its own, so that whoever started it notices one that never ends.
 *
 * @module
 */
import { runRound } from "./round.ts";

/** What the worker tells. */
export type Message = { seed: number } & ({ outcomes: [string, number][] } | { failure: string });

const scope = self as unknown as {
  onmessage: (event: MessageEvent<number>) => void;
  postMessage: (m: Message) => void;
};

function textOf(error: unknown): string {
  const { message, cause } = error as Error;
  return `${message}\n${cause instanceof Error ? cause.stack : cause}`;
}

scope.onmessage = async ({ data: seed }) => {
  try {
    scope.postMessage({ seed, outcomes: [...await runRound(seed)] });
  } catch (error) {
    scope.postMessage({ seed, failure: textOf(error) });
  }
};
