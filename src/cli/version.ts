/** The version that `kvstore --version` prints: the one in deno.json, which a test holds it to. */
export const VERSION = "0.1.0";
