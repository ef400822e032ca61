/** The process that `kvstore torture` kills, for runtimes that lack the packages of the rest of the command line. */

import process from "node:process";
import { runTask, taskOfProcess } from "../../../src/cli/torture/writer.ts";

process.exitCode = await runTask(taskOfProcess()!);
