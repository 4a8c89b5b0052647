import { expect } from "@playwright/test";
import { type Program, binary, start } from "./program.js";

/** A time as the loopback model server reads it; a number is milliseconds. */
type Time = number | `${number}ms` | `${number}s` | `${number}m`;

/** What a model server can do wrong; see `loopback/src/fault.rs`. */
export type Fault =
  | `status:${number}`
  | "loading"
  | "hang"
  | "reset"
  | `${"stall" | "close" | "end" | "error" | "garbage"}:${number}`
  | `${"stall" | "close" | "end" | "error" | "garbage" | "drip"}`
  | `drip:${number}`
  | "empty"
  | "none";

/** What can be turned, for all requests to come; see `loopback/src/knobs.rs`. `null` takes a knob back where it can be. */
export interface Knobs {
  first_token?: Time;
  /** For each token of the prompt, before the first piece. */
  prefill?: Time;
  pace?: Time;
  /** Pieces a second, in place of a pace. */
  rate?: number;
  tokens?: number;
  /** Pieces of reasoning before the answer. */
  reasoning?: number;
  reply?: "words" | "markdown" | "echo" | "tool";
  /** Words before the calls of an answer that calls tools. */
  before?: number;
  /** The model that answers say they are from. */
  called?: string | null;
  fault?: Fault | null;
  finish?: string;
  /** Only the first so many requests of the same text meet the fault. */
  times?: number | null;
  retry_after?: Time | "usual" | null;
  gate?: string | null;
  /** Pieces before the gate or the hold. */
  after?: number;
  /** Waits there until released; `false` also lets all go that are held. */
  hold?: boolean;
}

/** What can be turned of the server itself; see `loopback/src/traits.rs`. */
export interface Traits {
  /** Requests that it answers at once. */
  limit?: number | null;
  /** What becomes of those beyond: refused with this status, or all are answered slower. */
  over?: 429 | 503 | "slower";
  /** Names with commas between. */
  models?: string | null;
  /** Tokens of the longest prompt. */
  context?: number | null;
  /** `false`: requests that offer tools are refused. */
  tools?: boolean;
  unwell?: boolean;
  /** Only the first so many requests meet the fault. */
  first?: number | null;
  /** Of so many requests, only the last meets the fault. */
  every?: number | null;
  /** For so long. */
  lasts?: Time | null;
  door?: "open" | "closed" | `${number}${string}:${number}${string}`;
}

/** What a loopback model server saw; see `loopback/src/record.rs`. */
export interface Record {
  now: number;
  max: number;
  connections: number;
  requests: {
    id: number;
    question: string;
    system: string | null;
    model: string;
    messages: number;
    /** The tools that it offered, and how many results of tools it had. */
    tools: string[];
    results: number;
    images: number;
    /** Milliseconds since the start. */
    began: number;
    first_piece: number | null;
    ended: number | null;
    ending: "complete" | "client_gone" | "fault" | "refused" | null;
    pieces: number;
    /** How many were being answered when it came, itself among them. */
    running: number;
    limit: number | null;
  }[];
  /** What became of the server itself, such as `down` and `up`. */
  changes: { at: number; what: string }[];
}

/** How many requests came while as many were being answered as the server's limit said. */
export function beyondLimit(record: Record): number {
  return record.requests.filter(({ running, limit }) => limit !== null && running > limit).length;
}

/** What a test tells a model server, and asks of it. */
export interface Controls {
  record(): Promise<Record>;
  /** Polls until the record meets a condition. */
  until(what: string, condition: (record: Record) => boolean): Promise<void>;
  /** Turns knobs for all requests to come. */
  set(knobs: Knobs & Traits): Promise<void>;
  /** Opens the gate of this name, now and for those who come later. */
  open(gate: string): Promise<void>;
  /** Lets the request go on that has been held longest. */
  release(): Promise<void>;
}

/** A loopback model server: it answers at once unless told otherwise. */
export interface Model extends Controls {
  /** What belongs in `OPENAI_BASE_URL`. */
  baseUrl: string;
  stop(): Promise<void>;
}

/** One of several loopback model servers. */
export interface BackEnd extends Controls {
  name: string;
  /** What belongs in a `backends.toml` as its `url`. */
  baseUrl: string;
  /** Takes it down as a crash does: what is being answered is broken off, connections are refused. Resolves once it is down. */
  kill(): Promise<void>;
  /** Brings it back, at the same address. Resolves once it is there. */
  revive(): Promise<void>;
}

/** Several loopback model servers in one process. */
export interface Models {
  /** By name. */
  backEnds: { [name: string]: BackEnd };
  stop(): Promise<void>;
}

export async function startModel(): Promise<Model> {
  const program = await start(binary("ANTEROOM_LOOPBACK_BIN"));
  const { addr, base_url: baseUrl } = JSON.parse(await firstLine(program));
  return { baseUrl, ...controls(`http://${addr}/control`), stop: program.stop };
}

/** Starts servers, each with the knobs that it begins with. */
export async function startModels(servers: { [name: string]: Knobs & Traits }): Promise<Models> {
  const specs = Object.entries(servers).map(([name, knobs]) => {
    const words = Object.entries(knobs).map(([knob, value]) => `${knob}=${value ?? "none"}`);
    return [name, ...words].join(" ");
  });
  const program = await start(binary("ANTEROOM_LOOPBACK_BIN"), { env: { LOOPBACK_SERVERS: specs.join("; ") } });
  const said: { control: string; servers: { name: string; base_url: string }[] } = JSON.parse(await firstLine(program));
  const backEnds = said.servers.map(({ name, base_url: baseUrl }): BackEnd => {
    // The control has a port of its own, so it is there for those that are down, too.
    const own = controls(`http://${said.control}/servers/${name}/control`);
    return {
      name,
      baseUrl,
      ...own,
      kill: () => own.set({ door: "closed" }),
      revive: () => own.set({ door: "open" }),
    };
  });
  return { backEnds: Object.fromEntries(backEnds.map((backEnd) => [backEnd.name, backEnd])), stop: program.stop };
}

/** A program that does not say where it is leaves nothing running. */
async function firstLine(program: Program): Promise<string> {
  try {
    return await program.firstLine();
  } catch (fault) {
    await program.stop();
    throw fault;
  }
}

function controls(url: string): Controls {
  const control = async (path: string, body?: object) => {
    const response = await fetch(`${url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body ?? {}),
    });
    if (!response.ok) {
      throw new Error(`the loopback model server: ${response.status} ${await response.text()}`);
    }
  };
  const record = async (): Promise<Record> => (await fetch(`${url}/record`)).json();
  return {
    record,
    until: (what, condition) => expect.poll(async () => condition(await record()), what).toBe(true),
    set: (knobs) => control("", knobs),
    open: (gate) => control(`/open/${gate}`),
    release: () => control("/release"),
  };
}
