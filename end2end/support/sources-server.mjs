// A server of the Model Context Protocol for the tests, over its input and output, a message a line, with resources and prompts, and no tools.
// Told `broken`, it ends at once.
import { createInterface } from "node:readline";

if (process.argv[2] === "broken") {
  process.exit(3);
}
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const user = (text) => ({ messages: [{ role: "user", content: { type: "text", text } }] });
class Refusal extends Error {}

const read = (uri) => {
  const order = /^shop:\/\/orders\/(\d+)$/.exec(uri);
  if (order) {
    return { uri, mimeType: "application/json", text: `{"order": ${order[1]}}` };
  }
  switch (uri) {
    case "shop://handbook":
      return { uri, mimeType: "text/markdown", text: "# Handbook\n\nThe secret word is heron.\n" };
    case "shop://logo":
      return { uri, mimeType: "image/png", blob: PIXEL };
    default:
      throw new Refusal("there is no such thing in the shop");
  }
};

const answers = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { resources: {}, prompts: {} },
    serverInfo: { name: "shop", version: "1" },
  }),
  "tools/list": () => ({ tools: [] }),
  "resources/list": () => ({
    resources: [
      { uri: "shop://handbook", name: "handbook.md", title: "The <b>handbook</b>", description: "How we work", mimeType: "text/markdown", size: 41 },
      { uri: "shop://logo", name: "Logo", mimeType: "image/png" },
      { uri: "shop://gone", name: "What is gone" },
    ],
  }),
  "resources/templates/list": () => ({
    resourceTemplates: [{ uriTemplate: "shop://orders/{number}", name: "An order", description: "By its number" }],
  }),
  "resources/read": ({ uri }) => ({ contents: [read(uri)] }),
  "prompts/list": () => ({
    prompts: [
      { name: "greet", title: "Greet a customer" },
      {
        name: "offer",
        title: "Write an offer",
        description: "For one customer",
        arguments: [{ name: "customer", description: "Who it is for", required: true }, { name: "tone" }],
      },
    ],
  }),
  "prompts/get": ({ name, arguments: told = {} }) =>
    name === "greet" ? user("Greet the customer.\u202E") : user(`Write an offer for ${told.customer}, ${told.tone ?? "plainly"}.`),
  ping: () => ({}),
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) {
    return;
  }
  let message = { error: { code: -32601, message: "unknown method" } };
  try {
    message = answers[method] ? { result: answers[method](params ?? {}) } : message;
  } catch (fault) {
    message = { error: { code: -32002, message: fault.message } };
  }
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, ...message })}\n`);
});
