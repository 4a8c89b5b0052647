// OpenAI's own client for JavaScript, against Anteroom: it streams, and waits in the line while it does.
import assert from "node:assert/strict";
import OpenAI from "openai";

const openai = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: "unused" });
const control = async (path, body) => {
  const headers = { "content-type": "application/json" };
  const options = body === undefined ? {} : { method: "POST", headers, body: JSON.stringify(body) };
  const response = await fetch(process.env.CONTROL_URL + path, options);
  const text = await response.text();
  return text === "" ? undefined : JSON.parse(text);
};

const model = "loopback@openai";
const ask = (content, more) => openai.chat.completions.create({ model, messages: [{ role: "user", content }], ...more });
const text = async (stream) => {
  let all = "";
  for await (const chunk of stream) all += chunk.choices[0]?.delta?.content ?? "";
  return all;
};

const whole = await ask("Hello [[tokens=2]]");
assert.equal(whole.choices[0].message.content, "Answer to: Hello\n\nword1 ");

await control("", { hold: true });
const first = ask("First");
while ((await control("/record")).now < 1) await new Promise((resolve) => setTimeout(resolve, 10));
const { data: stream, response } = await ask("Second", { stream: true }).withResponse();
assert.equal(response.headers.get("x-anteroom-position"), "1");
setTimeout(() => control("", { hold: false }), 2500);
assert.ok((await text(stream)).startsWith("Answer to: Second"));
await first;

const answer = await openai.responses.create({ model, input: "Hello [[tokens=2]]", stream: true });
let told = "";
for await (const event of answer) if (event.type === "response.output_text.delta") told += event.delta;
assert.equal(told, "Answer to: Hello\n\nword1 ");

await assert.rejects(ask("Hello", { model: "none" }), (error) => error instanceof OpenAI.NotFoundError);
