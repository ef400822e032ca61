/**
 * Keys of every kind, and their bytes.
 *
 * @module
 */

import type { KvKey, KvKeyPart } from "../../../src/kv/keys.ts";
import { Random } from "../../support/random.ts";

const bytes = (...list: number[]) => Uint8Array.from(list);

/** Keys, from the first to the last in their order, with their bytes as hexadecimal digits. */
export const KEYS: [KvKey, string][] = [
  [[bytes()], "01 00"],
  [[bytes(), bytes()], "01 00 01 00"],
  [[bytes(0)], "01 00 ff 00"],
  [[bytes(0, 0xff)], "01 00 ff ff 00"],
  [[bytes(1, 0, 2)], "01 01 00 ff 02 00"],
  [[bytes(0xff)], "01 ff 00"],
  [[""], "02 00"],
  [["", ""], "02 00 02 00"],
  [["\u0000"], "02 00 ff 00"],
  [["\u0000a"], "02 00 ff 61 00"],
  [["a"], "02 61 00"],
  [["a", bytes(1)], "02 61 00 01 01 00"],
  [["a", "b"], "02 61 00 02 62 00"],
  [["a", "b", 1n], "02 61 00 02 62 00 15 01"],
  [["a\u0000"], "02 61 00 ff 00"],
  [["ab"], "02 61 62 00"],
  [["日"], "02 e6 97 a5 00"],
  [["\ufeff"], "02 ef bb bf 00"],
  [["\ufffd"], "02 ef bf bd 00"],
  [["\u{10000}"], "02 f0 90 80 80 00"],
  [[-(2n ** 2040n) + 1n], `0b 00 ${"00 ".repeat(255)}`.trim()],
  [[-(2n ** 64n)], "0b f6 fe ff ff ff ff ff ff ff ff"],
  [[-(2n ** 64n) + 1n], "0c 00 00 00 00 00 00 00 00"],
  [[-(2n ** 63n)], "0c 7f ff ff ff ff ff ff ff"],
  [[-256n], "12 fe ff"],
  [[-255n], "13 00"],
  [[-1n], "13 fe"],
  [[0n], "14"],
  [[1n], "15 01"],
  [[255n], "15 ff"],
  [[256n], "16 01 00"],
  [[2n ** 64n - 1n], "1c ff ff ff ff ff ff ff ff"],
  [[2n ** 64n], "1d 09 01 00 00 00 00 00 00 00 00"],
  [[2n ** 2040n - 1n], `1d ff ${"ff ".repeat(255)}`.trim()],
  [[-Infinity], "21 00 0f ff ff ff ff ff ff"],
  [[-1.5], "21 40 07 ff ff ff ff ff ff"],
  [[-5e-324], "21 7f ff ff ff ff ff ff fe"],
  [[-0], "21 7f ff ff ff ff ff ff ff"],
  [[0], "21 80 00 00 00 00 00 00 00"],
  [[5e-324], "21 80 00 00 00 00 00 00 01"],
  [[1], "21 bf f0 00 00 00 00 00 00"],
  [[Infinity], "21 ff f0 00 00 00 00 00 00"],
  [[NaN], "21 ff f8 00 00 00 00 00 00"],
  [[false], "26"],
  [[false, true], "26 27"],
  [[true], "27"],
];

/** Keys of a few parts, the same ones each time: alike in places, so that each kind of difference decides. */
export function randomKeys(count: number): KvKeyPart[][] {
  const random = new Random(1);
  const below = (limit: number) => random.below(limit);
  const list = (limit: number) => Array.from({ length: below(4) }, () => [0, 1, 0x61, 0xc3, 0xff][below(limit)]!);
  const parts: (() => KvKeyPart)[] = [
    () => Uint8Array.from(list(5)),
    () => String.fromCharCode(...list(5)),
    () => ["", "日", "\u{1f600}", "\uffff", "\u0000\u0000"][below(5)]!,
    () => (random.fraction() - 0.5) * Number(`1e${below(40)}`),
    () => [0, -0, NaN, Infinity, -Infinity, 1, -1, below(300)][below(8)]!,
    () => BigInt(below(600) - 300) ** BigInt(below(5)) - BigInt(below(3)),
    () => (below(2) === 0 ? 1n : -1n) * 256n ** BigInt(below(250)) + BigInt(below(3) - 1),
    () => below(2) === 0,
  ];
  return Array.from({ length: count }, () => Array.from({ length: 1 + below(3) }, () => parts[below(parts.length)]!()));
}
