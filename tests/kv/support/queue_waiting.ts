/**
 * A program that has nothing to do but listen, and ends once it has got a message.
 *
 * @module
 */
import { openKv } from "../../../src/kv/mod.ts";

const kv = await openKv(":memory:");
void kv.listenQueue((message) => {
  console.log(message);
  setTimeout(() => kv.close());
});
await kv.enqueue("got it", { delay: 200 });
