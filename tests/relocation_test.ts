import { assertEquals } from "@std/assert";
import { Relocation, Relocations } from "../src/relocation.ts";
import { Random } from "./support/random.ts";

Deno.test("relocation: each noted place gets its own target, up to the end of the largest segment", () => {
  const random = new Random(3);
  for (const bytes of [100, 512, 513, 100_000, 2 ** 32 - 1]) {
    const relocation = new Relocation(bytes);
    const targets = new Map<number, number>();
    const others: number[] = [];
    let [lastOffset, lastTarget] = [0, 0];
    for (let offset = Math.max(0, bytes - 300_000); offset <= bytes; offset += 24 + random.below(60)) {
      if (random.chance(0.3)) {
        others.push(offset);
        continue;
      }
      // Beside its neighbour, with a gap, anywhere, or nowhere.
      const beside = (lastTarget + offset - lastOffset) % 2 ** 32;
      const target = random.pick([beside, beside, (beside + 24) % 2 ** 32, random.below(2 ** 32), 0]);
      targets.set(offset, target);
      [lastOffset, lastTarget] = [offset, target];
    }
    for (const offset of targets.keys()) relocation.noteLive(offset);
    for (const offset of targets.keys()) assertEquals(relocation.has(offset), true);
    for (const offset of others) assertEquals(relocation.has(offset), false);
    for (const [offset, target] of targets) relocation.move(offset, target);
    assertEquals(relocation.count, targets.size);
    for (const [offset, target] of targets) assertEquals(relocation.target(offset), target);
  }
});

Deno.test("relocation: places before the first one that is moved stay", () => {
  const relocation = new Relocation(4096);
  for (const offset of [44, 100, 2000]) relocation.noteLive(offset);
  relocation.move(2000, 44);
  assertEquals([44, 100, 2000].map((offset) => relocation.target(offset)), [0, 0, 44]);
});

Deno.test("relocations: each segment has its own, however far its number is from the others", () => {
  const numbers = [7, 2 ** 32 - 2, 9];
  const relocations = new Relocations(numbers.map((number) => ({ number, endBytes: 100 })));
  for (const number of numbers) relocations.of(number)!.move(44, number);
  assertEquals(numbers.map((number) => relocations.of(number)!.target(44)), numbers);
  for (const number of [0, 6, 8, 10, 2 ** 32 - 1]) assertEquals(relocations.of(number), undefined);
  assertEquals(relocations.count, 3);
});
