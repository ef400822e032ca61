import { assertEquals } from "@std/assert";
import { Relocation } from "../src/relocation.ts";
import { Random } from "./support/random.ts";

Deno.test("relocation: each marked place gets its own target, up to the end of the largest segment, and no other", () => {
  const random = new Random(3);
  for (const bytes of [100, 512, 513, 100_000, 2 ** 32 - 1]) {
    const relocation = new Relocation(bytes);
    const targets = new Map<number, number>();
    const others: number[] = [];
    for (let offset = Math.max(0, bytes - 300_000); offset <= bytes; offset += 24 + random.below(60)) {
      if (random.chance(0.5)) others.push(offset);
      else targets.set(offset, 1 + random.below(2 ** 32 - 1));
    }
    for (const offset of targets.keys()) relocation.noteLive(offset);
    assertEquals(relocation.count, targets.size);
    for (const [offset, target] of [...targets].reverse()) {
      assertEquals([relocation.has(offset), relocation.target(offset)], [true, 0]);
      relocation.move(offset, target);
    }
    for (const [offset, target] of targets) assertEquals(relocation.target(offset), target);
    for (const offset of others) assertEquals([relocation.has(offset), relocation.target(offset)], [false, 0]);
  }
});
