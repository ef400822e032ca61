import { assertEquals } from "@std/assert";
import { denoRun, mounted, processTest, run } from "../support/processes.ts";

/** Where the test is, by number of the shell's arguments: a variable needs no quoting. */
const FILE_SYSTEMS = {
  tmpfs: (at: string) => `mount -t tmpfs -o size=1m none '${at}'`,
  ext4: (at: string) =>
    `truncate -s 4M '${at}.image' && mkfs.ext4 -q -F -m 0 '${at}.image' && mount -o loop '${at}.image' '${at}'`,
};

for (const [name, mount] of Object.entries(FILE_SYSTEMS)) {
  const probe = `at=$(mktemp -d) && trap 'rm -rf "$at" "$at.image"' EXIT && ${mount("$at").replaceAll("'", '"')}; ` +
    `status=$?; umount "$at"; exit $status`;
  await processTest(
    `a full disk (${name}) refuses writes and loses nothing, and writing goes on once there is space`,
    async (root) => {
      const at = `${root}/disk`;
      await Deno.mkdir(at);
      const { code, out, err } = await run(mounted(mount(at), denoRun("tests/process/support/full_disk.ts", [at])));
      assertEquals({ code, out, err }, { code: 0, out: "done\n", err: "" });
    },
    { what: `a file system of its own (${name})`, command: () => mounted(`{ ${probe}; }`, ["true"]) },
  );
}
