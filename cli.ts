/** The command `kvstore`. Its code is in src/cli/, where tests can import it without running it. @module */
import { main } from "./src/cli/main.ts";
main();
