import { expect } from "@playwright/test";
import type { Place, Site } from "./site.js";

/** A program asks for an answer, and reads it when it comes. It stands in the line like anybody else, one by one. Resolves once it has its place. */
export async function ask(site: Place, question: string): Promise<void> {
  const response = await fetch(`${site.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ model: "loopback", stream: true, messages: [{ role: "user", content: question }] }),
  });
  if (!response.ok) {
    throw new Error(`${response.status}: ${await response.text()}`);
  }
  // The server may end before it has been answered.
  void response.text().catch(() => {});
}

/** So many people without a browser on the screen send a message each; what the model answers is held. */
export async function queueUp(site: Site, count: number): Promise<void> {
  await site.model.set({ hold: true });
  for (let number = 1; number <= count; number++) {
    const { request } = await site.context();
    await request.get(site.url, { headers: { accept: "text/html" } });
    const sent = await request.post(`${site.url}/api/send_form`, {
      form: { turn: crypto.randomUUID(), text: `question ${number}` },
      headers: { origin: site.url },
    });
    expect(sent.ok(), await sent.text()).toBe(true);
  }
}
