/** The command `kvstore`. Everything it does lives in src/cli, where tests can import it without running it. @module */
import { main } from "./src/cli/main.ts";
main();
