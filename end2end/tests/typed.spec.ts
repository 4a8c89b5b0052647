import type { Page } from "@playwright/test";
import { composer, expectState, lastTurn, newChat, position, send } from "../support/chat.js";
import { awake, expect, test, visit } from "../support/site.js";

const row = (page: Page, title: string) => page.getByTestId("conversation").filter({ hasText: title });
const chips = (page: Page) => page.getByTestId("attachment");

/** The keyboard is elsewhere in this tab. */
const lookAway = (page: Page) => page.getByTestId("new-chat").focus();

async function attach(page: Page, name: string): Promise<void> {
  await page.getByTestId("attach").setInputFiles([{ name, mimeType: "text/plain", buffer: Buffer.from("Remember the milk\n") }]);
  await expect(chips(page).last()).toHaveAttribute("data-state", "taken");
}

test("a conversation with a draft says so in the list, in every tab, until that is sent or gone", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await send(page, "about apples");
  await expectState(page, "done");
  const other = await visit(page.context(), page.url());
  await composer(page).fill("more about apples");
  // Where it is open, it is seen.
  await expect(row(page, "about apples").getByTestId("mark")).toBeHidden();
  for (const tab of [page, other]) {
    await newChat(tab);
    await expect(row(tab, "about apples").getByTestId("mark")).toHaveText("Draft");
  }
  await composer(page).fill("something new");
  await row(page, "about apples").click();
  await expect(page.getByTestId("new-chat").getByTestId("mark")).toHaveText("Draft");
  await page.reload();
  await awake(page);
  await expect(page.getByTestId("new-chat").getByTestId("mark")).toHaveText("Draft");
  await expect(composer(page)).toHaveValue("more about apples");
  await composer(page).press("Enter");
  await expectState(page, "done");
  await expect(row(other, "about apples").getByTestId("mark")).toHaveCount(0);
  await newChat(page);
  await composer(page).fill("");
  await row(page, "about apples").click();
  await expect(page.getByTestId("mark")).toHaveCount(0);
});

test("what is typed in one tab stands in another that shows the same and is not typed in, with its files", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await send(page, "about apples");
  await expectState(page, "done");
  const other = await visit(page.context(), page.url());
  await lookAway(other);
  await composer(page).fill("half a thought");
  await expect(composer(other)).toHaveValue("half a thought");
  await attach(page, "notes.txt");
  await expect(chips(other)).toContainText("notes.txt");
  // Now the other one is typed in, and has the last word.
  await lookAway(page);
  await composer(other).fill("half a thought, and the rest of it");
  await expect(composer(page)).toHaveValue("half a thought, and the rest of it");
  await attach(other, "more.txt");
  await expect(chips(page)).toHaveCount(2);
  await chips(other).first().getByRole("button").click();
  await expect(chips(page)).toHaveCount(1);
  await expect(chips(page)).toContainText("more.txt");
  // In another conversation nothing comes.
  await newChat(page);
  await lookAway(page);
  await composer(other).press("End");
  await composer(other).pressSequentially("!");
  await expect(row(page, "about apples").getByTestId("mark")).toHaveText("Draft");
  await expect(composer(page)).toHaveValue("");
  await composer(other).press("Enter");
  await expectState(other, "done");
  await expect(row(page, "about apples").getByTestId("mark")).toHaveCount(0);
  const { requests } = await site.model.record();
  expect(requests[1].question).toContain("half a thought, and the rest of it!");
});

test("what is written while there is no network is marked in the list, and goes in its order, once", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await send(page, "about apples");
  await expectState(page, "done");
  await page.context().setOffline(true);
  await expect(page.getByTestId("offline")).toBeVisible();
  for (const text of ["second", "third", "fourth"]) {
    await composer(page).fill(text);
    await composer(page).press("Enter");
    await expectState(page, "unsent");
    await expect(lastTurn(page)).toContainText(text);
  }
  await expect(page.getByTestId("turn")).toHaveCount(4);
  await expect(row(page, "about apples").getByTestId("mark")).toHaveText("not sent");
  // Taken back, one of them is typed again; the others keep their order.
  await page.getByTestId("turn").nth(2).getByTestId("unsent-edit").click();
  await expect(composer(page)).toHaveValue("third");
  await composer(page).fill("third, in other words");
  await composer(page).press("Enter");
  await expect(page.getByTestId("turn")).toHaveCount(4);
  await page.context().setOffline(false);
  await expect(page.getByTestId("follow-up")).toHaveCount(0);
  await site.model.until("all", ({ requests }) => requests.length === 4);
  await expectState(page, "done");
  await expect(row(page, "about apples").getByTestId("mark")).toHaveCount(0);
  const { requests } = await site.model.record();
  expect(requests.map(({ question }) => question)).toEqual(["about apples", "second", "fourth", "third, in other words"]);
});

