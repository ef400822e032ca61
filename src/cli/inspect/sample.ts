/**
 * Records to be shown one by one: all of them while they are few, else all versions of some keys. Keys are chosen by a
 * hash, as a record chosen by itself would come without the versions that explain it.
 *
 * @module
 */

/** A record that is shown. */
export interface SampledRecord {
  segment: number;
  offset: number;
  length: number;
  sequence: number;
  kind: number;
  flags: number;
  keyBytes: number;
  valueBytes: number;
  /** Whether the value does not check out. */
  isDamaged: boolean;
  /** Milliseconds since 1970. */
  expiresAt?: number;
  /** The beginning of the value, for people. */
  preview?: string;
}

/** A key, its beginning, and those of its records that are shown. */
export interface SampledKey {
  /** As much of the key as is shown. */
  head: Uint8Array;
  isString: boolean;
  /** Its whole length. */
  bytes: number;
  records: SampledRecord[];
  /** Older versions that were left out. */
  omitted: number;
  hash: number;
}

/** Bytes of a key that are kept; what is longer is told apart by its hash and length. */
const HEAD_BYTES = 160;
/** Versions of one key that are kept where not all can be. */
const MOST_VERSIONS = 64;

/** A sample of at most so many records. */
export class Sample {
  /** The keys in it. Marks, clears and damage have none: they are under names of their own. */
  readonly keys: Map<string, SampledKey> = new Map();
  /** Whether something was left out. */
  isPartial = false;
  readonly #limit: number;
  /** Keys with a higher hash are left out. */
  #highestHash = 0xffff_ffff;
  #records = 0;

  constructor(limitRecords: number) {
    this.#limit = limitRecords;
  }

  /** How many records are in it. */
  get size(): number {
    return this.#records;
  }

  /**
   * Takes a record in, or leaves it out. `describe` is called only for those that are taken, as it costs more than
   * deciding.
   */
  offer(key: Uint8Array, isString: boolean, describe: () => SampledRecord, tag = ""): void {
    const hash = hashOf(key, tag);
    if (hash > this.#highestHash) return;
    const name = tag + nameOf(key, hash);
    let sampled = this.keys.get(name);
    if (sampled === undefined) {
      sampled = { head: key.slice(0, HEAD_BYTES), isString, bytes: key.length, records: [], omitted: 0, hash };
      this.keys.set(name, sampled);
    }
    sampled.isString = isString;
    sampled.records.push(describe());
    this.#records++;
    if (this.isPartial && sampled.records.length >= 2 * MOST_VERSIONS) this.#keepNewest(sampled);
    if (this.#records > this.#limit) this.#shrink();
  }

  /** First one key with very many versions makes room, then keys by their hash. */
  #shrink(): void {
    this.isPartial = true;
    for (const key of this.keys.values()) if (key.records.length > MOST_VERSIONS) this.#keepNewest(key);
    while (this.#records > this.#limit * 0.75) {
      // Below zero nothing is left: a limit of no records ends there.
      this.#highestHash = this.#highestHash < 1 ? -1 : Math.floor(this.#highestHash * 0.75);
      for (const [name, key] of this.keys) {
        if (key.hash <= this.#highestHash) continue;
        this.keys.delete(name);
        this.#records -= key.records.length;
      }
    }
  }

  #keepNewest(key: SampledKey): void {
    key.records.sort((a, b) => b.sequence - a.sequence);
    const omitted = Math.max(0, key.records.length - MOST_VERSIONS);
    key.records.length -= omitted;
    key.omitted += omitted;
    this.#records -= omitted;
  }
}

/** FNV-1a, whose bits are mixed once more, as only a few of the highest decide. */
function hashOf(key: Uint8Array, tag: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < tag.length; i++) hash = Math.imul(hash ^ tag.charCodeAt(i), 0x0100_0193);
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key[i]!, 0x0100_0193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function nameOf(key: Uint8Array, hash: number): string {
  let name = "";
  for (let i = 0; i < Math.min(key.length, HEAD_BYTES); i++) name += String.fromCharCode(key[i]!);
  return key.length <= HEAD_BYTES ? name : `${name} ${key.length} ${hash}`;
}
