import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Locator, type Page, expect } from "@playwright/test";
import { lastTurn } from "./chat.js";
import type { Ends } from "./site.js";
import type { Settings } from "./server.js";

/** A server of tools of a test's own, called `files`. */
export interface ToolServer {
  /** What a site needs to have it. */
  settings: Settings;
  /** Lets the tool `wait` go on that waits for this file. */
  put(file: string): Promise<void>;
}

export async function toolServer(ends: Ends): Promise<ToolServer> {
  const folder = await mkdtemp(join(tmpdir(), "anteroom-tools-"));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "mcp.json");
  const program = join(import.meta.dirname, "tools-server.mjs");
  const server = { command: process.execPath, args: [program, folder] };
  await writeFile(file, JSON.stringify({ mcpServers: { files: server } }));
  return {
    settings: { MCP_FILE: file, DEFAULT_CONCURRENCY_LIMIT: "5" },
    put: (name) => writeFile(join(folder, name), ""),
  };
}

/** The uses of tools in the last turn. */
export const steps = (page: Page): Locator => lastTurn(page).getByTestId("step");

/** How they are, in order, once they can be seen and have the focus: while a door opens for a turn that has waited, nothing below it can. */
export async function expectSteps(page: Page, states: string[]): Promise<void> {
  await expect(steps(page)).toHaveCount(states.length);
  for (const [index, state] of states.entries()) {
    await expect(steps(page).nth(index)).toHaveAttribute("data-state", state);
  }
  await expect(lastTurn(page).getByTestId("opening")).toHaveCount(0);
}
