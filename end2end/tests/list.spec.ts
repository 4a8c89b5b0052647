import type { Locator, Page } from "@playwright/test";
import { barriers } from "../support/axe.js";
import { expectState, newChat, send } from "../support/chat.js";
import { expect, test, visit } from "../support/site.js";

const rows = (page: Page): Locator => page.getByTestId("conversation").filter({ visible: true });
const archive = (page: Page): Locator => page.getByTestId("archive");
const titles = (page: Page): Locator => rows(page).locator(".conversation-title");
const more = (page: Page, title: string): Locator => page.getByRole("button", { name: `More about ${title}` });

async function menu(page: Page, title: string): Promise<void> {
  await rows(page).filter({ hasText: title }).hover();
  await more(page, title).click();
}

async function say(page: Page, ...texts: string[]): Promise<void> {
  for (const text of texts) {
    await newChat(page);
    await send(page, text);
    await expectState(page, "done");
  }
}

test("a conversation is pinned and archived, in every tab, and a message brings it back", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await say(page, "apples", "pears", "plums");
  const other = await visit(page.context(), site.url);
  await expect(titles(other)).toHaveText(["plums", "pears", "apples"]);

  await menu(page, "apples");
  await page.getByTestId("pinned").click();
  await expect(titles(page)).toHaveText(["apples", "plums", "pears"]);
  await expect(page.locator(".list-day")).toHaveText(["Pinned", "Today"]);
  // The keyboard goes on where it was, though the row has moved.
  await expect(more(page, "apples")).toBeFocused();
  await expect(titles(other)).toHaveText(["apples", "plums", "pears"]);

  await menu(page, "plums");
  await page.getByTestId("archived").click();
  // It is the one that is open, and stays in sight, until somebody folds the archive.
  await expect(archive(page)).toHaveAttribute("open");
  await expect(more(page, "pears")).toBeFocused();
  await expect(titles(page)).toHaveText(["apples", "pears", "plums"]);
  await archive(page).locator("summary").click();
  await expect(titles(page)).toHaveText(["apples", "pears"]);
  await expect(archive(other)).toBeVisible();
  await expect(titles(other)).toHaveText(["apples", "pears"]);
  await page.screenshot({ path: "test-results/looks/list.png" });
  expect.soft(await barriers(page)).toEqual([]);

  // The open conversation is archived, so that its place is in sight after a reload.
  await page.reload();
  await expect(titles(page)).toHaveText(["apples", "pears", "plums"]);
  await archive(page).locator("summary").click();
  await expect(titles(page)).toHaveText(["apples", "pears"]);
  // It is found by a search, which says where it is.
  await page.getByTestId("search").fill("plums");
  await expect(page.getByTestId("hit")).toHaveCount(1);
  await expect(page.getByTestId("hit")).toContainText("archived");
  await page.getByTestId("hit").click();
  await page.getByTestId("search").fill("");
  await expect(titles(page)).toHaveText(["apples", "pears", "plums"]);

  await send(page, "and now?");
  await expectState(page, "done");
  await expect(archive(page)).toHaveCount(0);
  await expect(titles(page)).toHaveText(["apples", "plums", "pears"]);
  await expect(titles(other)).toHaveText(["apples", "plums", "pears"]);

  await menu(page, "apples");
  await page.getByTestId("pinned").click();
  await expect(titles(page)).toHaveText(["plums", "pears", "apples"]);
  // In the archive, and back from it by its menu.
  await menu(page, "pears");
  await page.getByTestId("archived").click();
  await archive(other).locator("summary").click();
  await menu(other, "pears");
  await expect(other.getByTestId("pinned")).toHaveCount(0);
  await other.getByTestId("archived").click();
  await expect(archive(other)).toHaveCount(0);
  await expect(more(other, "pears")).toBeFocused();
  await expect(titles(page)).toHaveText(["plums", "pears", "apples"]);
});

