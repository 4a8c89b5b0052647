import { barriers } from "../support/axe.js";
import { answer, composer, expectState, lastTurn, newChat, send } from "../support/chat.js";
import { awake, expect, test, visit } from "../support/site.js";
import { expectSteps, steps, toolServer } from "../support/tools.js";

test("a use of a tool is a line of the answer, with what is behind it", async ({ start, ends }) => {
  const tools = await toolServer(ends);
  const site = await start(tools.settings);
  await site.model.set({ before: 3 });
  const page = await site.person();
  await send(page, 'use tool files__look with {"path": "a<i>b"} and use tool files__fail, then use tool files__draw');
  await expectState(page, "done");
  await expectSteps(page, ["done", "failed", "done"]);
  const [looked, failed, drawn] = [0, 1, 2].map((index) => steps(page).nth(index));
  await expect(looked.locator("summary")).toContainText("look");
  await expect(looked.locator("summary")).toContainText("files · took");
  await expect(failed.locator("summary")).toContainText("the tool says so");
  await expect(looked.locator(".step-text").first()).toBeHidden();
  await looked.locator("summary").click();
  await expect(looked.locator(".step-text").first()).toContainText('"path": "a<i>b"');
  // As text: nothing of it is the page's.
  await expect(looked.locator(".step-result")).toHaveText("<b>seen</b> a<i>b");
  await drawn.locator("summary").click();
  const picture = drawn.locator("img");
  await expect(picture).toBeVisible();
  await expect.poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(1);
  await expect(drawn.getByRole("link", { name: "where it is from" })).toHaveAttribute("rel", /noopener/);
  // What was said in between stands in between.
  const order = await answer(page).locator(":scope > *").evaluateAll((all) => all.map((one) => one.className));
  expect(order.slice(0, 6)).toEqual(["block", "step", "step", "block", "step", "block"]);
  await page.screenshot({ path: "test-results/looks/tools-done.png" });
  expect(await barriers(page)).toEqual([]);
  await page.reload();
  await expectSteps(page, ["done", "failed", "done"]);
  await expect(picture).toBeHidden();
  await drawn.locator("summary").click();
  await expect(picture).toBeVisible();
});

test("who is asked for leave is asked everywhere, over a restart, and holds up nobody", async ({ start, ends }) => {
  const tools = await toolServer(ends);
  const site = await start({ ...tools.settings, CHAT_CONCURRENCY_LIMIT: "1" });
  const page = await site.person();
  await send(page, 'use tool files__write with {"path": "notes.txt"}');
  await expectSteps(page, ["asks"]);
  const card = lastTurn(page).getByTestId("step-ask");
  await expect(card).toContainText("Write a file");
  await expect(card.getByRole("alert")).toBeVisible();
  // What it is about is to be seen without unfolding anything.
  await expect(steps(page).locator(".step-text").first()).toContainText("notes.txt");
  await expect(page).toHaveTitle("Asks you · Anteroom");
  await page.screenshot({ path: "test-results/looks/tools-asks.png" });
  expect(await barriers(page)).toEqual([]);
  // The only slot is somebody else's meanwhile.
  const other = await site.person();
  await send(other, "hello");
  await expectState(other, "done");
  // Another page of the same browser, after a crash.
  await site.server.kill();
  await site.server.restart();
  const second = await visit(page.context(), page.url());
  await expectSteps(second, ["asks"]);
  await newChat(page);
  await expect(page.getByTestId("mark")).toHaveText("asks you");
  await second.getByTestId("step-once").click();
  await expectState(second, "done");
  await expectSteps(second, ["done"]);
  await expect(answer(second)).toContainText("written notes.txt");
  await expect(page.getByTestId("mark")).toHaveCount(0);
  await expect(second.locator(":focus")).toHaveCount(1);
  expect((await site.model.record()).requests.filter(({ results }) => results > 0)).toHaveLength(1);
});

test("leave is given for a conversation, and refused", async ({ start, ends }) => {
  const tools = await toolServer(ends);
  const site = await start(tools.settings);
  const page = await site.person();
  const write = 'use tool files__write with {"path": "x"}';
  await send(page, write);
  await page.getByTestId("step-conversation").click();
  await expectState(page, "done");
  await send(page, write);
  await expectState(page, "done");
  await expectSteps(page, ["done"]);
  await newChat(page);
  await send(page, write);
  await expectSteps(page, ["asks"]);
  const no = page.getByTestId("step-no");
  await no.focus();
  await page.keyboard.press("Enter");
  await expectState(page, "done");
  await expectSteps(page, ["denied"]);
  // The keyboard stays at what it was about.
  await expect(steps(page).locator("summary")).toBeFocused();
  await expect(answer(page)).toContainText("was not allowed");
});

