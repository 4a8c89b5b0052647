import type { Locator, Page } from "@playwright/test";
import { barriers } from "../support/axe.js";
import { expectState, newChat, send } from "../support/chat.js";
import { expect, test } from "../support/site.js";

const rows = (page: Page): Locator => page.getByTestId("conversation");

test("several conversations are chosen, deleted together and brought back", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  for (const text of ["about apples", "about pears", "about plums"]) {
    await newChat(page);
    await send(page, text);
    await expectState(page, "done");
  }
  const shown = page.url();
  await rows(page).filter({ hasText: "apples" }).hover();
  await page.getByRole("button", { name: "More about about apples" }).click();
  await page.getByTestId("select-several").click();
  const chosen = page.getByRole("checkbox", { checked: true });
  await expect(chosen).toHaveCount(1);
  await expect(chosen).toBeFocused();
  // By keyboard, and with the mouse: a row is a box now, and leads nowhere.
  await page.getByRole("checkbox", { name: /plums/ }).focus();
  await page.keyboard.press("Space");
  await page.getByRole("checkbox", { name: /pears/ }).click();
  await page.getByRole("checkbox", { name: /pears/ }).click();
  await expect(page).toHaveURL(shown);
  await expect(page.getByTestId("several")).toContainText("Chosen: 2");
  await page.screenshot({ path: "test-results/looks/several.png" });
  expect.soft(await barriers(page)).toEqual([]);

  await page.getByTestId("several").getByRole("button", { name: "Delete" }).click();
  await expect(rows(page)).toHaveCount(1);
  // One of them was open.
  await expect(page).toHaveURL(`${site.url}/`);
  await page.getByTestId("several").getByRole("button", { name: "Bring back" }).click();
  await expect(rows(page)).toHaveCount(3);
  await page.getByTestId("several").getByRole("button", { name: "Done" }).click();
  await expect(page.getByTestId("several")).toHaveCount(0);
  await expect(page.getByRole("checkbox")).toHaveCount(0);
  await rows(page).filter({ hasText: "pears" }).click();
  await expect(page).toHaveURL(/\/c\//);
});
