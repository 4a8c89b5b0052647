import type { Page } from "@playwright/test";
import { answer, expectState, newChat, send } from "../support/chat.js";
import { expect, test } from "../support/site.js";

const tab = (page: Page, name: string) => page.getByRole("navigation", { name: "Tabs" }).getByRole("link", { name });
const heading = (page: Page) => page.getByRole("heading", { level: 1 });

test("links lead from page to page without loading one, and back and forward again", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await page.evaluate(() => Object.assign(window, { same: true }));
  await send(page, "first");
  await expectState(page, "done");
  const first = page.url();
  await newChat(page);
  await send(page, "second");
  await expectState(page, "done");
  const second = page.url();
  await page.getByTestId("conversation").filter({ hasText: "first" }).click();
  await expect(page).toHaveURL(first);
  await expect(answer(page)).toContainText("Answer to: first");
  await expect(page.getByTestId("conversation").filter({ hasText: "first" })).toHaveAttribute("aria-current", "page");
  await expect(page.getByTestId("conversation").filter({ hasText: "second" })).not.toHaveAttribute("aria-current", "page");
  await tab(page, "Stats").click();
  await expect(heading(page)).toHaveText("Stats");
  // To where one is already: that is no step of its own.
  await tab(page, "Stats").click();
  await page.getByRole("link", { name: "Your data" }).click();
  await expect(heading(page)).toHaveText("Your data");
  for (const address of [`${site.url}/stats`, first, second]) {
    await page.goBack();
    await expect(page).toHaveURL(address);
  }
  await expect(answer(page)).toContainText("Answer to: second");
  await page.goForward();
  await expect(page).toHaveURL(first);
  await expect(answer(page)).toContainText("Answer to: first");
  expect(await page.evaluate(() => (window as unknown as { same: boolean }).same), "it was one page all the time").toBe(true);
});

test("a link that is pressed with a key held is the browser's, and so is one that leads elsewhere", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  const [other] = await Promise.all([page.context().waitForEvent("page"), tab(page, "Stats").click({ modifiers: ["ControlOrMeta"] })]);
  await expect(heading(other)).toHaveText("Stats");
  expect(page.url()).toBe(`${site.url}/`);
  await send(page, "hello");
  await expectState(page, "done");
  await page.getByTestId("conversation-more").first().click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("export-md").click()]);
  expect(download.suggestedFilename()).toMatch(/\.md$/);
  await expect(page).toHaveURL(/\/c\//);
});
