import { assert, assertEquals } from "@std/assert";
import { type Span, Timeline } from "../../../src/cli/inspect/timeline.ts";

const CASES: [name: string, spans: Span[]][] = [
  ["nothing", []],
  ["segments without records", [[0, 0], [Infinity, 0]]],
  ["one record", [[7, 7]]],
  ["one segment", [[1, 1000]]],
  ["segments one behind the other", [[1, 10], [11, 300], [301, 302]]],
  ["in any order, overlapping", [[50, 60], [1, 20], [15, 55], [58, 58]]],
  ["a crash in between", [[1, 100], [101 + 2 ** 32, 150 + 2 ** 32]]],
];

Deno.test("inspect timeline: every number that occurs has its step, in order, and steps cover all", () => {
  for (const [name, spans] of CASES) {
    for (const most of [1, 2, 7, 200]) {
      const timeline = new Timeline(spans, most);
      const numbers = [...new Set(spans.flatMap(([a, b]) => a > 0 && a <= b ? range(a, b) : []))].sort((a, b) => a - b);
      assertEquals(timeline.steps, Math.max(1, Math.min(most, numbers.length)), name);
      const steps = numbers.map((number) => timeline.stepOf(number));
      assertEquals(steps, [...steps].sort((a, b) => a - b), name);
      if (numbers.length > 0) assertEquals(new Set(steps).size, timeline.steps, name);
      const last = timeline.lastOfEach();
      assertEquals(last.length, timeline.steps, name);
      steps.forEach((step, i) => {
        assert(numbers[i]! <= last[step]!, `${name}: ${numbers[i]} is behind the end of step ${step}`);
        if (step > 0) assert(numbers[i]! > last[step - 1]!, `${name}: ${numbers[i]} is before step ${step}`);
      });
    }
  }
});

Deno.test("inspect timeline: numbers that no span has are taken to the nearest end", () => {
  const timeline = new Timeline([[10, 19], [1000, 1009]], 20);
  assertEquals([1, 10, 19, 500, 1000, 1009, 5000].map((number) => timeline.stepOf(number)), [0, 0, 9, 9, 10, 19, 19]);
});

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
