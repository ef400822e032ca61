/**
 * A sample of the records: all of them while they are few, otherwise all versions of some keys. The keys are chosen by
 * a hash. Single records would lack the versions that explain them.
 *
 * @module
 */

/** A record in the sample. */
export interface SampledRecord {
  segment: number;
  offset: number;
  length: number;
  sequence: number;
  kind: number;
  flags: number;
  keyBytes: number;
  valueBytes: number;
  /** Whether the value is damaged. */
  isDamaged: boolean;
  /** Time of expiry, in milliseconds since 1970. */
  expiresAt?: number;
  /** The beginning of the value, as text. */
  preview?: string;
}

/** A key in the sample, with its records. */
export interface SampledKey {
  /** The beginning of the key. */
  head: Uint8Array;
  isString: boolean;
  /** Length of the whole key. */
  bytes: number;
  records: SampledRecord[];
  /** Number of older versions that were left out. */
  omitted: number;
  hash: number;
}

/** The most bytes kept of a key. Longer keys are told apart by hash and length. */
const HEAD_BYTES = 160;
/** The most versions of a key in a partial sample. */
const MOST_VERSIONS = 64;

/** A sample of the records, of a limited size. */
export class Sample {
  /** The keys in the sample. Records without a key are under names of their own. */
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

  /** Number of records in the sample. */
  get size(): number {
    return this.#records;
  }

  /**
   * Adds a record or leaves it out. Calls `describe` only if the record is added, as that costs more than the decision.
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

  /** Makes room: first drops old versions of keys with very many, then keys by their hash. */
  #shrink(): void {
    this.isPartial = true;
    for (const key of this.keys.values()) if (key.records.length > MOST_VERSIONS) this.#keepNewest(key);
    while (this.#records > this.#limit * 0.75) {
      // Below zero no key is left; with a limit of no records the loop ends there.
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

/** Hashes with FNV-1a. Mixes the bits once more, as only the highest ones matter. */
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
