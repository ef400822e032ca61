/**
 * Calls of the store under test, and what becomes of them.
 *
 * @module
 */
import type { Durability } from "../../../src/types.ts";

/** A call under way. */
export interface Call {
  what: string;
  /** Number of the last change that it stands for, its own or an earlier call's. */
  id: number;
  durability: Durability | undefined;
  /** Whether it changes something itself. */
  changes: boolean;
  /** Refuses what it resolves to. */
  check?: (value: unknown) => void;
  /** Whether it may also reject with this. */
  mayReject?: (error: unknown) => boolean;
}

/** What became of a call. */
export interface Outcome extends Call {
  value?: unknown;
  error?: unknown;
}
