import type { Page } from "@playwright/test";
import { answer, expectState, lastTurn, position, send } from "../support/chat.js";
import { expect, test } from "../support/site.js";

const tab = (page: Page, name: string) => page.getByRole("navigation", { name: "Tabs" }).getByRole("link", { name });

test("the stats tab shows a row a limit, alive, and the settings in force", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1", FILE_CONCURRENCY_LIMIT: "2" });
  const looker = await site.person();
  await tab(looker, "Stats").click();
  await expect(looker).toHaveURL(/\/stats$/);
  await expect(looker).toHaveTitle("Stats · Anteroom");
  const row = (limit: string) => looker.locator(`[data-testid="stats-row"][data-name="${limit}"]`);
  const cell = (limit: string, label: string) => row(limit).locator(`[data-label="${label}"]`);
  await expect(looker.getByTestId("stats-row")).toHaveCount(5);
  await expect(cell("chat", "Running")).toContainText("0 of 1");
  await expect(cell("file_upload", "Running")).toContainText("0 of 2");
  await expect(row("stats_refresh")).toBeVisible();
  await expect(row("logs_refresh")).toBeVisible();
  await expect(cell("tool", "Running")).toContainText("0 of 1");
  const setting = looker.locator('[data-testid="setting"][data-name="CHAT_CONCURRENCY_LIMIT"]');
  await expect(setting).toContainText("1");
  await expect(setting).toContainText(/environment/i);

  await site.model.set({ hold: true });
  const people = [await site.person(), await site.person(), await site.person()];
  for (const [index, person] of people.entries()) {
    await send(person, `question ${index}`);
  }
  await expect(cell("chat", "Running")).toContainText("1 of 1");
  await expect(cell("chat", "Waiting")).toHaveText("2");
  await expect(looker.getByTestId("line")).toHaveAttribute("data-waiting", "2");
  await site.model.set({ hold: false });
  for (const person of people) {
    await expectState(person, "done");
  }
  await expect(cell("chat", "Running")).toContainText("0 of 1");
  await expect(cell("chat", "Waiting")).toHaveText("0");
  await expect(cell("chat", "Done")).toHaveText("3");
  // The chat tab is where it was.
  await tab(people[0], "Stats").click();
  await expect(people[0].getByTestId("stats-row")).toHaveCount(5);
  await people[0].goBack();
  await expect(answer(people[0])).toContainText("Answer to: question 0");
});

test("the logs tab shows the records of one's own session, by level and text", async ({ start }) => {
  const site = await start({ OPERATOR_KEY: "the-key-of-the-operator" });
  const [mine, other] = [await site.person(), await site.person()];
  const turns: string[] = [];
  for (const [index, page] of [mine, other].entries()) {
    await send(page, `question of browser ${index}`);
    await expectState(page, "done");
    turns.push((await lastTurn(page).getAttribute("data-turn")) ?? "");
    await tab(page, "Logs").click();
    await expect(page).toHaveTitle("Logs · Anteroom");
    await page.getByTestId("logs-raw").click();
  }
  expect(new Set(turns).size).toBe(2);
  const records = (page: Page) => page.getByRole("log").getByTestId("log-record");
  for (const [index, page] of [mine, other].entries()) {
    await expect(records(page).filter({ hasText: turns[index] }).first()).toBeVisible();
    // Neither the other's turn nor, at this level, anybody's words.
    await expect(records(page).filter({ hasText: turns[1 - index] })).toHaveCount(0);
    await expect(records(page).filter({ hasText: "question of browser" })).toHaveCount(0);
  }

  const all = await records(mine).count();
  expect(all).toBeGreaterThan(1);
  await mine.getByTestId("log-text").fill(turns[0].toUpperCase());
  await expect(records(mine).filter({ hasNotText: turns[0] })).toHaveCount(0);
  await expect(records(mine).first()).toBeVisible();
  await mine.getByTestId("log-text").fill("nothing says this");
  await expect(records(mine)).toHaveCount(0);
  await expect(mine.getByText("No record matches.")).toBeVisible();
  await mine.getByTestId("log-text").fill("");
  await mine.getByTestId("log-level").selectOption("error");
  await expect(records(mine)).toHaveCount(0);
  await mine.getByTestId("log-level").selectOption("info");
  await expect(records(mine).filter({ hasText: turns[0] }).first()).toBeVisible();
  await mine.getByText("The server’s start").click();
  const hidden = mine.getByTestId("startup-hidden");
  await expect(hidden).toBeVisible();
  // Whoever runs the server sees what its start has logged.
  await mine.goto(`${site.url}/operator?key=the-key-of-the-operator`);
  await expect(mine).toHaveURL(/\/stats$/);
  await tab(mine, "Logs").click();
  await mine.getByTestId("logs-raw").click();
  await mine.getByText("The server’s start").click();
  const startup = mine.getByRole("region", { name: "Records of the server's start" }).getByTestId("log-record");
  await expect(startup.first()).toBeVisible();
  await expect(hidden).toBeHidden();
  await expect(startup.filter({ hasText: turns[1] })).toHaveCount(0);
});

test("where everything shares one line, a refresh waits in it, says its place, and comes", async ({ start }) => {
  const site = await start({ ENABLE_CONCURRENT_PROCESSING: "false", CHAT_CONCURRENCY_LIMIT: "3" });
  await site.model.set({ hold: true });
  const chatting = await site.person();
  await send(chatting, "holds the only slot");
  await expectState(chatting, "running");

  const looker = await site.person();
  await tab(looker, "Stats").click();
  await expect(looker.getByTestId("freshness")).toHaveText("Your refresh is 1st in line");
  await expect(looker.getByText("Asking for the figures…")).toBeVisible();
  await expect(looker.getByTestId("stats-row")).toHaveCount(0);

  // A message waits behind it.
  const asking = await site.person();
  await send(asking, "waits behind the refresh");
  await expect(position(asking)).toHaveAttribute("data-position", "2");

  await site.model.set({ hold: false });
  await expect(looker.getByTestId("stats-row")).toHaveCount(1);
  await expect(looker.getByTestId("freshness")).toContainText("Refreshed every");
  await expectState(chatting, "done");
  await expectState(asking, "done");
  expect((await site.model.record()).max).toBe(1);
});
