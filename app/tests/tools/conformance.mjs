// The suite imports a function that Node.js has since version 22, for a command that is not used here. Loaded before it, this gives it one.
import { register } from "node:module";

const fs = `
  export * from "node:fs";
  export { default } from "node:fs";
  export function globSync() { throw new Error("not with this version of Node.js"); }`;
const address = (code) => `data:text/javascript,${encodeURIComponent(code)}`;
register(
  address(`
    export function resolve(name, context, next) {
      const suite = context.parentURL?.includes("/@modelcontextprotocol/conformance/");
      return suite && name === "fs" ? { url: ${JSON.stringify(address(fs))}, shortCircuit: true } : next(name, context);
    }`),
);
