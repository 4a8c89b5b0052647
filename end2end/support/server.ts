import { once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Program, binary, start } from "./program.js";

export type Settings = Record<string, string>;

/** Anteroom, listening on a port of its own. */
export interface Server {
  /** Its address, without a slash at the end. */
  url: string;
  /** What it has printed so far. */
  output(): string;
  /** Writes its `.env`, as an editor does: beside it, then in its place. */
  edit(dotenv: string): Promise<void>;
  /** Writes another file of its folder, likewise. */
  write(file: string, text: string): Promise<void>;
  /** Ends it as a service manager would; its data stays. */
  halt(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** Starts it once more, at the same address and with the same data. */
  restart(): Promise<void>;
  /** Ends it, and removes its data. */
  stop(): Promise<void>;
}

/**
 * Starts Anteroom with these settings, an empty data folder and no `.env`. `files` are in the folder that it is started in, by
 * name. Resolves once it answers.
 */
export async function startAnteroom(settings: Settings = {}, files: Record<string, string> = {}): Promise<Server> {
  // Its own folder: an `.env` of the developer's is none of the tests' business.
  const cwd = await mkdtemp(join(tmpdir(), "anteroom-"));
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  const env = { SITE_ADDR: address, DATA_DIR: join(cwd, "data"), SHUTDOWN_GRACE: "0", ...settings };
  const launch = async () => {
    const program = await start(binary("ANTEROOM_BIN"), { cwd, env });
    try {
      await answers(`${url}/health`, program);
    } catch (fault) {
      await program.stop();
      throw fault;
    }
    return program;
  };
  const write = async (file: string, text: string) => {
    await writeFile(join(cwd, `${file}.new`), text);
    await rename(join(cwd, `${file}.new`), join(cwd, file));
  };
  let program: Program;
  try {
    for (const [file, text] of Object.entries(files)) {
      await write(file, text);
    }
    program = await launch();
  } catch (fault) {
    await rm(cwd, { recursive: true, force: true });
    throw fault;
  }
  return {
    url,
    output: () => program.output(),
    edit: (dotenv) => write(".env", dotenv),
    write,
    halt: () => program.stop(),
    kill: () => program.kill(),
    restart: async () => {
      await program.stop();
      program = await launch();
    },
    stop: async () => {
      await program.stop();
      await rm(cwd, { recursive: true, force: true });
    },
  };
}

/**
 * A port that nobody listens on, below those that the system gives to outgoing connections: one of these may be taken by any
 * browser at any moment until the server listens.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const probe = createServer().listen(10_000 + Math.floor(Math.random() * 20_000), "127.0.0.1");
    try {
      await once(probe, "listening");
    } catch {
      continue;
    }
    const address = probe.address();
    probe.close();
    await once(probe, "close");
    if (address === null || typeof address === "string") {
      throw new Error("a TCP socket without a port");
    }
    return address.port;
  }
}

/** Resolves once a GET succeeds; fails as soon as the program ends, and after half a minute. */
export async function answers(url: string, program: Program): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    if (program.hasEnded()) {
      throw new Error(`the server ended before it answered:\n${program.output()}`);
    }
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no answer from ${url}:\n${program.output()}`);
}
