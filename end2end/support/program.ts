import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** A program under test. */
export interface Program {
  /** What it has printed so far. */
  output(): string;
  /** Resolves with the first line that it prints; fails if it ends before. */
  firstLine(): Promise<string>;
  hasEnded(): boolean;
  /** Ends it as a crash would: it cannot do anything any more. */
  kill(): Promise<void>;
  /** Ends it as a service manager would, and waits until it is gone. */
  stop(): Promise<void>;
}

/** Starts a program, in a folder of its own and with these variables only. Its input ends with the tests. */
export async function start(
  path: string,
  options: { args?: string[]; cwd?: string; env?: Record<string, string> } = {},
): Promise<Program> {
  const child = spawn(path, options.args ?? [], {
    cwd: options.cwd,
    env: { PATH: process.env.PATH, ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  await once(child, "spawn");
  let output = "";
  const collect = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  return {
    output: () => output,
    firstLine: async () => {
      const ended = once(child, "exit");
      while (!output.includes("\n")) {
        await Promise.race([once(child.stdout, "data"), ended]);
        if (hasEnded(child) && !output.includes("\n")) {
          throw new Error(`${path} ended before it said anything:\n${output}`);
        }
      }
      return output.slice(0, output.indexOf("\n"));
    },
    hasEnded: () => hasEnded(child),
    kill: () => kill(child),
    stop: () => end(child),
  };
}

/** The path of a program that `cargo xtask test` has built. */
export function binary(variable: string): string {
  const path = process.env[variable];
  if (!path) {
    throw new Error(`${variable} is not set: run the browser tests with \`cargo xtask test --browser-only\``);
  }
  return path;
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

async function kill(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) {
    return;
  }
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
