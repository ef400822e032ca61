/**
 * The lock on an open file, flock(2), which Node does not offer. Bun calls the C library. Node runs the command `flock`
 * (of util-linux or busybox): a flock belongs to the open file and not to the process, so the lock outlives the command.
 *
 * A file that names a process id would be no substitute. It would not exclude those who use flock(2), and a crash would
 * leave it behind.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import process from "node:process";
import { codeOf, messageOf } from "../kinds.ts";

/** The command answers in 10 to 60 ms, and in 0.2 s from a process of 4 GB on a busy machine. */
const MAX_COMMAND_MS = 10_000;

/** An exclusive lock, and no waiting for it: `LOCK_EX | LOCK_NB`. */
const LOCK_NOW = 2 | 4;
/** The number of `EWOULDBLOCK` on Linux. */
const WOULD_BLOCK = 11;

/** The part of the module `bun:ffi` that is used. */
interface BunFfi {
  dlopen(library: string, symbols: object): {
    symbols: { flock(descriptor: number, operation: number): number; __errno_location(): number };
  };
  read: { i32(pointer: number, offset: number): number };
}

/** Locks an open file, or says that somebody else has locked it: returns false. Throws if that cannot be found out. */
export function flock(descriptor: number): boolean {
  return called(descriptor) ?? asked(descriptor);
}

/** The answer of the C library; `undefined` if it cannot be called, or its answer is not a clear one. */
function called(descriptor: number): boolean | undefined {
  if (process.versions.bun === undefined) return undefined;
  try {
    // Not imported: other runtimes, and bundlers for them, do not know the module.
    const ffi = process.getBuiltinModule("bun:ffi") as unknown as BunFfi;
    const { symbols } = openLibrary(ffi);
    if (symbols.flock(descriptor, LOCK_NOW) === 0) return true;
    // Bun may have made other system calls since, so only one number is believed, and that refuses.
    return ffi.read.i32(symbols.__errno_location(), 0) === WOULD_BLOCK ? false : undefined;
  } catch {
    return undefined;
  }
}

/** The C library: that of glibc, or that of musl. */
function openLibrary({ dlopen }: BunFfi): ReturnType<BunFfi["dlopen"]> {
  const symbols = {
    flock: { args: ["i32", "i32"], returns: "i32" },
    __errno_location: { args: [], returns: "ptr" },
  };
  try {
    return dlopen("libc.so.6", symbols);
  } catch {
    return dlopen(`libc.musl-${process.arch === "x64" ? "x86_64" : "aarch64"}.so.1`, symbols);
  }
}

/** The answer of the command. */
function asked(descriptor: number): boolean {
  const { status, error, signal, stderr } = spawnSync("flock", ["-xn", "3"], {
    stdio: ["ignore", "ignore", "pipe", descriptor],
    timeout: MAX_COMMAND_MS,
    killSignal: "SIGKILL",
  });
  const code = codeOf(error);
  if (code === "ENOENT") throw new Error("the command 'flock' (of util-linux or busybox) is not installed");
  if (code === "ETIMEDOUT") throw new Error(`the command 'flock' did not end within ${MAX_COMMAND_MS / 1000} s`);
  if (error !== undefined) {
    throw Object.assign(new Error(`the command 'flock' could not be run: ${messageOf(error)}`), { code });
  }
  if (status === 0) return true;
  if (status === 1) return false;
  throw new Error(`the command 'flock' ended with ${signal ?? `status ${status}`}: ${String(stderr).trim()}`);
}
