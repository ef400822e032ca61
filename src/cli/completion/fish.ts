/**
 * The completion script for fish.
 *
 * @module
 */

import type { Command, Option } from "../command_line/definition.ts";
import { GLOBAL_OPTIONS } from "../command_line/parse.ts";
import { namesOf, offeredArguments, valuedOptions, wordsOf } from "./words.ts";

/** Escapes a text for single quotes. */
function quoted(text: string): string {
  return text.replaceAll(/['\\]/g, "\\$&");
}

function optionLine(option: Option, condition: string): string {
  const about = `-d '${quoted(option.about)}'`;
  return `complete -c kvstore${condition} -l ${option.name}${offerOf(option)} ${about}\n`;
}

function offerOf({ value, completion }: Pick<Option, "value" | "completion">): string {
  if (value === undefined) return "";
  if (completion === "file") return " -r -F";
  if (completion === "directory") return " -x -a '(__fish_complete_directories)'";
  return typeof completion === "object" ? ` -x -a '${completion.join(" ")}'` : " -x";
}

/** Returns the completion script for fish. */
export function fishScript(commands: readonly Command[]): string {
  const all = commands.flatMap(namesOf).join(" ");
  const names = commands.map((command) => {
    const about = quoted(command.summary);
    return `complete -c kvstore -n 'not __fish_seen_subcommand_from ${all}' -a ${command.name} -d '${about}'\n`;
  });
  const options = commands.flatMap((command) => {
    const condition = ` -n '__fish_seen_subcommand_from ${namesOf(command).join(" ")}'`;
    return command.options.map((option) => optionLine(option, condition));
  });
  const args = offeredArguments(commands).map(({ command, position, isRepeated, completion }) => {
    const place = `^(${namesOf(command).join("|")}) ${isRepeated ? "[0-9]+" : position}\\$`;
    const words = wordsOf(completion, commands)!;
    const offers: Record<string, string> = { directory: "(__fish_complete_directories)", key: "(__kvstore_keys)" };
    const offer = words === "file" ? "-F" : `-a '${typeof words === "string" ? offers[words] : words.join(" ")}'`;
    return `complete -c kvstore -n 'string match -qr -- "${place}" (__kvstore_place)' ${offer}\n`;
  });
  const valued = valuedOptions(commands).map(({ name }) => `--${name}`).join(" ");
  return `# fish completion for kvstore
function __kvstore_place -d 'The command, and how many arguments it has before the cursor'
  set -l plain
  set -l skip no
  set -l tokens (commandline -opc)
  for token in $tokens[2..-1]
    if test $skip = yes
      set skip no
    else if contains -- $token ${valued}
      set skip yes
    else if not string match -q -- '-*' $token
      set -a plain $token
    end
  end
  set -q plain[1]; and echo $plain[1] (math (count $plain) - 1)
end
function __kvstore_keys
  set -l tokens (commandline -opc)
  contains -- --key-base64 $tokens; and return
  set -l dir
  for i in (seq (count $tokens))
    if string match -q -- '--dir=*' $tokens[$i]
      set dir $tokens[$i]
    else if test "$tokens[$i]" = --dir
      set dir --dir (string replace -r -- '^~' $HOME $tokens[(math $i + 1)])
    end
  end
  $tokens[1] $dir complete-keys -- (string unescape -- (commandline -ct)) 2>/dev/null
end
complete -c kvstore -f
${GLOBAL_OPTIONS.map((option) => optionLine(option, "")).join("")}${names.join("")}${options.join("")}${args.join("")}`;
}