test("a call is watched, allowed, denied and stopped, with a reload in the middle of each", async ({ start, ends }) => {
  const tools = await toolServer(ends);
  const site = await start(tools.settings);
  const page = await site.person();
  const reloaded = async (state: string) => {
    await page.reload();
    await awake(page);
    await expectSteps(page, [state]);
  };
  const asked = async (file: string) => {
    await send(page, `use tool files__keep with {"file": "${file}"}`);
    await expectSteps(page, ["asks"]);
    await reloaded("asks");
    await expect(lastTurn(page).getByTestId("step-ask")).toContainText("keep");
  };
  // Allowed, then watched.
  await asked("one");
  await page.getByTestId("step-once").click();
  await expectSteps(page, ["runs"]);
  await reloaded("runs");
  await tools.put("one");
  await expectState(page, "done");
  await expectSteps(page, ["done"]);
  await reloaded("done");
  await expect(answer(page)).toContainText("one is there");
  // Denied.
  await asked("two");
  await page.getByTestId("step-no").click();
  await expectState(page, "done");
  await reloaded("denied");
  await expect(answer(page)).toContainText("was not allowed");
  // Stopped.
  await asked("three");
  await page.getByTestId("step-once").click();
  await expectSteps(page, ["runs"]);
  await reloaded("runs");
  await steps(page).getByTestId("step-stop").click();
  await expectState(page, "done");
  await expectSteps(page, ["stopped"]);
  await reloaded("stopped");
});

test("a tool is forbidden for a conversation, over a reload and a restart, until that is taken back", async ({ start, ends }) => {
  const tools = await toolServer(ends);
  const site = await start(tools.settings);
  const page = await site.person();
  const write = 'use tool files__write with {"path": "x"}';
  await send(page, write);
  await expectSteps(page, ["asks"]);
  await page.reload();
  await page.getByTestId("step-never").click();
  await expectState(page, "done");
  await expectSteps(page, ["denied"]);
  await expect(answer(page)).toContainText("not allowed in this conversation");
  await site.server.kill();
  await site.server.restart();
  await page.reload();
  await awake(page);
  await send(page, write);
  await expectState(page, "done");
  await expectSteps(page, ["denied"]);
  const conversation = page.url();
  await page.getByTestId("conversation-more").first().click();
  await page.getByTestId("tools").click();
  await expect(page).toHaveURL(/\/c\/[^/]+\/tools$/);
  await expect(page.getByTestId("leave")).toHaveText(/“write” of files is not used/);
  expect(await barriers(page)).toEqual([]);
  await page.screenshot({ path: "test-results/looks/tools-leave.png", fullPage: true });
  await page.getByTestId("leave-back").click();
  await expect(page.getByTestId("leave")).toHaveCount(0);
  await page.goto(conversation);
  await awake(page);
  await send(page, write);
  await expectSteps(page, ["asks"]);
});

test("a tool at work is seen, over a reload, and stopped alone", async ({ start, ends }) => {
  const tools = await toolServer(ends);
  const site = await start(tools.settings);
  const page = await site.person();
  await send(page, 'use tool files__wait with {"file": "one"} and use tool files__wait with {"file": "two"}');
  await expectSteps(page, ["runs", "runs"]);
  await page.reload();
  await expectSteps(page, ["runs", "runs"]);
  await page.screenshot({ path: "test-results/looks/tools-runs.png" });
  await steps(page).nth(0).getByTestId("step-stop").click();
  await expectSteps(page, ["stopped", "runs"]);
  await tools.put("two");
  await expectState(page, "done");
  await expectSteps(page, ["stopped", "done"]);
  await expect(answer(page)).toContainText("two is there");
  // The whole answer is stopped, too.
  await send(page, 'use tool files__wait with {"file": "three"}');
  await expectSteps(page, ["runs"]);
  await composer(page).press("Escape");
  await expectState(page, "cancelled");
  await expectSteps(page, ["stopped"]);
});

test("leave is given on a phone, in the dark, in Russian", async ({ start, ends }) => {
  const tools = await toolServer(ends);
  const site = await start(tools.settings);
  const page = await site.person({ viewport: { width: 390, height: 844 }, colorScheme: "dark", locale: "ru" });
  await send(page, 'use tool files__write with {"path": "заметки.txt"}');
  await expectSteps(page, ["asks"]);
  await expect(lastTurn(page).getByTestId("step-ask")).toContainText("Разрешить?");
  await page.screenshot({ path: "test-results/looks/tools-asks-phone.png" });
  const once = page.getByTestId("step-once");
  // Its door may still be opening.
  await expect(once).toBeVisible();
  expect((await once.boundingBox())?.height).toBeGreaterThanOrEqual(44);
  await once.click();
  await expectState(page, "done");
  await page.screenshot({ path: "test-results/looks/tools-done-phone.png" });
});

test("without scripts leave is given by a form", async ({ start, ends }) => {
  const tools = await toolServer(ends);
  const site = await start(tools.settings);
  const context = await site.context({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(site.url);
  await composer(page).fill('use tool files__write with {"path": "x"}');
  await page.getByTestId("send").click();
  await expect(page).toHaveURL(/\/c\//);
  await expectSteps(page, ["asks"]);
  await page.screenshot({ path: "test-results/plain/tools-asks.png" });
  await page.getByRole("button", { name: "Allow once", exact: true }).click();
  await expectState(page, "done");
  await expectSteps(page, ["done"]);
});
