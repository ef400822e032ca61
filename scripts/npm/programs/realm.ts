/**
 * Runs a CommonJS program in a realm of its own, as test runners run each test file: with its own `Error`, `Array`,
 * `Promise` and so on, while what the runtime's own modules return is from the realm outside. Compiled to CommonJS, and
 * started with the program's path.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname } from "node:path";
import process from "node:process";
import { compileFunction, createContext, runInContext } from "node:vm";

/** What the language does not bring, which runners hand in from outside. */
const HOST = [
  "AbortController",
  "AbortSignal",
  "Buffer",
  "DOMException",
  "TextDecoder",
  "TextEncoder",
  "URL",
  "clearTimeout",
  "console",
  "crypto",
  "performance",
  "process",
  "queueMicrotask",
  "setTimeout",
  "structuredClone",
];

const context = createContext(Object.fromEntries(HOST.map((name) => [name, Reflect.get(globalThis, name)])));
runInContext(
  `// Node 20 adds these to its own realm alone.
  for (const name of ["dispose", "asyncDispose"]) Symbol[name] ??= Symbol["for"]("nodejs." + name);
  // The cases compare what this returns with bytes of their realm.
  TextEncoder = class extends TextEncoder {
    encode(text) {
      return Uint8Array.from(super.encode(text));
    }
  };`,
  context,
);

const loaded = new Map<string, { exports: unknown }>();

function load(file: string): unknown {
  const known = loaded.get(file);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  loaded.set(file, module);
  const outside = createRequire(file);
  const require = (name: string) => isBuiltin(name) ? outside(name) : load(outside.resolve(name));
  const run = compileFunction(readFileSync(file, "utf8"), ["module", "exports", "require", "__filename", "__dirname"], {
    filename: file,
    parsingContext: context,
  });
  run(module, module.exports, require, file, dirname(file));
  return module.exports;
}

load(process.argv[2]!);
