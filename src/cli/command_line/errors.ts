/**
 * The ways a command ends other than by doing what was asked, each with its exit status.
 *
 * @module
 */

/** Exit statuses, as the contract has them. */
export const EXIT = { done: 0, absent: 1, usage: 2, failed: 3 } as const;

/** The command line itself is wrong. The message names what was wrong and what was wanted. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** Whether it concerns no command, so that the usage of none helps. */
  readonly general: boolean;

  constructor(message: string, { general = false }: { general?: boolean } = {}) {
    super(message);
    this.general = general;
  }
}

/** What was read from a file or from standard input is not what it should be. */
export class InputError extends Error {
  override readonly name = "InputError";
}

/** A signal asked the command to stop. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  /** The exit status that tells of the signal: 130 for SIGINT, 143 for SIGTERM. */
  readonly status: number;

  constructor(signalName: string, status: number) {
    super(`interrupted by ${signalName}`);
    this.status = status;
  }
}

/** Nobody reads our output any more (`| head`): reason to stop, and no error. */
export class PipeClosed extends Error {
  override readonly name = "PipeClosed";
}
