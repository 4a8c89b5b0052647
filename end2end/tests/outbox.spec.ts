import type { Page } from "@playwright/test";
import { answer, composer, expectState, lastTurn, newChat, send } from "../support/chat.js";
import { queueUp } from "../support/occupy.js";
import { awake, expect, test, visit } from "../support/site.js";

const outbox = (page: Page) => page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("outbox/")));

/** Types a message and has it not get through. */
async function fail(page: Page, text: string): Promise<void> {
  await composer(page).fill(text);
  await composer(page).press("Enter");
  await expectState(page, "unsent");
  await expect(lastTurn(page)).toContainText(text);
  await expect(composer(page)).toHaveValue("");
}

test("a message that finds no network goes by itself once there is one, once", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await send(page, "first");
  await expectState(page, "done");
  await page.context().setOffline(true);
  await expect(page.getByTestId("offline")).toBeVisible();
  await fail(page, "nearly lost");
  await expect(lastTurn(page).getByTestId("undelivered")).toContainText("as soon as the page is connected again");
  // What is typed meanwhile stays.
  await composer(page).fill("and then");
  await page.context().setOffline(false);
  await expectState(page, "done");
  await expect(answer(page)).toContainText("Answer to: nearly lost");
  await expect(composer(page)).toHaveValue("and then");
  await expect(page.getByTestId("turn")).toHaveCount(2);
  expect(await outbox(page)).toEqual([]);
  const { requests } = await site.model.record();
  expect(requests.map(({ question }) => question)).toEqual(["first", "nearly lost"]);
});

test("messages that begin conversations wait in the list, and go in their order", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
  const page = await site.person();
  await page.context().setOffline(true);
  await expect(page.getByTestId("offline")).toBeVisible();
  await fail(page, "about apples");
  await page.getByTestId("new-chat").click();
  await expect(page.getByTestId("turn")).toHaveCount(0);
  await fail(page, "about pears");
  const unbegun = page.getByTestId("unbegun");
  await expect(unbegun).toHaveText([/about apples.*not sent/, /about pears.*not sent/]);
  await unbegun.first().click();
  await expect(lastTurn(page)).toContainText("about apples");
  await unbegun.last().click();
  await expect(lastTurn(page)).toContainText("about pears");
  await page.context().setOffline(false);
  await expect(answer(page)).toContainText("Answer to: about pears");
  await expect(page).toHaveURL(/\/c\//);
  await expect(unbegun).toHaveCount(0);
  await expect(page.getByTestId("conversation")).toHaveCount(2);
  await site.model.until("both", ({ requests }) => requests.length === 2);
  const { requests } = await site.model.record();
  expect(requests.map(({ question }) => question)).toEqual(["about apples", "about pears"]);
});

test("an unsent message outlives the page, and goes with the next visit", async ({ start }) => {
  const site = await start();
  const context = await site.context();
  const page = await visit(context, site.url);
  await send(page, "first");
  await expectState(page, "done");
  const address = page.url();
  await site.server.halt();
  await expect(page.getByTestId("offline")).toBeVisible();
  await fail(page, "while the server was away");
  await page.close();
  await site.server.restart();
  // On another page than its own.
  const next = await visit(context, site.url);
  await site.model.until("the message", ({ requests }) => requests.length === 2);
  await next.goto(address);
  await awake(next);
  await expectState(next, "done");
  await expect(answer(next)).toContainText("Answer to: while the server was away");
  await expect(next.getByTestId("turn")).toHaveCount(2);
  await expect.poll(() => outbox(next)).toEqual([]);
});

