// A server of tools for the tests: the Model Context Protocol over its input and output, a message a line. `node tools-server.mjs FOLDER`; the
// tools `wait` and `keep` go on once there is a file of the name that they are told in the folder.
import { existsSync, watch } from "node:fs";
import { createInterface } from "node:readline";

const folder = process.argv[2];
const text = (text, isError = false) => ({ content: [{ type: "text", text }], isError });
const object = (properties) => ({ type: "object", properties, required: Object.keys(properties) });
const string = { type: "string" };
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const until = ({ file }) =>
  new Promise((resolve) => {
    const watcher = watch(folder, () => look());
    const look = () => {
      if (existsSync(`${folder}/${file}`)) {
        watcher.close();
        resolve(text(`${file} is there`));
      }
    };
    look();
  });

const tools = {
  look: {
    description: "Looks at something.",
    inputSchema: object({ path: string }),
    annotations: { readOnlyHint: true, openWorldHint: false },
    run: ({ path }) => text(`<b>seen</b> ${path}`),
  },
  write: {
    title: "Write a file",
    description: "Writes something.",
    inputSchema: object({ path: string }),
    run: ({ path }) => text(`written ${path}`),
  },
  draw: {
    description: "Draws something.",
    inputSchema: object({}),
    annotations: { readOnlyHint: true, openWorldHint: false },
    run: () => ({
      content: [
        { type: "image", data: PIXEL, mimeType: "image/png" },
        { type: "resource_link", uri: "https://example.org/", name: "where it is from" },
      ],
    }),
  },
  wait: {
    description: "Waits for a file.",
    inputSchema: object({ file: string }),
    annotations: { readOnlyHint: true, openWorldHint: false },
    run: until,
  },
  keep: {
    description: "Waits for a file, and says nothing of what it does.",
    inputSchema: object({ file: string }),
    run: until,
  },
  fail: {
    description: "Fails.",
    inputSchema: object({}),
    annotations: { readOnlyHint: true, openWorldHint: false },
    run: () => text("there is no such file", true),
  },
};

const answers = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: "files", version: "1" },
  }),
  "tools/list": () => ({ tools: Object.entries(tools).map(([name, { run, ...tool }]) => ({ name, ...tool })) }),
  "tools/call": ({ name, arguments: told }) => tools[name].run(told ?? {}),
  ping: () => ({}),
};

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) {
    return;
  }
  const known = answers[method];
  const message = known ? { result: await known(params ?? {}) } : { error: { code: -32601, message: "unknown method" } };
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, ...message })}\n`);
});
