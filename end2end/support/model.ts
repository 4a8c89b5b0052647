import { expect } from "@playwright/test";
import { binary, start } from "./program.js";

/** What the loopback model server saw; see `loopback/src/record.rs`. */
export interface Record {
  now: number;
  max: number;
  requests: {
    id: number;
    question: string;
    model: string;
    system: string | null;
    images: number;
    ended: number | null;
    ending: "complete" | "client_gone" | "fault" | null;
    pieces: number;
  }[];
}

/** A loopback model server: it answers at once unless told otherwise. */
export interface Model {
  /** What belongs in `OPENAI_BASE_URL`. */
  baseUrl: string;
  record(): Promise<Record>;
  /** Polls until the record meets a condition. */
  until(what: string, condition: (record: Record) => boolean): Promise<void>;
  /** Turns knobs for all requests to come; see `loopback/src/knobs.rs`. `hold: false` also lets all go that are held. */
  set(knobs: { [name: string]: string | number | boolean }): Promise<void>;
  /** Opens the gate of this name, now and for those who come later. */
  open(gate: string): Promise<void>;
  /** Lets the request go on that has been held longest. */
  release(): Promise<void>;
  stop(): Promise<void>;
}

export async function startModel(): Promise<Model> {
  const program = await start(binary("ANTEROOM_LOOPBACK_BIN"));
  const { addr, base_url: baseUrl } = JSON.parse(await program.firstLine());
  const control = async (path: string, body?: object) => {
    const response = await fetch(`http://${addr}/control${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body ?? {}),
    });
    if (!response.ok) {
      throw new Error(`the loopback model server: ${response.status} ${await response.text()}`);
    }
  };
  const record = async (): Promise<Record> => (await fetch(`http://${addr}/control/record`)).json();
  return {
    baseUrl,
    record,
    until: (what, condition) => expect.poll(async () => condition(await record()), what).toBe(true),
    set: (knobs) => control("", knobs),
    open: (gate) => control(`/open/${gate}`),
    release: () => control("/release"),
    stop: program.stop,
  };
}