test("a message whose reply is lost is there once, also when it is sent again after a reload", async ({ start }) => {
  const site = await start();
  const context = await site.context();
  const page = await context.newPage();
  // The server takes it, and nothing of that reaches the page.
  await page.routeWebSocket(/\/feed/, () => {});
  await page.goto(site.url);
  await awake(page);
  await page.route("**/api/send", async (route) => {
    await route.fetch();
    await route.abort("connectionreset");
  });
  await fail(page, "told nobody");
  await site.model.until("the answer", ({ requests }) => requests[0]?.ending === "complete");
  await page.close();
  const next = await visit(context, site.url);
  await expect(next).toHaveURL(/\/c\//);
  await expectState(next, "done");
  await expect(answer(next)).toContainText("Answer to: told nobody");
  await expect(next.getByTestId("turn")).toHaveCount(1);
  await expect(next.getByTestId("conversation")).toHaveCount(1);
  expect((await site.model.record()).requests.length).toBe(1);
});

test("a server that restarts is asked again, one that refuses is not", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  let asked = 0;
  const answers = [
    { status: 503, body: JSON.stringify({ reason: { code: "restarting" } }) },
    { status: 502, body: "<html>Bad Gateway</html>" },
    { status: 400, body: JSON.stringify({ reason: { code: "told", sentence: "No, not this." } }) },
  ];
  await page.route("**/api/send", (route) => route.fulfill(answers[asked++]));
  await fail(page, "insistent");
  await lastTurn(page).getByTestId("retry").click();
  await expect.poll(() => asked).toBe(2);
  await expectState(page, "unsent");
  await lastTurn(page).getByTestId("retry").click();
  await expectState(page, "refused");
  await expect(lastTurn(page).getByRole("alert")).toContainText("No, not this.");
  // Neither a new connection nor a new page repeats it by itself.
  await page.context().setOffline(true);
  await expect(page.getByTestId("offline")).toBeVisible();
  await page.context().setOffline(false);
  await expect(page.getByTestId("offline")).toBeHidden();
  await page.reload();
  await awake(page);
  await expectState(page, "refused");
  await expect(lastTurn(page)).toContainText("insistent");
  await expect(lastTurn(page).getByRole("alert")).toContainText("No, not this.");
  expect(asked).toBe(3);
  await page.unroute("**/api/send");
  await lastTurn(page).getByTestId("retry").click();
  await expect(answer(page)).toContainText("Answer to: insistent");
});

test("two tabs show the same unsent message, and it is sent once", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await send(page, "first");
  await expectState(page, "done");
  const other = await visit(page.context(), page.url());
  await page.context().setOffline(true);
  await expect(other.getByTestId("offline")).toBeVisible();
  await fail(page, "seen twice");
  await expectState(other, "unsent");
  await expect(lastTurn(other)).toContainText("seen twice");
  await page.context().setOffline(false);
  for (const tab of [page, other]) {
    await expectState(tab, "done");
    await expect(answer(tab)).toContainText("Answer to: seen twice");
    await expect(tab.getByTestId("turn")).toHaveCount(2);
  }
  expect((await site.model.record()).requests.map(({ question }) => question)).toEqual(["first", "seen twice"]);
  expect(await outbox(page)).toEqual([]);
});

test("an unsent message can be put in other words, or discarded", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await page.context().setOffline(true);
  await fail(page, "the wrong words");
  await composer(page).fill("typed since");
  await page.getByTestId("unsent-edit").click();
  await expect(page.getByTestId("turn")).toHaveCount(0);
  await expect(composer(page)).toHaveValue("the wrong words\n\ntyped since");
  await expect(composer(page)).toBeFocused();
  await fail(page, "better words");
  await page.getByTestId("unsent-discard").click();
  await expect(page.getByTestId("turn")).toHaveCount(0);
  await expect(composer(page)).toBeFocused();
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  expect(await outbox(page)).toEqual([]);
  await page.context().setOffline(false);
  await expect(page.getByTestId("offline")).toBeHidden();
  await send(page, "the right words");
  await expectState(page, "done");
  expect((await site.model.record()).requests.map(({ question }) => question)).toEqual(["the right words"]);
});

