import type { Page } from "@playwright/test";
import { expectState, send } from "../support/chat.js";
import { awake, expect, test, visit } from "../support/site.js";

const KEY = "the-key-of-the-operator";
const tabs = (page: Page) => page.getByRole("navigation", { name: "Tabs" }).getByRole("link");

test("tabs are there for whom the settings say, and nobody else finds or asks for them", async ({ start }) => {
  const site = await start({ OPERATOR_KEY: KEY, STATS_TAB: "operators" });
  // An edit takes effect at once.
  await site.server.edit("LOGS_TAB=off");
  const visitor = await site.person();
  await expect.poll(async () => (await visitor.request.get(`${site.url}/logs`)).status()).toBe(404);
  await visitor.reload();
  await awake(visitor);
  await expect(tabs(visitor)).toHaveText(["Chat"]);
  await expect(visitor.getByTestId("line")).toHaveText(/The line: /);
  await expect(visitor.getByTestId("line")).not.toHaveAttribute("href");
  for (const address of ["stats", "logs"]) {
    const answer = await visitor.goto(`${site.url}/${address}`);
    expect(answer?.status(), address).toBe(404);
    await awake(visitor);
    await expect(visitor.getByRole("heading", { name: "There is no page here" })).toBeVisible();
    const asked = await visitor.request.post(`${site.url}/api/refresh`, { form: { kind: address }, headers: { origin: site.url } });
    expect(asked.status(), address).toBe(403);
  }
  const operator = await visit(await site.context(), `${site.url}/operator?key=${KEY}`);
  await expect(operator).toHaveURL(/\/stats$/);
  await expect(tabs(operator)).toHaveText(["Chat", "Stats"]);
  await expect(operator.getByTestId("stats-row").first()).toBeVisible();
  expect((await operator.goto(`${site.url}/logs`))?.status()).toBe(404);
});

test("the logs tell a person what became of each message", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
  const page = await site.person();
  await page.goto(`${site.url}/logs`);
  await awake(page);
  await expect(page.getByText("No message of this browser was answered")).toBeVisible();
  await page.goto(site.url);
  await awake(page);
  await site.model.set({ tokens: 4 });
  await send(page, "hello");
  await expectState(page, "done");
  const answered = await page.getByTestId("answer").evaluate((answer) => answer.textContent?.trim().length);
  await site.model.set({ tokens: 40, gate: "more", after: 5 });
  await send(page, "stopped halfway");
  await expect(page.getByTestId("answer").last()).toContainText("word4");
  await page.getByTestId("stop").click();
  await expectState(page, "cancelled");
  await page.goto(`${site.url}/logs`);
  await awake(page);
  const told = page.getByTestId("told").getByRole("listitem");
  await expect(told).toHaveCount(2);
  await expect(told.nth(0)).toContainText(/You stopped its answer after .* characters\./);
  await expect(told.nth(1)).toContainText(/Your message waited .*, then was answered in/);
  // As it was written: with the breaks between its paragraphs, which the page has no characters for.
  const characters = Number(/: (\d+) characters/.exec(await told.nth(1).innerText())?.[1]);
  expect(characters - (answered ?? 0)).toBeGreaterThanOrEqual(0);
  expect(characters - (answered ?? 0)).toBeLessThanOrEqual(4);
  // The records themselves, on request.
  await expect(page.getByTestId("log-record").first()).toBeHidden();
  await page.getByTestId("logs-raw").click();
  await expect(page.getByRole("log").getByTestId("log-record").first()).toBeVisible();
});
