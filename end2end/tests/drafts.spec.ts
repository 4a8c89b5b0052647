import type { Page } from "@playwright/test";
import { answer, composer, expectState, newChat, send } from "../support/chat.js";
import { awake, expect, test, visit } from "../support/site.js";

const tab = (page: Page, name: string) => page.getByRole("navigation", { name: "Tabs" }).getByRole("link", { name });
const row = (page: Page, title: string) => page.getByTestId("conversation").filter({ hasText: title });
const chips = (page: Page) => page.getByTestId("attachment");
const kept = (page: Page) =>
  page.evaluate(() => Object.keys(localStorage).filter((key) => /^(draft|outbox)\//.test(key)).sort());

async function attach(page: Page, name: string): Promise<void> {
  await page.getByTestId("attach").setInputFiles([{ name, mimeType: "text/plain", buffer: Buffer.from("Remember the milk\n") }]);
  await expect(chips(page).last()).toHaveAttribute("data-state", "taken");
}

test("what is typed outlives a reload, another tab of the page and the closing of the window, with its files", async ({ start }) => {
  const site = await start();
  const context = await site.context();
  let page = await visit(context, site.url);
  await composer(page).fill("half a thought\nof two lines");
  await attach(page, "notes.txt");
  await page.reload();
  await awake(page);
  await expect(composer(page)).toHaveValue("half a thought\nof two lines");
  await expect(chips(page)).toContainText("notes.txt");

  await tab(page, "Stats").click();
  await expect(page.getByTestId("stats-row")).toHaveCount(5);
  await page.goBack();
  await expect(composer(page)).toHaveValue("half a thought\nof two lines");
  await expect(chips(page)).toContainText("notes.txt");

  await page.close();
  page = await visit(context, site.url);
  await expect(composer(page)).toHaveValue("half a thought\nof two lines");
  await composer(page).press("End");
  await composer(page).press("Enter");
  await expectState(page, "done");
  const { requests } = await site.model.record();
  expect(requests[0].question).toContain("half a thought");
  expect(requests[0].question).toContain("Remember the milk");
  // Once it is sent, nothing is left of it.
  expect(await kept(page)).toEqual([]);
  await newChat(page);
  await expect(composer(page)).toHaveValue("");
  await expect(chips(page)).toHaveCount(0);
});

test("each conversation keeps its own draft, and none follows into another", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await send(page, "about apples");
  await expectState(page, "done");
  await newChat(page);
  await send(page, "about pears");
  await expectState(page, "done");
  await composer(page).fill("more about pears");
  await attach(page, "pears.txt");
  await row(page, "about apples").click();
  await expect(answer(page)).toContainText("about apples");
  await expect(composer(page)).toHaveValue("");
  await expect(chips(page)).toHaveCount(0);
  await composer(page).fill("more about apples");
  await newChat(page);
  await expect(composer(page)).toHaveValue("");
  await composer(page).fill("about plums");
  for (const [title, text, files] of [["about pears", "more about pears", 1], ["about apples", "more about apples", 0]] as const) {
    await row(page, title).click();
    await expect(composer(page)).toHaveValue(text);
    await expect(chips(page)).toHaveCount(files);
  }
  await page.reload();
  await awake(page);
  await expect(composer(page)).toHaveValue("more about apples");
  await newChat(page);
  await expect(composer(page)).toHaveValue("about plums");
});

test("a draft is there before the page awakes, and what is typed then stays", async ({ start }) => {
  const site = await start();
  const context = await site.context();
  const first = await visit(context, site.url);
  await composer(first).fill("kept");
  await first.close();
  const page = await context.newPage();
  let arrive = () => {};
  const typed = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  await page.route("**/*.wasm", async (route) => {
    await typed;
    await route.continue();
  });
  await page.goto(site.url, { waitUntil: "commit" });
  await expect(composer(page)).toHaveValue("kept");
  await composer(page).press("End");
  await composer(page).pressSequentially(", and typed early");
  arrive();
  await awake(page);
  await expect(composer(page)).toHaveValue("kept, and typed early");
  await page.reload();
  await awake(page);
  await expect(composer(page)).toHaveValue("kept, and typed early");
});

test("what is sent before the page awakes is no draft any more", async ({ start }) => {
  const site = await start();
  const context = await site.context();
  const first = await visit(context, site.url);
  await composer(first).fill("kept, then sent early");
  await first.close();
  const page = await context.newPage();
  await page.route("**/*.wasm", (route) => route.abort());
  await page.goto(site.url);
  await expect(composer(page)).toHaveValue("kept, then sent early");
  await composer(page).press("Enter");
  await expect(page).toHaveURL(/\/c\//);
  expect(await kept(page)).toEqual([]);
});

test("two tabs do not write into each other's composer", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  const other = await visit(page.context(), site.url);
  await composer(page).fill("of the first tab");
  await composer(other).fill("of the second tab");
  await expect(composer(page)).toHaveValue("of the first tab");
  // The first one sends its own; what the second one has written since stays kept.
  await composer(page).press("Enter");
  await expectState(page, "done");
  await expect(composer(other)).toHaveValue("of the second tab");
  await other.reload();
  await awake(other);
  await expect(composer(other)).toHaveValue("of the second tab");
});

test("a full storage harms nothing", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await page.evaluate(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
  });
  await send(page, "sent all the same");
  await expectState(page, "done");
  await composer(page).fill("typed");
  await newChat(page);
  await expect(composer(page)).toHaveValue("");
  await row(page, "sent all the same").click();
  await expect(composer(page)).toHaveValue("typed");
});

test("deleting everything deletes what was typed and not sent, too", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await send(page, "keep this");
  await expectState(page, "done");
  await composer(page).fill("a secret");
  await newChat(page);
  await composer(page).fill("another");
  expect(await kept(page)).toHaveLength(2);
  await page.getByRole("link", { name: "Your data" }).click();
  await page.getByTestId("forget").click();
  await page.getByTestId("forget-really").click();
  await expect(page).toHaveURL(`${site.url}/`);
  await awake(page);
  await expect(composer(page)).toHaveValue("");
  expect(await kept(page)).toEqual([]);
});