test("several conversations are pinned and archived together", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await say(page, "apples", "pears", "plums");
  await menu(page, "pears");
  await page.getByTestId("select-several").click();
  const bar = page.getByTestId("several");
  const press = (name: string): Promise<void> => bar.getByRole("button", { name, exact: true }).click();
  await page.getByRole("checkbox", { name: /apples/ }).click();
  await expect(bar).toContainText("Chosen: 2");
  await press("Archive");
  await expect(titles(page)).toHaveText(["plums"]);
  await expect(bar).toContainText("Chosen: 0");
  await expect(bar.getByRole("button", { name: "Bring back" })).toBeFocused();
  await press("Bring back");
  await expect(titles(page)).toHaveText(["plums", "pears", "apples"]);

  await page.getByRole("checkbox", { name: /apples/ }).click();
  await page.getByRole("checkbox", { name: /pears/ }).click();
  await press("Pin");
  await expect(page.locator(".list-day")).toHaveText(["Pinned", "Today"]);
  await expect(titles(page)).toHaveText(["pears", "apples", "plums"]);
  // Rows that are new in their place can be chosen, too.
  await page.getByRole("checkbox", { name: /apples/ }).click();
  await page.screenshot({ path: "test-results/looks/list-several.png" });
  expect.soft(await barriers(page)).toEqual([]);
  await press("Unpin");
  await expect(titles(page)).toHaveText(["pears", "plums", "apples"]);

  // The open one stays in sight.
  await page.getByRole("checkbox", { name: /plums/ }).click();
  await press("Archive");
  await expect(archive(page)).toHaveAttribute("open");
  await expect(titles(page)).toHaveText(["pears", "apples", "plums"]);
  await archive(page).getByRole("checkbox", { name: /plums/ }).click();
  await press("Take out of the archive");
  await expect(titles(page)).toHaveText(["pears", "plums", "apples"]);
  await press("Done");
  await expect(page.getByRole("checkbox")).toHaveCount(0);
});

test("on a phone the archive is as easy to touch, in the dark, too", async ({ start }) => {
  const site = await start();
  const context = await site.context({ viewport: { width: 390, height: 844 }, colorScheme: "dark", hasTouch: true });
  const page = await visit(context, site.url);
  for (const text of ["apples", "pears"]) {
    await page.goto(site.url);
    await send(page, text);
    await expectState(page, "done");
  }
  await page.getByRole("button", { name: "Conversations" }).click();
  await more(page, "apples").click();
  await page.getByTestId("archived").click();
  await more(page, "pears").click();
  await page.getByTestId("pinned").click();
  await expect(page.locator(".list-day")).toHaveText(["Pinned", "Archive"]);
  const fold = archive(page).locator("summary");
  expect((await fold.boundingBox())?.height).toBeGreaterThanOrEqual(44);
  await fold.click();
  await expect(titles(page)).toHaveText(["pears", "apples"]);
  await page.screenshot({ path: "test-results/looks/list-phone.png" });
  expect.soft(await barriers(page)).toEqual([]);
});

test("without scripts a conversation is pinned and archived by forms", async ({ start }) => {
  const site = await start();
  const context = await site.context({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(site.url);
  await page.getByTestId("composer").fill("apples");
  await page.getByTestId("send").click();
  await expectState(page, "done");
  const press = async (name: string): Promise<void> => {
    await page.locator(".plain-manage > summary").click();
    await page.locator(".plain-manage").getByRole("button", { name, exact: true }).click();
  };
  await press("Pin");
  await expect(page.locator(".list-day")).toHaveText(["Pinned"]);
  await press("Archive");
  await expect(page.locator(".list-day")).toHaveText(["Archive"]);
  await expect(titles(page)).toHaveText(["apples"]);
  await press("Take out of the archive");
  await expect(page.locator(".list-day")).toHaveText(["Pinned"]);
  await press("Unpin");
  await expect(page.locator(".list-day")).toHaveText(["Today"]);
});