test("of a conversation that is gone, what could not be sent is still there to be taken elsewhere", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await send(page, "first");
  await expectState(page, "done");
  const other = await visit(page.context(), site.url);
  await page.route("**/api/send", (route) => route.abort());
  await fail(page, "too late");
  await other.getByTestId("conversation").hover();
  await other.getByTestId("conversation-more").click();
  await other.getByTestId("delete").click();
  await expect(page.getByTestId("turn")).toHaveCount(1);
  await page.unroute("**/api/send");
  await lastTurn(page).getByTestId("unsent-edit").click();
  await expect(page).toHaveURL(`${site.url}/`);
  await expect(composer(page)).toHaveValue("too late");
  await newChat(page);
});

test("whoever could not leave the line without a network, can once there is one, and has nothing to rate", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
  await queueUp(site, 1);
  const page = await site.person();
  await send(page, "I wait");
  await page.context().setOffline(true);
  await expect(page.getByTestId("offline")).toBeVisible();
  const cancel = page.getByTestId("cancel");
  await cancel.click();
  await expect(page.locator(".notice-bad")).toContainText("cannot be reached");
  await expect(cancel).toBeEnabled();
  await page.context().setOffline(false);
  await expect(page.getByTestId("offline")).toBeHidden();
  await cancel.click();
  await expectState(page, "cancelled");
  await expect(lastTurn(page)).toContainText("You left the line before it began");
  await expect(page.getByTestId("rate-good")).toHaveCount(0);
  await site.model.set({ hold: false });
});

test("while it is not connected, the page promises nothing about the line", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
  await site.model.set({ hold: true });
  const [running, waiting, idle] = [await site.person(), await site.person(), await site.person()];
  await send(running, "runs");
  await expectState(running, "running");
  await send(waiting, "waits");
  await expect(idle.locator(".welcome-line")).toContainText("1 waits");
  for (const page of [waiting, idle]) {
    await page.context().setOffline(true);
    await expect(page.getByTestId("offline")).toBeVisible();
    await expect(page).toHaveTitle("Not connected · Anteroom");
    await expect(page.getByTestId("line")).toHaveText(/not connected/);
    await expect(page.locator("body")).not.toContainText(/at once|in line ·|would be|any moment|about \d/);
  }
  await expect(idle.locator(".composer-hint")).toHaveText("Not connected: what you send goes as soon as it is again.");
  await expect(idle.getByRole("heading", { level: 1 })).toHaveText("Not connected just now.");
  await waiting.context().setOffline(false);
  await expect(lastTurn(waiting).getByTestId("position")).toHaveAttribute("data-position", "1");
  await site.model.set({ hold: false });
});

test("after a gap in the network, idle pages come back spread over a while, and those with work at once", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
  await site.model.set({ hold: true });
  const pages: Page[] = [];
  for (let number = 0; number < 2; number++) {
    const context = await site.context();
    // The longest that chance can make it.
    await context.addInitScript(() => {
      Math.random = () => 0.999;
    });
    const page = await context.newPage();
    await page.clock.install();
    await page.goto(site.url);
    await awake(page);
    pages.push(page);
  }
  const [busy, idle] = pages;
  await send(busy, "at work");
  await expectState(busy, "running");
  for (const page of pages) {
    await page.clock.pauseAt(Date.now() + 3_000);
    await page.context().setOffline(true);
    await expect(page.getByTestId("offline")).toBeVisible();
    await page.context().setOffline(false);
    // It is told of that, and reckons its pause from there.
    await expect.poll(() => page.evaluate(() => navigator.onLine)).toBe(true);
  }
  await busy.clock.runFor(100);
  await expect(busy.getByTestId("offline")).toBeHidden();
  await idle.clock.runFor(2_000);
  await expect(idle.getByTestId("offline")).toBeVisible();
  await idle.clock.runFor(3_000);
  await expect(idle.getByTestId("offline")).toBeHidden();
  await site.model.set({ hold: false });
});