/** Sets a message behind the one that is on its way. */
async function setBehind(page: Page, text: string): Promise<void> {
  const there = await followUps(page).count();
  await composer(page).fill(text);
  await composer(page).press("Enter");
  await expect(followUps(page)).toHaveCount(there + 1);
  await expect(followUps(page).last()).toContainText(text);
  await expect(composer(page)).toHaveValue("");
}

const followUps = (page: Page) => page.getByTestId("follow-up");

test("messages go behind the one that is being answered, outlive reload and crash, and begin in their order", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await site.model.set({ hold: true });
  await send(page, "first");
  await expectState(page, "running");
  await expect(page.getByTestId("stop")).toBeVisible();
  for (const text of ["second", "third", "fourth"]) {
    await setBehind(page, text);
  }
  await expect(page.getByTestId("behind-note")).toHaveText(["Goes next", "Goes after that", "Goes after that"]);
  const other = await visit(page.context(), page.url());
  await expect(followUps(other)).toHaveCount(3);
  await followUps(other).first().getByTestId("behind-edit").click();
  await other.getByTestId("editor").fill("second, in other words");
  await other.getByTestId("editor").press("Enter");
  await expect(followUps(page).first()).toContainText("second, in other words");
  // What is taken back is in the composer again.
  await followUps(page).nth(1).getByTestId("behind-withdraw").click();
  await expect(composer(page)).toHaveValue("third");
  await expect(followUps(other)).toHaveCount(2);
  await site.server.kill();
  await expect(page.getByTestId("offline")).toBeVisible();
  await site.server.restart();
  await page.reload();
  await awake(page);
  await expect(composer(page)).toHaveValue("third");
  await expect(followUps(page)).toHaveCount(2);
  await site.model.set({ hold: false });
  await expect(followUps(page)).toHaveCount(0);
  await expect(page.getByTestId("turn")).toHaveCount(3);
  await expectState(page, "done");
  const { requests } = await site.model.record();
  expect(requests.map(({ question }) => question)).toEqual(["first", "first", "second, in other words", "fourth"]);
});

test("what stands behind a message that was stopped waits, and says so, until it is let go", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await site.model.set({ hold: true });
  await send(page, "first");
  await expectState(page, "running");
  await setBehind(page, "second");
  await page.getByTestId("stop").click();
  await expect(page.getByTestId("behind-held")).toContainText("the message before it was not answered");
  await expect(page.getByTestId("behind-note")).toHaveText("Waits for you");
  await page.reload();
  await awake(page);
  await expect(page.getByTestId("behind-held")).toBeVisible();
  expect((await site.model.record()).requests.length).toBe(1);
  await site.model.set({ hold: false });
  await page.getByTestId("behind-release").click();
  await expect(page.getByTestId("turn")).toHaveCount(2);
  await expectState(page, "done");
  await expect(followUps(page)).toHaveCount(0);
});

test("what is just being put in other words when it begins is in the composer then", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await site.model.set({ hold: true });
  await send(page, "first");
  await expectState(page, "running");
  await setBehind(page, "second");
  await followUps(page).getByTestId("behind-edit").click();
  await page.getByTestId("editor").fill("second, in better words");
  await site.model.release();
  await expect(followUps(page)).toHaveCount(0);
  await expect(composer(page)).toHaveValue("second, in better words");
  await site.model.set({ hold: false });
  await expectState(page, "done");
});

