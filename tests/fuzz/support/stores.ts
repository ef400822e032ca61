/**
 * Stores to mutate, as files and as a machine that holds them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { inflateRawSync } from "node:zlib";
import { MemoryPlatform } from "../../support/memory_platform.ts";
import { BASES } from "../corpus/bases.ts";
import type { Files } from "./layout.ts";

/** Where the store is. */
export const DIRECTORY = "/data/store";
/** Names of the intact stores. */
export const BASE_NAMES: string[] = Object.keys(BASES);

/** An intact store. */
export function baseOf(name: string): Files {
  const files = Object.entries(BASES[name] ?? {});
  return new Map(files.map(([file, text]) => [file, new Uint8Array(inflateRawSync(Buffer.from(text, "base64")))]));
}

/** A machine with these files in a store's directory. */
export function machineOf(files: Files): MemoryPlatform {
  const platform = new MemoryPlatform();
  platform.makeDirectory("/data");
  platform.makeDirectory(DIRECTORY);
  for (const [name, bytes] of files) platform.writeFile(`${DIRECTORY}/${name}`, bytes);
  return platform;
}
