/**
 * The table of commands, in the order in which help lists them.
 *
 * @module
 */

import type { Command } from "./command.ts";
import { exportCommand } from "./commands/export.ts";
import { get, has } from "./commands/get.ts";
import { commandsAboutCommands } from "./commands/help.ts";
import { history } from "./commands/history.ts";
import { importCommand } from "./commands/import.ts";
import { inspect } from "./commands/inspect.ts";
import { count, list } from "./commands/list.ts";
import { log } from "./commands/log.ts";
import { remove, set } from "./commands/set.ts";
import { torture } from "./commands/torture.ts";
import { repair, verify } from "./commands/verify.ts";
import { watch } from "./commands/watch.ts";
import { backup, compact, stats } from "./commands/work.ts";

/** Every command there is. */
export const COMMANDS: readonly Command[] = [
  set,
  get,
  has,
  remove,
  list,
  count,
  importCommand,
  exportCommand,
  watch,
  history,
  stats,
  compact,
  backup,
  verify,
  repair,
  log,
  inspect,
  torture,
  ...commandsAboutCommands(() => COMMANDS),
];
