import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type IncomingMessage, createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Locator, type Page, expect } from "@playwright/test";
import type { Ends } from "./site.js";
import type { Settings } from "./server.js";

interface Message {
  id?: number | string;
  method: string;
  params?: { protocolVersion?: string };
}

async function body(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of request) {
    text += part;
  }
  return text;
}

/** What the server over HTTP answers to whoever has this key. */
function answer({ method, params }: Message, key: string): object | undefined {
  switch (method) {
    case "initialize":
      return {
        protocolVersion: params?.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: "web", version: "1" },
      };
    case "tools/list":
      return {
        tools: [
          {
            name: "whose",
            inputSchema: { type: "object", properties: {} },
            annotations: { readOnlyHint: true, openWorldHint: false },
          },
        ],
      };
    case "tools/call":
      return { content: [{ type: "text", text: `address of ${key}` }] };
    default:
      return undefined;
  }
}

/**
 * What a site needs to have two servers of tools that want a key of each person: a program, `git`, and an address, `web`, which takes no key with
 * `old` in it. The tool `whose` of each says whose key it was called with.
 */
export async function ownServers(ends: Ends): Promise<Settings> {
  const server = createServer(async (request, response) => {
    const key = (request.headers.authorization ?? "").replace("Bearer ", "");
    if (key.includes("old") || key === "") {
      response.writeHead(401).end();
      return;
    }
    if (request.method !== "POST") {
      response.writeHead(405).end();
      return;
    }
    const message: Message = JSON.parse(await body(request));
    if (message.id === undefined) {
      response.writeHead(202).end();
      return;
    }
    const result = answer(message, key);
    const said = result ? { result } : { error: { code: -32601, message: "unknown method" } };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ jsonrpc: "2.0", id: message.id, ...said }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = address !== null && typeof address !== "string" ? address.port : 0;
  const folder = await mkdtemp(join(tmpdir(), "anteroom-own-"));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const program = join(import.meta.dirname, "own-server.mjs");
  const file = join(folder, "mcp.json");
  const inputs = [
    { type: "promptString", id: "name", description: "Your name there" },
    { type: "promptString", id: "token", description: "A token that may read your repositories", password: true },
  ];
  const mcpServers = {
    git: { command: process.execPath, args: [program], env: { WHOSE_KEY: "${input:name}:${input:token}" } },
    web: { type: "http", url: `http://127.0.0.1:${port}/mcp`, headers: { Authorization: "Bearer ${input:token}" } },
  };
  await writeFile(file, JSON.stringify({ inputs, mcpServers }));
  return { MCP_FILE: file, DEFAULT_CONCURRENCY_LIMIT: "5" };
}

/** A server on the page of one's own keys. */
export const ownServer = (page: Page, name: string): Locator =>
  page.getByTestId("own-server").filter({ has: page.getByRole("heading", { name, exact: true }) });

/** Gives these values for a server, on the page where that is done. */
export async function give(page: Page, name: string, values: string[]): Promise<void> {
  const server = ownServer(page, name);
  for (const [index, value] of values.entries()) {
    await server.getByTestId("own-value").nth(index).fill(value);
  }
  await server.getByTestId("own-give").click();
  await expect(ownServer(page, name)).toHaveAttribute("data-state", "given");
}
