/**
 * Writes a file from front to back, in pieces, and syncs the beginning of it while the rest is being made.
 *
 * @module
 */
import { asFsync, asIo, syncError } from "../errors.ts";
import { writeAll } from "./files.ts";
import type { FileHandle } from "./types.ts";

/** The file is written in pieces of this size. */
const PIECE_BYTES = 1024 * 1024;
/** So many bytes are synced at a time while writing goes on. Little is left to sync at the end. */
const SYNC_BYTES = 8 * 1024 * 1024;

/** A file that grows. */
interface GrowingFile {
  readonly handle: FileHandle;
  /** Its name, for messages. */
  readonly name: string;
  /** Where the bytes end that have been written, and the next ones go. */
  endBytes: number;
}

/** Appends to a file. */
export class WriteBehind {
  readonly #file: GrowingFile;
  /** Runs a write of so many bytes, which changes nothing if it fails. */
  readonly #run: (bytes: number, write: () => void) => void;
  readonly #piece = new Uint8Array(PIECE_BYTES);
  #length = 0;
  #syncedBytes = 0;
  #syncing: Promise<void> | undefined;
  #failure: unknown;

  /** Appends to `file`. Each write is a step that `run` runs, and may run again. */
  constructor(file: GrowingFile, run: (bytes: number, write: () => void) => void) {
    this.#file = file;
    this.#run = run;
  }

  /** Where the next bytes go. */
  get endBytes(): number {
    return this.#file.endBytes + this.#length;
  }

  /** Appends bytes. They are written with the piece that they belong to. */
  append(bytes: Uint8Array): void {
    if (this.#length + bytes.length > PIECE_BYTES) this.flush();
    if (bytes.length > PIECE_BYTES) return this.#write(bytes);
    this.#piece.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Writes what has been collected. */
  flush(): void {
    this.#write(this.#piece.subarray(0, this.#length));
    this.#length = 0;
  }

  /** Begins a sync if enough has been written and no sync is under way. Throws if one failed. */
  syncBehind(): void {
    this.#checkSyncs();
    if (this.#syncing !== undefined || this.#file.endBytes - this.#syncedBytes < SYNC_BYTES) return;
    this.#syncedBytes = this.#file.endBytes;
    this.#syncing = this.#file.handle.syncData()
      .catch((error) => this.#failure = error)
      .then(() => this.#syncing = undefined);
  }

  /** Writes what has been collected and makes it durable; resolves once it is. */
  async finish(): Promise<void> {
    this.flush();
    await this.#syncing;
    this.#checkSyncs();
    await asFsync(this.#file.name, () => this.#file.handle.syncData());
  }

  /** Writes what has been collected and makes it durable, waiting in place. */
  finishNow(): void {
    this.flush();
    asFsync(this.#file.name, () => this.#file.handle.syncDataNow());
  }

  /** The kernel reports a failed write-back once, so a later sync would not hear of it. */
  #checkSyncs(): void {
    if (this.#failure !== undefined) throw syncError(this.#file.name, this.#failure);
  }

  #write(bytes: Uint8Array): void {
    const { handle, name, endBytes } = this.#file;
    asIo(`write ${name}`, () => this.#run(bytes.length, () => writeAll(handle, bytes, endBytes)));
    this.#file.endBytes += bytes.length;
  }
}
