/**
 * The table of all commands, in the order of the help.
 *
 * @module
 */

import { backup } from "./backup.ts";
import type { Command } from "./command_line/definition.ts";
import { compact } from "./compact.ts";
import { completionsCommand } from "./completions.ts";
import { count } from "./count.ts";
import { remove } from "./delete.ts";
import { exportCommand } from "./export.ts";
import { get } from "./get.ts";
import { has } from "./has.ts";
import { helpCommand } from "./help.ts";
import { history } from "./history.ts";
import { importCommand } from "./import.ts";
import { inspect } from "./inspect/inspect.ts";
import { list } from "./list.ts";
import { log } from "./log/log.ts";
import { repair } from "./repair.ts";
import { set } from "./set.ts";
import { shellCommand } from "./shell/shell.ts";
import { stats } from "./stats.ts";
import { torture } from "./torture/torture.ts";
import { verify } from "./verify.ts";
import { watch } from "./watch.ts";

/** All commands. */
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
  shellCommand(() => COMMANDS),
  completionsCommand(() => COMMANDS),
  helpCommand(() => COMMANDS),
];
