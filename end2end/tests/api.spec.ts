import { expect, test } from "@playwright/test";
import { type Server, startAnteroom } from "../support/server.js";

let server: Server;

test.beforeAll(async () => {
  server = await startAnteroom();
});

test.afterAll(async () => {
  await server?.stop();
});

test("the API is read and tried on its page", async ({ page }) => {
  const faults: string[] = [];
  page.on("pageerror", (fault) => faults.push(fault.message));
  // What its policy does not allow is said there.
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  page.on("request", (request) => {
    if (!request.url().startsWith(server.url)) {
      faults.push(request.url());
    }
  });
  await page.goto(`${server.url}/api/v1`);
  const of = (path: string) => page.locator("details", { has: page.locator(`form[data-path="${path}"]`) });

  const chat = of("/api/v1/chat/stream");
  await chat.locator("summary").click();
  await chat.getByRole("textbox", { name: "Body" }).fill('{"message": "2+2"}');
  await chat.getByRole("button", { name: "Send" }).click();
  await expect(chat.locator("pre")).toContainText("event: done");
  await expect(chat.locator("pre")).toContainText("200 OK");

  const one = of("/api/v1/conversations/{id}").filter({ has: page.locator('form[data-method="DELETE"]') });
  await one.locator("summary").click();
  await one.getByRole("textbox", { name: "id" }).fill("0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f");
  await one.getByRole("button", { name: "Send" }).click();
  await expect(one.locator("pre")).toContainText("conversation_unavailable");
  expect(faults.filter((fault) => !fault.includes("404"))).toEqual([]);
});
