/** The suite of keyv over `KvKeyv`: `keyv_suite.ts FOLDER VERSION PEERS`, PEERS being where peers.ts installed it. */

import { Keyv as Keyv5 } from "keyv";
import { Keyv as Keyv6 } from "keyv6";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { KvKeyv } from "../../../src/adapters/keyv.ts";
import { SuiteRunner } from "./suite_runner.ts";

const [folder, version, peers] = process.argv.slice(2) as [string, string, string];
const require = createRequire(join(peers, "package.json"));
const { default: keyvTestSuite, keyvIteratorTests } = require(join(peers, "node_modules/@keyv/test-suite"));
const Keyv = version === "5" ? Keyv5 : Keyv6;

const runner = new SuiteRunner();
keyvTestSuite(runner, Keyv, () => new KvKeyv(folder));
keyvIteratorTests(runner, Keyv, () => new KvKeyv(folder));
await runner.run();
