/**
 * `deno doc --lint` over all that the package exports. It wants every type that an export names to be exported, too:
 * those of abstract-level, which the adapter for it extends, are that package's to document, and are let pass.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import { ROOT } from "./repository.ts";

const OF_OTHERS = /^error\[private-type-ref\]: public type 'KvLevel\S*' references private type 'Abstract\w+'/;

const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
  args: ["doc", "--lint", ...Object.values(config.exports)],
  cwd: ROOT,
  env: { NO_COLOR: "1" },
  stdin: "null",
}).output();
const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
const errors = output.split(/^(?=error\[)/m).filter((part) => part.startsWith("error["));
const ours = errors.filter((error) => !OF_OTHERS.test(error));
// An exit status without an error of a kind that is known here: it could not be run as it should.
if (ours.length > 0 || (code !== 0 && errors.length === 0)) {
  console.log(ours.length > 0 ? ours.join("") : output);
  Deno.exitCode = 1;
}
console.log(`${Object.keys(config.exports).length} entry points, ${ours.length} errors of documentation`);