test("what is just being put in other words is in the composer of its conversation, should that be left meanwhile", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await send(page, "first");
  await expectState(page, "done");
  await newChat(page);
  await send(page, "second");
  await expectState(page, "done");
  const open = async (title: string) => {
    await page.getByTestId("conversation").filter({ hasText: title }).click();
    await expect(lastTurn(page)).toContainText(title);
  };
  await open("first");
  await page.getByTestId("edit").last().click();
  await page.getByTestId("editor").fill("first, in better words");
  await open("second");
  await expect(composer(page)).toHaveValue("");
  await open("first");
  await expect(composer(page)).toHaveValue("first, in better words");
  // What was left as it was, or has been sent, is not.
  await composer(page).fill("");
  await page.getByTestId("edit").last().click();
  await open("second");
  await open("first");
  await expect(composer(page)).toHaveValue("");
  await page.getByTestId("edit").last().click();
  await page.getByTestId("editor").fill("first, and sent");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("versions")).toHaveText(/2 \/ 2/);
  await expectState(page, "done");
  await expect(composer(page)).toHaveValue("");
});

test("there is an end to what may stand behind, and the composer says so", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await site.model.set({ hold: true });
  await send(page, "first");
  await expectState(page, "running");
  for (let number = 1; number <= 10; number++) {
    await setBehind(page, `message ${number}`);
  }
  await composer(page).fill("one too many");
  await composer(page).press("Enter");
  await expect(composer(page)).toHaveValue("one too many");
  await expect(page.locator(".composer-hint")).toContainText("10 messages wait behind this one already");
  await expect(followUps(page)).toHaveCount(10);
  await site.model.set({ hold: false });
});

test("a message that waits in the line is put in other words and keeps its place", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
  const [running, page, after] = [await site.person(), await site.person(), await site.person()];
  await site.model.set({ hold: true });
  await send(running, "runs");
  await expectState(running, "running");
  await send(page, "wrong words");
  await expect(position(page)).toHaveAttribute("data-position", "1");
  await send(after, "waits behind");
  await expect(position(after)).toHaveAttribute("data-position", "2");
  await lastTurn(page).hover();
  await lastTurn(page).getByTestId("edit").click();
  await page.getByTestId("editor").fill("the right words");
  await page.getByTestId("editor").press("Enter");
  await expect(lastTurn(page).locator(".message-text")).toHaveText("the right words");
  await expect(position(page)).toHaveAttribute("data-position", "1");
  await page.reload();
  await awake(page);
  await expect(lastTurn(page).locator(".message-text")).toHaveText("the right words");
  await site.model.set({ hold: false });
  await expectState(after, "done");
  const { requests } = await site.model.record();
  expect(requests.map(({ question }) => question)).toEqual(["runs", "the right words", "waits behind"]);
});

/** Pastes a text as a keyboard does: the browser puts it in where nobody keeps it from that. */
async function paste(page: Page, text: string): Promise<void> {
  await composer(page).focus();
  await page.evaluate((text) => {
    const data = new DataTransfer();
    data.setData("text/plain", text);
    const paste = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
    if (document.activeElement?.dispatchEvent(paste)) {
      document.execCommand("insertText", false, text);
    }
  }, text);
}

test("a long text that is pasted may become a file, and text again, with one click each", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await composer(page).fill("What is wrong here? ");
  await paste(page, "a short one. ");
  await expect(page.getByTestId("paste")).toHaveCount(0);
  const long = "line of the log\n".repeat(300);
  await paste(page, long);
  await expect(composer(page)).toHaveValue(`What is wrong here? a short one. ${long}`);
  const press = page.getByTestId("paste-press");
  await press.click();
  await expect(composer(page)).toHaveValue("What is wrong here? a short one. ");
  await expect(composer(page)).toBeFocused();
  await expect(chips(page)).toHaveAttribute("data-state", "taken");
  await press.click();
  await expect(composer(page)).toHaveValue(`What is wrong here? a short one. ${long}`);
  await expect(chips(page)).toHaveCount(0);
  await expect(page.getByTestId("paste")).toHaveCount(0);
  await composer(page).fill("Look: ");
  await paste(page, long);
  await press.click();
  await expect(chips(page)).toHaveAttribute("data-state", "taken");
  await composer(page).press("Enter");
  await expectState(page, "done");
  await expect(page.getByTestId("paste")).toHaveCount(0);
  await expect(lastTurn(page).getByTestId("file")).toContainText("pasted text.txt");
  const { requests } = await site.model.record();
  expect(requests[0].question).toContain("line of the log\nline of the log");
});

