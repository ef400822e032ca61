/**
 * The table of all commands, in the order of the help.
 *
 * @module
 */

import { backup } from "./backup.ts";
import { clear } from "./clear.ts";
import { compact } from "./compact.ts";
import { completionsCommand } from "./completion/completions.ts";
import { completeKeys } from "./completion/keys.ts";
import { count } from "./count.ts";
import type { Command } from "./command_line/definition.ts";
import { remove } from "./delete.ts";
import { expire } from "./expire.ts";
import { exportCommand } from "./export.ts";
import { get } from "./get.ts";
import { has } from "./has.ts";
import { helpCommand } from "./help.ts";
import { history } from "./history.ts";
import { importCommand } from "./import.ts";
import { increment } from "./increment.ts";
import { inspect } from "./inspect/inspect.ts";
import { list } from "./list.ts";
import { log } from "./log/log.ts";
import { persist } from "./persist.ts";
import { rename } from "./rename.ts";
import { repair } from "./repair.ts";
import { restore } from "./restore.ts";
import { set } from "./set.ts";
import { shellCommand } from "./shell/shell.ts";
import { stats } from "./stats.ts";
import { torture } from "./torture/torture.ts";
import { ttl } from "./ttl.ts";
import { verify } from "./verify.ts";
import { watch } from "./watch.ts";

/** All commands. */
export const COMMANDS: readonly Command[] = [
  set,
  get,
  has,
  remove,
  rename,
  increment,
  ttl,
  expire,
  persist,
  list,
  count,
  clear,
  importCommand,
  exportCommand,
  watch,
  history,
  stats,
  compact,
  backup,
  restore,
  verify,
  repair,
  log,
  inspect,
  torture,
  shellCommand(() => COMMANDS),
  completionsCommand(() => COMMANDS),
  helpCommand(() => COMMANDS),
  completeKeys,
];
