import type { Place } from "./site.js";

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
