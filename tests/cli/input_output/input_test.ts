import { assertEquals } from "@std/assert";
import { LineAssembler, pieces } from "../../../src/cli/input_output/input.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("cli input: lines come out whole however the bytes are cut", () => {
  const input = bytes('{"a":"é日👍"}\n\nsecond\r\nno end');
  for (let first = 0; first <= input.length; first++) {
    for (let second = first; second <= input.length; second++) {
      const assembler = new LineAssembler();
      const pieces = [input.subarray(0, first), input.subarray(first, second), input.subarray(second)];
      const taken = [...pieces.map((piece) => assembler.push(piece)), assembler.end()];
      assertEquals(taken.some((lines) => lines.fault !== undefined), false);
      // Every text but the last ends with a line.
      assertEquals(taken.slice(0, -1).every(({ text }) => text === "" || text.endsWith("\n")), true);
      assertEquals(taken.map(({ text }) => text).join(""), '{"a":"é日👍"}\n\nsecond\r\nno end');
    }
  }
});

Deno.test("cli input: the pieces of a chunk are all of it, and short enough to be decoded fast", () => {
  for (const length of [0, 1, 32_767, 32_768, 32_769, 262_144]) {
    const chunk = new Uint8Array(length).map((_, i) => i);
    const cut = [...pieces(chunk)];
    assertEquals(cut.every((piece) => piece.length > 0 && piece.length <= 32_768), true);
    assertEquals(cut.length, Math.ceil(length / 32_768));
    assertEquals(new Uint8Array(cut.flatMap((piece) => [...piece])), chunk);
  }
});

Deno.test("cli input: lines before one that is no UTF-8 are kept", () => {
  const assembler = new LineAssembler();
  const input = new Uint8Array([...bytes("good\nalso\n"), 0xff, 10, ...bytes("after\n")]);
  assertEquals(assembler.push(input), { text: "good\nalso\n", fault: "not UTF-8" });
});

Deno.test("cli input: a byte order mark is a character like others", () => {
  assertEquals(new LineAssembler().push(bytes("\ufeffa\n")), { text: "\ufeffa\n" });
});

Deno.test("cli input: a line has a limit, beyond which nothing is kept", () => {
  const assembler = new LineAssembler();
  const chunk = new Uint8Array(64 * 1024 * 1024).fill(0x5b);
  for (let i = 0; i < 7; i++) assertEquals(assembler.push(chunk), { text: "" });
  assertEquals(assembler.push(chunk.subarray(0, 1)), { text: "", fault: "longer than 469762048 bytes" });
});
