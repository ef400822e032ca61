/**
 * The completion script for bash.
 *
 * @module
 */

import type { Command, Completion, Option } from "../command_line/definition.ts";
import { GLOBAL_OPTIONS } from "../command_line/parse.ts";
import { namesOf, offeredArguments, valuedOptions, wordsOf } from "./words.ts";

function optionNames(options: readonly Option[]): string {
  return options.map((option) => `--${option.name}`).join(" ");
}

/** Returns the line of bash that offers a completion. */
function offer(completion: Completion | undefined, commands: readonly Command[]): string {
  const words = wordsOf(completion, commands);
  if (words === undefined) return "return";
  if (words === "key") return "_kvstore_keys";
  if (words === "file") return 'COMPREPLY=($(compgen -f -- "$word"))';
  if (words === "directory") return 'COMPREPLY=($(compgen -d -- "$word"))';
  return `COMPREPLY=($(compgen -W "${words.join(" ")}" -- "$word"))`;
}

/** Returns the completion script for bash. */
export function bashScript(commands: readonly Command[]): string {
  const valued = valuedOptions(commands);
  const values = valued.map((option) => `    --${option.name}) ${offer(option.completion, commands)}; return ;;\n`);
  const options = commands.map((command) =>
    `    ${namesOf(command).join("|")}) options="$options ${optionNames(command.options)}" ;;\n`
  );
  const args = offeredArguments(commands).map(({ command, position, isRepeated, completion }) => {
    const places = namesOf(command).map((name) => `${name}:${isRepeated ? "*" : position}`);
    return `    ${places.join("|")}) ${offer(completion, commands)} ;;\n`;
  });
  return `# bash completion for kvstore
${WORDS}${KEYS}_kvstore() {
  local words=() dir=() command="" position=0 dashes="" encoded="" i
  COMPREPLY=()
  _kvstore_words
  local word="\${words[\${#words[@]}-1]}" before="\${words[\${#words[@]}-2]}"
  if [[ "$word" == --*=* ]]; then
    before="\${word%%=*}"
    word="\${word#*=}"
  fi
  for ((i = 1; i < \${#words[@]} - 1; i++)); do
    case "$dashes\${words[i]}" in
    --) dashes=yes ;;
    --dir) dir=(--dir "\${words[++i]}") ;;
    --dir=*) dir=(--dir "\${words[i]#*=}") ;;
    ${valued.filter(({ name }) => name !== "dir").map(({ name }) => `--${name}`).join("|")}) ((i++)) ;;
    --key-base64) encoded=yes ;;
    -*) ;;
    *) if [[ -z "$command" ]]; then command="\${words[i]}"; else ((position++)); fi ;;
    esac
  done
  if [[ -z "$dashes" ]]; then
    case "$before" in
${values.join("")}    esac
    if [[ "$word" == -* ]]; then
      local options="${optionNames(GLOBAL_OPTIONS)}"
      case "$command" in
${options.join("")}      esac
      COMPREPLY=($(compgen -W "$options" -- "$word"))
      return
    fi
  fi
  case "$command:$position" in
    :*) ${offer("command", commands)} ;;
${args.join("")}  esac
}
complete -o filenames -F _kvstore kvstore
`;
}

/** Puts the words together again that bash takes apart, at each colon for instance. */
const WORDS = `_kvstore_words() {
  local rest="\${COMP_LINE#"\${COMP_LINE%%[![:space:]]*}"}" part i
  for ((i = 0; i <= COMP_CWORD; i++)); do
    part="\${COMP_WORDS[i]}"
    if ((i == 0)) || [[ "$rest" == [[:space:]]* ]]; then
      rest="\${rest#"\${rest%%[![:space:]]*}"}"
      words+=("$part")
    else
      words[\${#words[@]}-1]+="$part"
    fi
    rest="\${rest#"$part"}"
  done
}
`;

/**
 * Offers keys. Within a quote they are offered as they are, as bash closes the quote; elsewhere they are quoted.
 */
const KEYS = `_kvstore_keys() {
  local typed="$word" prefix quote="" stem="" breaks="\${COMP_WORDBREAKS//[^:=@]/}" key
  compopt +o filenames 2>/dev/null
  [[ -z "$encoded" && "\${dir[*]}" != *[\\'\\"\\\\\\$\\\`]* ]] || return
  case "$typed" in
  [\\'\\"]*) quote="\${typed:0:1}" prefix="\${typed:1}" ;;
  *[\\'\\"\\$\\\`]* | *'\\\\\\\\'*) return ;;
  *)
    prefix="\${typed//\\\\/}"
    # Of a word that bash takes apart, readline completes the last part. An @ belongs to it.
    [[ -z "$breaks" ]] || stem="\${typed%"\${typed##*[$breaks]}"}"
    stem="\${stem%@}"
    ;;
  esac
  while IFS= read -r key; do
    if [[ -z "$quote" ]]; then
      printf -v key %q "$key"
      [[ "$key" == "$typed"* ]] && COMPREPLY+=("\${key#"$stem"}")
    elif [[ "$quote" == \\' && "$key" != *\\'* || "$quote" == \\" && "$key" != *[\\"\\\\\\$\\\`!]* ]]; then
      COMPREPLY+=("$key")
    fi
  done < <("\${words[0]/#\\~/$HOME}" \${dir[@]+"\${dir[@]/#\\~/$HOME}"} complete-keys -- "$prefix" 2>/dev/null)
}
`;
