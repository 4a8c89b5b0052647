import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A program under test, listening on a port of its own. */
export interface Server {
  /** Its address, without a slash at the end. */
  url: string;
  /** What it has printed so far. */
  output(): string;
  /** Ends it as a service manager would, and waits until it is gone. */
  stop(): Promise<void>;
}

/** Starts Anteroom with these settings, an empty data folder and no `.env`. Resolves once it answers. */
export async function startAnteroom(settings: Record<string, string> = {}): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), "anteroom-"));
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(binary("ANTEROOM_BIN"), [], {
    // Its own folder: an `.env` of the developer's is none of the tests' business.
    cwd: folder,
    env: { PATH: process.env.PATH, SITE_ADDR: address, DATA_DIR: join(folder, "data"), ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  await once(child, "spawn");
  let output = "";
  const collect = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const server: Server = {
    url: `http://${address}`,
    output: () => output,
    stop: async () => {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await answers(`${server.url}/health`, child, server.output);
  } catch (fault) {
    await server.stop();
    throw fault;
  }
  return server;
}

/** The path of a program that `cargo xtask test` has built. */
export function binary(variable: string): string {
  const path = process.env[variable];
  if (!path) {
    throw new Error(`${variable} is not set: run the browser tests with \`cargo xtask test --browser-only\``);
  }
  return path;
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") {
    throw new Error("a TCP socket without a port");
  }
  return address.port;
}

/** Resolves once a GET succeeds; fails as soon as the program ends, and after half a minute. */
async function answers(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    if (hasEnded(child)) {
      throw new Error(`the server ended before it answered:\n${output()}`);
    }
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no answer from ${url}:\n${output()}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) {
    return;
  }
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  // What does not end by itself must not keep the tests from ending.
  const patience = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await gone;
  clearTimeout(patience);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
