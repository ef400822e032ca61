/**
 * The completion script for zsh.
 *
 * @module
 */

import type { Command, Completion, Option } from "../command_line/definition.ts";
import { GLOBAL_OPTIONS } from "../command_line/parse.ts";
import { namesOf } from "./words.ts";

/** Escapes a text for single quotes. */
function quoted(text: string): string {
  return text.replaceAll("'", "'\\''");
}

function action(completion: Completion | undefined): string {
  if (completion === undefined) return " ";
  if (completion === "key") return "_kvstore_keys";
  if (completion === "file") return "_files";
  if (completion === "directory") return "_files -/";
  return completion === "command" ? "_kvstore_commands" : `(${completion.join(" ")})`;
}

function optionSpec(option: Option): string {
  const about = quoted(option.about).replaceAll(/[[\]:]/g, "\\$&");
  const value = option.value === undefined ? "" : `:${option.value}:${action(option.completion)}`;
  return `'--${option.name}[${about}]${value}'`;
}

/** Returns the completion script for zsh. */
export function zshScript(commands: readonly Command[]): string {
  const described = commands.map((command) =>
    `    '${command.name}:${quoted(command.summary).replaceAll(":", "\\:")}'\n`
  );
  const cases = commands.map((command) => {
    const args = command.args.map(({ name, optional, repeated, completion }) => {
      return `'${repeated ? "*" : optional ? ":" : ""}:${name}:${action(completion)}'`;
    });
    const specs = [...command.options.map(optionSpec), ...args];
    return `    ${namesOf(command).join("|")}) _arguments -S $common ${specs.join(" ")} ;;\n`;
  });
  return `#compdef kvstore
# zsh completion for kvstore
_kvstore_commands() {
  local -a commands
  commands=(
${described.join("")}  )
  _describe command commands
}
_kvstore_keys() {
  (( \${+opt_args[--key-base64]} )) && return 1
  local -a keys dir
  local given=\${opt_args[--dir]:-$dir_before}
  [[ -n $given ]] && dir=(--dir \${\${(Q)given}/#\\~/$HOME})
  keys=("\${(@f)$("\${(@)\${(Q)service_word}/#\\~/$HOME}" $dir complete-keys -- "\${(Q)PREFIX}" 2>/dev/null)}")
  [[ -n $keys[1] ]] && compadd -a keys
}
_kvstore() {
  local curcontext="$curcontext" state line service_word=$words[1] dir_before
  local -A opt_args
  local -a common
  common=(
${GLOBAL_OPTIONS.map((option) => `    ${optionSpec(option)}\n`).join("")}  )
  _arguments -C -S $common ':command:_kvstore_commands' '*::argument:->rest'
  [[ $state == rest ]] || return
  dir_before=$opt_args[--dir]
  case $line[1] in
${cases.join("")}  esac
}
if [[ $funcstack[1] == _kvstore ]]; then _kvstore "$@"; else compdef _kvstore kvstore; fi
`;
}
