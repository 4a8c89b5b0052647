import type { Page } from "@playwright/test";
import { barriers } from "../support/axe.js";
import { expectState, send } from "../support/chat.js";
import { pick, twoModels } from "../support/models.js";
import { expect, test } from "../support/site.js";

const row = (page: Page, hook: string, name: string) => page.locator(`[data-testid="${hook}"][data-name="${name}"]`);
const cell = (page: Page, name: string, label: string) => row(page, "backend-row", name).locator(`[data-label="${label}"]`);

test("a back end that is killed shows so with its faults, and that it is back", async ({ startPool }) => {
  const site = await startPool([
    { name: "rack", pool: "gpu", limit: 1 },
    { name: "desk", pool: "gpu", limit: 1 },
  ]);
  const looker = await site.person();
  await looker.goto(`${site.url}/stats`);
  await expect(looker.getByTestId("backend-row")).toHaveCount(2);
  await expect(cell(looker, "rack", "State")).toHaveText("ready");
  await expect(cell(looker, "rack", "Running")).toContainText("0 of 1");

  await site.backEnds.rack.kill();
  await site.backEnds.desk.set({ hold: true });
  const people = [await site.person(), await site.person()];
  for (const [index, person] of people.entries()) {
    await send(person, `question ${index}`);
  }
  await expect(cell(looker, "rack", "State")).toHaveText(/out of service for \d+ s|being tried/);
  await expect(cell(looker, "rack", "Faults")).toContainText("not reachable");
  await expect(cell(looker, "desk", "Running")).toContainText("1 of 1");
  await site.backEnds.desk.set({ hold: false });
  for (const person of people) {
    await expectState(person, "done");
  }
  await expect(cell(looker, "desk", "First token p50 / p95")).not.toHaveText("–");

  // The next ticket that has nowhere else to go shows that it is back.
  await site.backEnds.rack.revive();
  await site.backEnds.desk.kill();
  await send(people[0], "is it back?");
  await expectState(people[0], "done");
  await expect(cell(looker, "rack", "State")).toHaveText("ready");
  await expect(row(looker, "model-row", "loopback@gpu").locator('[data-label="Answers"]')).toHaveText("3");
  await expect(looker.getByText("127.0.0.1")).toHaveCount(0);
});

test("lines of two models have rows that can be told apart, and their limit counts once", async ({ start }) => {
  const site = await start(twoModels);
  await site.model.set({ hold: true });
  const [small, large, waits] = [await site.person(), await site.person(), await site.person()];
  await send(small, "holds the small one");
  await expectState(small, "running");
  for (const page of [large, waits]) {
    await pick(page, "large@rack");
  }
  await send(large, "holds the large one");
  await expectState(large, "running");
  await send(waits, "waits");
  const looker = await site.person();
  await looker.goto(`${site.url}/stats`);
  const lines = row(looker, "stats-row", "chat");
  await expect(lines).toHaveCount(3);
  const waiting = (index: number) => lines.nth(index).locator('[data-label="Waiting"]');
  await expect(lines.nth(0).locator('[data-label="Running"]')).toContainText("2 of 2");
  await expect(waiting(0)).toHaveText("1");
  await expect(lines.nth(1)).toContainText("small@desk");
  await expect(waiting(1)).toHaveText("0");
  await expect(lines.nth(2)).toContainText("large@rack");
  await expect(waiting(2)).toHaveText("1");
  await expect(lines.nth(2).locator('[data-label="Done"]')).toHaveText("–");
  await site.model.set({ hold: false });
  await expectState(waits, "done");
});

test("the operator reads what has to be mended, on a phone in the dark, in Russian too", async ({ startPool }) => {
  const site = await startPool([{ name: "rack", pool: "gpu", limit: 1, server: { fault: "status:401" } }], { OPERATOR_KEY: "the-key-of-the-operator" });
  const phone = { viewport: { width: 390, height: 844 }, colorScheme: "dark", locale: "ru-RU" } as const;
  const page = await site.person(phone);
  await send(page, "вопрос");
  await expectState(page, "failed");
  await page.goto(`${site.url}/stats`);
  const rack = row(page, "backend-row", "rack");
  await expect(rack).toContainText("ключ не принят: 1");
  const mend = rack.getByText("Ключ не принят: исправьте его.");
  await expect(mend).toHaveCount(0);
  await page.goto(`${site.url}/operator?key=the-key-of-the-operator`);
  await expect(mend).toBeVisible();
  expect(await barriers(page)).toEqual([]);
  const [width, inner] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  expect(width).toBeLessThanOrEqual(inner);
});
