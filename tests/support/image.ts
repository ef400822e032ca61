/**
 * Images of an index, read as a whole.
 *
 * @module
 */
import { type ImageFooter, ImageReader } from "../../src/image/image.ts";
import { type Index, PARTITIONS } from "../../src/engine/index.ts";
import { ImageIndex } from "../../src/lazy_index/image_index.ts";
import type { Partition } from "../../src/engine/partition.ts";
import type { FileHandle } from "../../src/platform/types.ts";

/** All partitions of an image, with room for more keys if `isGrowing`; `undefined` if one does not check out. */
export function readPartitions(
  handle: FileHandle,
  footer: ImageFooter<unknown>,
  isGrowing: boolean = false,
): Partition[] | undefined {
  if (footer.partitions.length !== PARTITIONS) return undefined;
  const reader = new ImageReader(handle, footer);
  const partitions: Partition[] = [];
  for (let number = 0; number < PARTITIONS; number++) {
    const partition = reader.read(number, isGrowing);
    if (partition === undefined) return undefined;
    partitions.push(partition);
  }
  return partitions;
}

/** The index with these partitions. */
export function indexOf(footer: ImageFooter<unknown>, partitions: Partition[]): Index {
  return new ImageIndex(footer.seed, {
    live: partitions.map(({ live }) => live),
    expiry: footer.partitions.map(({ expiry = Infinity }) => expiry),
    read: (number) => partitions[number],
    close: () => {},
  });
}
