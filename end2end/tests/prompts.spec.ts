import { barriers } from "../support/axe.js";
import { composer, expectState } from "../support/chat.js";
import { startAnteroom } from "../support/server.js";
import { startModel } from "../support/model.js";
import { awake, expect, place, test } from "../support/site.js";

const PROMPTS = `
[[prompt]]
name = "Review"
text = "Review this code:"

[[prompt]]
text = "What is new at Example Inc.?"
starter = true
`;

test("the operator's prompts and starters are there, an edit of them holds, and a bad one is told", async ({ browser, ends }) => {
  const model = await startModel();
  ends.push(model.stop);
  const settings = { MODEL: "loopback@openai", OPENAI_BASE_URL: model.baseUrl, PROMPTS_FILE: "prompts.toml" };
  const server = await startAnteroom(settings, { "prompts.toml": PROMPTS });
  ends.push(server.stop);
  const page = await place(browser, server.url, ends).person();

  await expect(page.getByTestId("starter")).toHaveText(["What is new at Example Inc.?"]);
  await composer(page).fill("Before:");
  await page.getByTestId("prompts").click();
  const sheet = page.getByTestId("prompts-sheet");
  await expect(sheet.locator("[data-prompt]")).toHaveText(["Review", "What is new at Example Inc.?"]);
  await page.screenshot({ path: "test-results/looks/prompts.png" });
  expect.soft(await barriers(page)).toEqual([]);
  await sheet.getByRole("button", { name: "Review" }).click();
  await expect(composer(page)).toHaveValue("Before:\n\nReview this code:");
  await expect(composer(page)).toBeFocused();

  await server.write("prompts.toml", PROMPTS.replace("Example Inc.", "the office"));
  await expect(async () => {
    await page.reload();
    await expect(page.getByTestId("starter")).toHaveText(["What is new at the office?"], { timeout: 500 });
  }).toPass();
  await server.write("prompts.toml", "[[prompt]]\nnmae = 'x'\n");
  await page.goto(`${server.url}/stats`);
  await expect(page.getByText("prompts.toml line 2")).toBeVisible();
  await page.goto(server.url);
  await awake(page);
  await page.getByTestId("starter").click();
  await expectState(page, "done");
});

test("one's own prompts stay in the browser until everything is deleted", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await expect(page.getByTestId("starter")).toHaveCount(0);
  await composer(page).fill("Translate into Latin:\n");
  await page.getByTestId("prompts").click();
  const sheet = page.getByTestId("prompts-sheet");
  await expect(sheet.locator("[data-prompt]")).toHaveCount(0);
  await sheet.getByRole("button", { name: "Keep what is in the composer" }).click();
  await expect(sheet.locator("[data-prompt]")).toHaveText(["Translate into Latin:"]);
  await page.keyboard.press("Escape");
  await page.reload();
  await awake(page);
  await composer(page).fill("");
  await page.getByTestId("prompts").click();
  await sheet.locator("[data-prompt]").click();
  await expect(composer(page)).toHaveValue("Translate into Latin:");
  await page.getByTestId("prompts").click();
  await sheet.getByRole("button", { name: "Delete: Translate into Latin:" }).click();
  await expect(sheet.locator("[data-prompt]")).toHaveCount(0);
  await sheet.getByRole("button", { name: "Keep what is in the composer" }).click();

  await page.goto(`${site.url}/data`);
  await awake(page);
  await page.getByTestId("forget").click();
  await page.getByTestId("forget-really").click();
  await expect(page).toHaveURL(`${site.url}/`);
  expect(await page.evaluate(() => localStorage.getItem("prompts"))).toBeNull();
});
