import { readFile } from "node:fs/promises";
import type { Locator, Page } from "@playwright/test";
import { answer, composer, expectState, newChat, send } from "../support/chat.js";
import { awake, expect, test, visit } from "../support/site.js";

const rows = (page: Page): Locator => page.getByTestId("conversation");
const menu = async (page: Page, title: string): Promise<void> => {
  await rows(page).filter({ hasText: title }).hover();
  await page.getByRole("button", { name: `More about ${title}` }).click();
};
const messages = (page: Page): Locator => page.locator(".message-text");

async function answered(page: Page, text: string): Promise<void> {
  await send(page, text);
  await expectState(page, "done");
}

test("a conversation is renamed, found, deleted and brought back, in every tab", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await answered(page, "Where does the lighthouse stand?");
  const address = page.url();
  await newChat(page);
  await answered(page, "Something else");
  const other = await visit(page.context(), site.url);

  await menu(page, "Where does the lighthouse stand?");
  await page.getByTestId("rename").click();
  await expect(page.getByTestId("title-field")).toBeFocused();
  await page.keyboard.type("My lighthouse");
  await page.keyboard.press("Enter");
  await expect(rows(other).filter({ hasText: "My lighthouse" })).toBeVisible();
  await menu(page, "My lighthouse");
  await page.getByTestId("rename").click();
  await expect(page.getByTestId("title-field")).toBeFocused();
  await page.keyboard.type("not this");
  await page.keyboard.press("Escape");
  await expect(rows(page).filter({ hasText: "My lighthouse" })).toBeVisible();
  // The keyboard comes back here with the next frame, and not from where it is by then.
  await expect(page.getByRole("button", { name: "More about My lighthouse" })).toBeFocused();

  await page.keyboard.press("Control+k");
  await expect(page.getByTestId("search")).toBeFocused();
  await page.keyboard.type("LIGHTHOUSE stand");
  await expect(page.getByTestId("hit")).toHaveCount(1);
  await expect(page.getByTestId("hit").locator("mark")).toHaveText("lighthouse stand");
  await page.getByTestId("hit").click();
  await expect(page).toHaveURL(address);
  await page.getByTestId("search").fill("no such thing");
  await expect(page.getByTestId("found")).toContainText("Nothing found");
  await page.getByTestId("search").press("Escape");
  await expect(rows(page)).toHaveCount(2);

  await menu(page, "My lighthouse");
  await page.getByTestId("delete").click();
  await expect(page).toHaveURL(`${site.url}/`);
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(other)).toHaveCount(1);
  await page.getByTestId("undo").click();
  await expect(page).toHaveURL(address);
  await expect(messages(page)).toHaveText("Where does the lighthouse stand?");
  await expect(rows(other)).toHaveCount(2);
  await expect(page.getByTestId("deleted")).toBeHidden();
});

test("an edited message and a regenerated answer are versions, and the earlier ones stay reachable", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  for (const text of ["one", "two", "three"]) {
    await answered(page, text);
  }
  const other = await visit(page.context(), page.url());
  await messages(page).nth(1).hover();
  await page.getByTestId("edit").nth(1).click();
  const editor = page.getByTestId("editor");
  await expect(editor).toHaveValue("two");
  await editor.fill("two in other words");
  await editor.press("Enter");
  for (const tab of [page, other]) {
    await expect(messages(tab)).toHaveText(["one", "two in other words"]);
    await expectState(tab, "done");
    await expect(answer(tab)).toContainText("Answer to: two in other words");
    await expect(tab.getByTestId("versions")).toHaveText(/2 \/ 2/);
  }
  await composer(page).fill("typed meanwhile");
  await page.getByTestId("version-earlier").click();
  for (const tab of [page, other]) {
    await expect(messages(tab)).toHaveText(["one", "two", "three"]);
    await expect(tab.getByTestId("versions")).toHaveText(/1 \/ 2/);
  }
  await expect(composer(page)).toHaveValue("typed meanwhile");

  await page.getByTestId("regenerate").click();
  await expect(page.getByTestId("versions").last()).toHaveText(/2 \/ 2/);
  await expectState(page, "done");
  await expect(page.getByTestId("turn")).toHaveCount(3);
  await page.reload();
  await awake(page);
  await expect(page.getByTestId("versions").last()).toHaveText(/2 \/ 2/);
  await expect(page.getByTestId("version-later").last()).toBeDisabled();

  // Escape leaves it as it was.
  await messages(page).first().hover();
  await page.getByTestId("edit").first().click();
  await page.getByTestId("editor").fill("never sent");
  await page.getByTestId("editor").press("Escape");
  await expect(messages(page)).toHaveText(["one", "two", "three"]);
});

