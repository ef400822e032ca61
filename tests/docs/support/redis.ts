/** A real Redis server for a test: on the loopback interface, on a free port, in a folder of its own. */

import { canStartProcesses } from "../../support/permissions.ts";

/** Why there is no Redis here; `undefined` if there is. */
export function redisProblem(): string | undefined {
  if (!canStartProcesses) return "tests may not start processes";
  for (const program of ["redis-server", "redis-cli"]) {
    try {
      new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync();
    } catch {
      return `${program} is not installed`;
    }
  }
  return undefined;
}

/** A running server. */
export interface Redis {
  port: number;
  stop(): Promise<void>;
}

/** Starts a server and waits until it answers. */
export async function startRedis(folder: string, options: string[] = []): Promise<Redis> {
  const port = freePort();
  const data = `${folder}/redis-${port}`;
  Deno.mkdirSync(data);
  const address = ["--bind", "127.0.0.1", "--port", String(port)];
  const child = new Deno.Command("redis-server", {
    args: [...address, "--dir", data, "--save", "", "--logfile", `${data}/log`, ...options],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let ended = false;
  child.status.then(() => ended = true);
  const stop = async () => {
    if (!ended) child.kill("SIGTERM");
    await child.status;
  };
  for (let attempts = 0; attempts < 500; attempts++) {
    if (ended) throw new Error(`redis-server ended: ${Deno.readTextFileSync(`${data}/log`)}`);
    try {
      using client = await RedisClient.connect(port);
      if (await client.call("PING") === "PONG") return { port, stop };
    } catch (error) {
      // Not listening yet, or not ready to answer.
      if (!(error instanceof Deno.errors.ConnectionRefused) && !(error instanceof RedisError)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await stop();
  throw new Error("redis-server does not answer");
}

/** A port that is free, and with it the one that a server in a cluster uses for the others, 10,000 above. */
function freePort(): number {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 30_000);
    try {
      for (const one of [port, port + 10_000]) Deno.listen({ hostname: "127.0.0.1", port: one }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** What the server answered as an error. */
class RedisError extends Error {}

type Reply = string | number | Uint8Array | null;

/** As much of a client as it takes to look at what is there, every byte of it. */
export class RedisClient implements Disposable {
  readonly #connection: Deno.TcpConn;
  #buffer: Uint8Array = new Uint8Array(0);

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  static async connect(port: number): Promise<RedisClient> {
    return new RedisClient(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Sends a command and returns the answer: text of a status, a number, bytes of a string, or nothing. */
  async call(...words: (string | Uint8Array)[]): Promise<Reply> {
    const parts = words.map((word) => typeof word === "string" ? new TextEncoder().encode(word) : word);
    const text = (line: string) => new TextEncoder().encode(line);
    const pieces = parts.flatMap((part) => [text(`$${part.length}\r\n`), part, text("\r\n")]);
    const command = new Uint8Array(
      await new Blob([text(`*${parts.length}\r\n`), ...pieces] as BlobPart[]).arrayBuffer(),
    );
    for (let sent = 0; sent < command.length;) sent += await this.#connection.write(command.subarray(sent));
    return await this.#reply();
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }

  async #reply(): Promise<Reply> {
    let end: number;
    while ((end = this.#buffer.indexOf(10)) < 0) await this.#more();
    const line = new TextDecoder().decode(this.#buffer.subarray(1, end - 1));
    const kind = String.fromCharCode(this.#buffer[0]!);
    this.#buffer = this.#buffer.subarray(end + 1);
    if (kind === "+") return line;
    if (kind === ":") return Number(line);
    if (kind === "$") return line === "-1" ? null : await this.#bytes(Number(line));
    throw new RedisError(line);
  }

  async #bytes(length: number): Promise<Uint8Array> {
    while (this.#buffer.length < length + 2) await this.#more();
    const bytes = this.#buffer.slice(0, length);
    this.#buffer = this.#buffer.subarray(length + 2);
    return bytes;
  }

  async #more(): Promise<void> {
    const chunk = new Uint8Array(64 * 1024);
    const count = await this.#connection.read(chunk);
    if (count === null) throw new Error("the server closed the connection");
    const joined = new Uint8Array(this.#buffer.length + count);
    joined.set(this.#buffer);
    joined.set(chunk.subarray(0, count), this.#buffer.length);
    this.#buffer = joined;
  }
}
