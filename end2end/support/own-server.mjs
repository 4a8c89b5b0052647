// A server of tools that wants a key of each person: the Model Context Protocol over its input and output. Its tool `whose` says with whose key it
// was started.
import { createInterface } from "node:readline";

const answers = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: "own", version: "1" },
  }),
  "tools/list": () => ({
    tools: [
      {
        name: "whose",
        description: "Says whose key it is.",
        inputSchema: { type: "object", properties: {} },
        annotations: { readOnlyHint: true, openWorldHint: false },
      },
    ],
  }),
  "tools/call": () => ({ content: [{ type: "text", text: `program of ${process.env.WHOSE_KEY}` }] }),
  ping: () => ({}),
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) {
    return;
  }
  const known = answers[method];
  const message = known ? { result: known(params ?? {}) } : { error: { code: -32601, message: "unknown method" } };
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, ...message })}\n`);
});