test("a long conversation opens at its end, and earlier turns come as one scrolls up", async ({ start }) => {
  test.setTimeout(240_000);
  const site = await start({ QUEUE_MAX_WAITING_PER_SESSION: "none" });
  const page = await site.person();
  await answered(page, "turn 0");
  const conversation = page.url().split("/").pop();
  for (let number = 1; number < 70; number++) {
    const request = { turn: crypto.randomUUID(), conversation, text: `turn ${number}`, files: [] };
    // The one before it has to be over: until then it is refused.
    const sent = () => page.request.post(`${site.url}/api/send`, { headers: { origin: site.url }, data: { request } });
    await expect.poll(async () => (await sent()).status(), { intervals: [20] }).toBe(200);
  }
  await site.model.until("all to be answered", (record) => record.requests.length === 70 && record.now === 0);
  await page.reload();
  await awake(page);
  await expect(messages(page).last()).toBeInViewport();
  expect(await page.getByTestId("turn").count()).toBe(30);
  while ((await page.getByTestId("turn").count()) < 70) {
    const count = await page.getByTestId("turn").count();
    // Up to near the beginning, as a wheel would; and where the fourth turn stands then.
    const before = await page.locator("#log").evaluate(async (log) => {
      log.scrollTop = 700;
      await new Promise((frame) => requestAnimationFrame(() => requestAnimationFrame(frame)));
      log.scrollTop = 350;
      const turn = log.querySelectorAll<HTMLElement>("[data-turn]")[3];
      return { turn: turn.dataset.turn, top: turn.getBoundingClientRect().top };
    });
    await expect.poll(() => page.getByTestId("turn").count()).toBeGreaterThan(count);
    // What was being read has not moved.
    const top = () => page.locator(`[data-turn="${before.turn}"]`).evaluate((turn) => turn.getBoundingClientRect().top);
    await expect.poll(async () => Math.abs((await top()) - before.top)).toBeLessThan(2);
  }
  await expect(page.getByTestId("turn")).toHaveCount(70);
  await expect(messages(page).first()).toHaveText("turn 0");
});

test("the list of conversations comes in parts", async ({ start }) => {
  const site = await start({ QUEUE_MAX_WAITING_PER_SESSION: "none" });
  const page = await site.person();
  for (let number = 0; number < 60; number++) {
    const sent = await page.request.post(`${site.url}/api/send`, {
      headers: { origin: site.url },
      data: { request: { turn: crypto.randomUUID(), conversation: null, text: `conversation ${number}`, files: [] } },
    });
    expect(sent.ok(), await sent.text()).toBe(true);
  }
  await site.model.until("all to be answered", (record) => record.requests.length === 60 && record.now === 0);
  await page.reload();
  await awake(page);
  await expect(rows(page)).toHaveCount(50);
  await page.locator(".conversations").evaluate((list) => (list.scrollTop = list.scrollHeight));
  await expect(rows(page)).toHaveCount(60);
  await expect(rows(page).last()).toContainText("conversation 0");
});

test("a conversation can be saved, and everything of a browser be deleted", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await answered(page, "Keep this");
  await menu(page, "Keep this");
  for (const [hook, name, text] of [["export-md", "Keep this.md", "## You"], ["export-json", "Keep this.json", "anteroom-conversation/2"]]) {
    const download = page.waitForEvent("download");
    await page.getByTestId(hook).click();
    const file = await download;
    expect(file.suggestedFilename()).toBe(name);
    expect(await readFile(await file.path(), "utf8")).toContain(text);
  }
  const cookie = (await page.context().cookies())[0].value;
  await page.getByRole("link", { name: "Your data" }).click();
  await page.getByTestId("forget").click();
  await page.getByTestId("forget-really").click();
  await expect(page).toHaveURL(`${site.url}/`);
  await awake(page);
  await expect(rows(page)).toHaveCount(0);
  expect((await page.context().cookies())[0].value).not.toBe(cookie);
  await answered(page, "Like new");
  await expect(rows(page)).toHaveCount(1);
});

test("a regenerated answer that is cancelled in the line leaves the one before on show", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
  const page = await site.person();
  await answered(page, "one");
  await site.model.set({ hold: true });
  const other = await site.person();
  await send(other, "holds the slot");
  await expectState(other, "running");
  await page.getByTestId("regenerate").click();
  await expect(page.getByTestId("position")).toBeVisible();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("one");
  await page.getByTestId("cancel").click();
  await expectState(page, "done");
  await expect(answer(page)).toContainText("Answer to: one");
  await expect(page.getByTestId("versions")).toHaveText(/1 \/ 2/);
  await site.model.set({ hold: false });
});