test("a message goes without the file that could not be attached, if one says so, and pictures are seen before it goes", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
  await page.getByTestId("attach").setInputFiles([{ name: "picture.png", mimeType: "image/png", buffer: png }]);
  const thumbnail = chips(page).locator("img");
  await expect.poll(() => thumbnail.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0);
  await page.getByTestId("attach").setInputFiles([{ name: "empty.txt", mimeType: "text/plain", buffer: Buffer.alloc(0) }]);
  await expect(chips(page).nth(1)).toHaveAttribute("data-state", "failed");
  await composer(page).fill("only the picture");
  await composer(page).press("Enter");
  await expect(page.getByTestId("turn")).toHaveCount(0);
  await page.getByTestId("send-without").click();
  await expectState(page, "done");
  await expect(lastTurn(page).getByTestId("file")).toHaveText([/picture\.png/]);
  await expect(page.getByTestId("send-without")).toHaveCount(0);
});

test("a message that is put in other words keeps them over a reload, until they are sent or given up", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
  const page = await site.person();
  const editor = page.getByTestId("editor");
  const reload = async () => {
    await page.reload();
    await awake(page);
  };
  await send(page, "first");
  await expectState(page, "done");
  await page.getByTestId("edit").click();
  await editor.fill("first, in other words");
  await reload();
  await expect(editor).toHaveValue("first, in other words");
  await expect(composer(page)).toHaveValue("");
  // Given up, it is as it was, now and later.
  await editor.press("Escape");
  await reload();
  await expect(page.locator(".message-text")).toHaveText("first");
  await expect(editor).toHaveCount(0);
  await page.getByTestId("edit").click();
  await expect(editor).toHaveValue("first");
  await editor.fill("first, in better words");
  await reload();
  await editor.press("Enter");
  await expectState(page, "done");
  await expect(page.locator(".message-text")).toHaveText("first, in better words");
  await reload();
  await expect(editor).toHaveCount(0);
  await expect(composer(page)).toHaveValue("");

  // What waits keeps its place besides, and what stands behind it stays there.
  await site.model.set({ hold: true });
  const other = await site.person();
  await send(other, "holds the slot");
  await expectState(other, "running");
  await send(page, "second");
  await expectState(page, "waiting");
  await setBehind(page, "third");
  for (const [at, to] of [
    [lastTurn(page).getByTestId("edit"), "second, in other words"],
    [followUps(page).getByTestId("behind-edit"), "third, in other words"],
  ] as const) {
    await at.click();
    await page.getByTestId("editor").fill(to);
    await reload();
    await expect(page.getByTestId("editor")).toHaveValue(to);
    await page.getByTestId("editor").press("Enter");
    await expect(page.getByTestId("editor")).toHaveCount(0);
    await expect(page.locator(".message-text").filter({ hasText: to })).toBeVisible();
  }

  // One that begins meanwhile has gone on as it was: the words are not lost.
  await followUps(page).getByTestId("behind-edit").click();
  await editor.fill("too late");
  await page.goto("about:blank");
  await site.model.set({ hold: false });
  await site.model.release();
  await site.model.until("all", ({ requests }) => requests.length === 5 && requests.every(({ ending }) => ending === "complete"));
  await page.goBack();
  await awake(page);
  await expect(editor).toHaveValue("too late");
  await expectState(page, "done");
});

for (const locale of ["en-GB", "ru-RU"]) {
  test(`on a small phone, what the composer says while an answer is on its way is read to its end: ${locale}`, async ({ start }) => {
    const site = await start();
    await site.model.set({ hold: true });
    const page = await site.person({ viewport: { width: 360, height: 740 }, hasTouch: true, locale });
    await send(page, "first");
    await expectState(page, "running");
    const hint = page.locator(".composer-hint");
    await expect(hint).not.toBeEmpty();
    expect(await hint.evaluate((hint) => hint.scrollWidth - hint.clientWidth)).toBeLessThanOrEqual(0);
    await site.model.set({ hold: false });
  });
}
