/**
 * Completion scripts for shells, made from the table of commands.
 *
 * @module
 */

import type { Command, Completion, Option } from "./definition.ts";
import { GLOBAL_OPTIONS } from "./parse.ts";

/** The shells with a completion script. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** Returns the completion script for a shell. */
export function completionScript(shell: typeof SHELLS[number], commands: readonly Command[]): string {
  if (shell === "bash") return bashScript(commands);
  return shell === "zsh" ? zshScript(commands) : fishScript(commands);
}

function namesOf(command: Command): string[] {
  return [command.name, ...(command.aliases ?? [])];
}

function optionNames(options: readonly Option[]): string {
  return options.map((option) => `--${option.name}`).join(" ");
}

function valuedOptions(commands: readonly Command[]): Option[] {
  const all = [...GLOBAL_OPTIONS, ...commands.flatMap((command) => command.options)];
  return all.filter((option) => option.value !== undefined);
}

/** Returns the line of bash that offers a completion. */
function bashOffer(completion: Completion | undefined, commands: readonly Command[]): string {
  if (completion === undefined || completion === "key") return "return";
  if (completion === "file") return 'COMPREPLY=($(compgen -f -- "$word"))';
  if (completion === "directory") return 'COMPREPLY=($(compgen -d -- "$word"))';
  const words = completion === "command" ? commands.map((command) => command.name) : completion;
  return `COMPREPLY=($(compgen -W "${words.join(" ")}" -- "$word"))`;
}

function bashScript(commands: readonly Command[]): string {
  const valued = valuedOptions(commands);
  const values = valued.map((option) => `    --${option.name}) ${bashOffer(option.completion, commands)}; return ;;\n`);
  const options = commands.map((command) =>
    `    ${namesOf(command).join("|")}) options="$options ${optionNames(command.options)}" ;;\n`
  );
  const args = commands.filter((command) =>
    command.args.some((argument) => argument.completion !== undefined && argument.completion !== "key")
  )
    .map((command) => {
      const offer = bashOffer(command.args.find((argument) => argument.completion)!.completion, commands);
      return `    ${namesOf(command).join("|")}) ${offer} ;;\n`;
    });
  return `# bash completion for kvstore
_kvstore() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="" i
  COMPREPLY=()
  case "$before" in
${values.join("")}  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
    --) return ;;
    ${valued.map((option) => `--${option.name}`).join("|")}) ((i++)) ;;
    -*) ;;
    *) [[ -n "$command" ]] || command="\${COMP_WORDS[i]}" ;;
    esac
  done
  if [[ "$word" == -* ]]; then
    local options="${optionNames(GLOBAL_OPTIONS)}"
    case "$command" in
${options.join("")}    esac
    COMPREPLY=($(compgen -W "$options" -- "$word"))
    return
  fi
  case "$command" in
    "") ${bashOffer("command", commands)} ;;
${args.join("")}  esac
}
complete -o filenames -F _kvstore kvstore
`;
}

/** Escapes a text for single quotes: in zsh the quote is special, in fish the backslash too. */
function quoted(text: string, shell: "zsh" | "fish"): string {
  return shell === "zsh" ? text.replaceAll("'", "'\\''") : text.replaceAll(/['\\]/g, "\\$&");
}

function zshAction(completion: Completion | undefined): string {
  if (completion === undefined || completion === "key") return " ";
  if (completion === "file") return "_files";
  if (completion === "directory") return "_files -/";
  return completion === "command" ? "_kvstore_commands" : `(${completion.join(" ")})`;
}

function zshOption(option: Option): string {
  const about = quoted(option.about, "zsh").replaceAll(/[[\]:]/g, "\\$&");
  const value = option.value === undefined ? "" : `:${option.value}:${zshAction(option.completion)}`;
  return `'--${option.name}[${about}]${value}'`;
}

function zshScript(commands: readonly Command[]): string {
  const described = commands.map((command) =>
    `    '${command.name}:${quoted(command.summary, "zsh").replaceAll(":", "\\:")}'\n`
  );
  const cases = commands.map((command) => {
    const args = command.args.map((argument) => {
      return `'${argument.optional ? "::" : ":"}${argument.name}:${zshAction(argument.completion)}'`;
    });
    const specs = [...command.options.map(zshOption), ...args];
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
_kvstore() {
  local curcontext="$curcontext" state line
  local -a common
  common=(
${GLOBAL_OPTIONS.map((option) => `    ${zshOption(option)}\n`).join("")}  )
  _arguments -C -S $common ':command:_kvstore_commands' '*::argument:->rest'
  [[ $state == rest ]] || return
  case $line[1] in
${cases.join("")}  esac
}
if [[ $funcstack[1] == _kvstore ]]; then _kvstore "$@"; else compdef _kvstore kvstore; fi
`;
}

function fishOption(option: Option, condition: string): string {
  const about = `-d '${quoted(option.about, "fish")}'`;
  return `complete -c kvstore${condition} -l ${option.name}${fishOffer(option)} ${about}\n`;
}

function fishOffer({ value, completion }: Pick<Option, "value" | "completion">): string {
  if (value === undefined) return "";
  if (completion === "file") return " -r -F";
  if (completion === "directory") return " -x -a '(__fish_complete_directories)'";
  return typeof completion === "object" ? ` -x -a '${completion.join(" ")}'` : " -x";
}

function fishScript(commands: readonly Command[]): string {
  const all = commands.flatMap(namesOf).join(" ");
  const names = commands.map((command) => {
    const about = quoted(command.summary, "fish");
    return `complete -c kvstore -n 'not __fish_seen_subcommand_from ${all}' -a ${command.name} -d '${about}'\n`;
  });
  const own = commands.flatMap((command) => {
    const condition = ` -n '__fish_seen_subcommand_from ${namesOf(command).join(" ")}'`;
    const args = command.args.flatMap(({ completion }) => {
      if (completion === undefined || completion === "key") return [];
      const words = completion === "command" ? commands.map((each) => each.name) : completion;
      if (words === "file") return [`complete -c kvstore${condition} -F\n`];
      const offer = words === "directory" ? "(__fish_complete_directories)" : (words as readonly string[]).join(" ");
      return [`complete -c kvstore${condition} -a '${offer}'\n`];
    });
    return [...command.options.map((option) => fishOption(option, condition)), ...args];
  });
  return `# fish completion for kvstore
complete -c kvstore -f
${GLOBAL_OPTIONS.map((option) => fishOption(option, "")).join("")}${names.join("")}${own.join("")}`;
}
