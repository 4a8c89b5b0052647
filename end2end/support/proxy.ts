import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer, request } from "node:http";
import { type Socket, connect } from "node:net";
import { freePort } from "./server.js";

/** What a proxy does with the text that is answered at a path. */
export type Rewrite = (path: string, text: string) => string;

/** Stands between browsers and a server, and can be in the way. */
export interface Proxy {
  /** Its address, without a slash at the end. */
  url: string;
  /** From now on nothing gets through: connections break, or are answered with this status. */
  fail(status?: number): void;
  /** From now on everything gets through again. */
  mend(): void;
  /** From now on texts are answered like this, as another build of the server would. */
  rewrite(rewrite: Rewrite): void;
  stop(): Promise<void>;
}

/** Starts a proxy in front of a server. */
export async function startProxy(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  let broken = false;
  let status: number | undefined;
  let rewrite: Rewrite | undefined;

  const answer = (asked: IncomingMessage, reply: ServerResponse) => {
    if (status !== undefined) {
      reply.writeHead(status, { "content-type": "text/html" }).end("<h1>Bad gateway</h1>");
      return;
    }
    const headers = { ...asked.headers };
    // Only what is whole and plain can be written anew.
    if (rewrite) {
      delete headers["accept-encoding"];
      delete headers["if-none-match"];
    }
    const path = asked.url ?? "/";
    const passed = request({ hostname, port, path, method: asked.method, headers }, async (got) => {
      const isText = /html|javascript/.test(got.headers["content-type"] ?? "");
      if (!rewrite || !isText) {
        reply.writeHead(got.statusCode ?? 502, got.headers);
        got.pipe(reply);
        return;
      }
      const parts: Buffer[] = [];
      for await (const part of got) {
        parts.push(part);
      }
      const { "content-length": _, etag: __, ...rest } = got.headers;
      reply.writeHead(got.statusCode ?? 502, rest).end(rewrite(path, Buffer.concat(parts).toString()));
    });
    passed.on("error", () => reply.destroy());
    asked.pipe(passed);
  };

  const server = createServer((asked, reply) => void answer(asked, reply));
  server.on("connection", (socket) => {
    if (broken) {
      socket.destroy();
      return;
    }
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  server.on("upgrade", (asked: IncomingMessage, socket: Socket, head: Buffer) => {
    if (status !== undefined) {
      socket.destroy();
      return;
    }
    const passed = connect(Number(port), hostname, () => {
      const lines = [`GET ${asked.url} HTTP/1.1`];
      for (let at = 0; at < asked.rawHeaders.length; at += 2) {
        lines.push(`${asked.rawHeaders[at]}: ${asked.rawHeaders[at + 1]}`);
      }
      passed.write(`${lines.join("\r\n")}\r\n\r\n`);
      passed.write(head);
      passed.pipe(socket).pipe(passed);
    });
    for (const [one, other] of [
      [passed, socket],
      [socket, passed],
    ]) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  const address = await freePort();
  server.listen(address, "127.0.0.1");
  await once(server, "listening");
  const breakAll = () => {
    for (const socket of open) {
      socket.destroy();
    }
  };
  return {
    url: `http://127.0.0.1:${address}`,
    fail: (told) => {
      status = told;
      broken = told === undefined;
      breakAll();
    },
    mend: () => {
      status = undefined;
      broken = false;
    },
    rewrite: (how) => {
      rewrite = how;
    },
    stop: async () => {
      breakAll();
      server.close();
      await once(server, "close");
    },
  };
}
