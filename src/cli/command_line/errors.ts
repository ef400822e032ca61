/**
 * Exit statuses, and the errors that end a command.
 *
 * @module
 */

/** Exit statuses. The last two are those of SIGINT, which is Ctrl-C, and SIGTERM. */
export const EXIT = { done: 0, absent: 1, usage: 2, failed: 3, interrupted: 130, terminated: 143 } as const;

/** The command line is wrong. The message says what was given and what was wanted. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** Whether the error is not about a command, so that no command's usage helps. */
  readonly general: boolean;

  constructor(message: string, { general = false }: { general?: boolean } = {}) {
    super(message);
    this.general = general;
  }
}

/** A file or standard input could not be read, or does not have the right content. */
export class InputError extends Error {
  override readonly name = "InputError";
}

/** A signal asked the command to stop. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  /** The exit status for the signal. */
  readonly status: number;

  constructor(signalName: string, status: number) {
    super(`interrupted by ${signalName}`);
    this.status = status;
  }
}

/** The reader of standard output has closed the pipe (`| head`). The command stops; that is no failure. */
export class PipeClosed extends Error {
  override readonly name = "PipeClosed";
}
