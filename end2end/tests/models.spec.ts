import { barriers } from "../support/axe.js";
import { answer, composer, expectState, lastTurn, newChat, position, send } from "../support/chat.js";
import { option, pick, picker, twoModels } from "../support/models.js";
import { type Site, awake, expect, test, visit } from "../support/site.js";

/** Somebody whose answer is held, so that this model's only slot is taken. */
async function occupy(site: Site, model: string): Promise<void> {
  const page = await site.person();
  await pick(page, model);
  await send(page, `[[hold=true]] holds ${model}`);
  await expectState(page, "running");
}

test("one model is not chosen", async ({ start }) => {
  const page = await (await start()).person();
  await expect(composer(page)).toBeVisible();
  await expect(picker(page)).toHaveCount(0);
  await expect(page.getByTestId("tuning")).toBeVisible();
});

test("a model is chosen by keyboard, with its own line in sight, and stays with the conversation", async ({ start }) => {
  const site = await start(twoModels);
  await occupy(site, "large@rack");
  const waits = await site.person();
  await pick(waits, "large@rack");
  await send(waits, "waits for the large one");
  await expect(position(waits)).toHaveAttribute("data-position", "1");

  const page = await site.person();
  await expect(picker(page)).toHaveText(/Small/);
  await expect(page.getByTestId("line")).toHaveAttribute("data-waiting", "0");
  await picker(page).focus();
  await page.keyboard.press("Enter");
  await expect(option(page, "small@desk")).toBeFocused();
  await expect(option(page, "small@desk")).toHaveAttribute("aria-checked", "true");
  await expect(option(page, "small@desk")).toContainText("free");
  await expect(option(page, "large@rack")).toContainText("1 waits");
  expect(await barriers(page)).toEqual([]);
  // Esc leaves it as it was, and gives the keyboard back.
  await page.keyboard.press("ArrowDown");
  await expect(option(page, "large@rack")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(option(page, "large@rack")).toBeHidden();
  await expect(picker(page)).toBeFocused();
  await expect(picker(page)).toHaveAttribute("data-model", "small@desk");
  await page.keyboard.press("Enter");
  await expect(option(page, "small@desk")).toBeFocused();
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await expect(picker(page)).toHaveAttribute("data-model", "large@rack");
  await expect(page.getByTestId("line")).toHaveAttribute("data-waiting", "1");
  await expect(page.locator("#composer-hint")).toContainText("You would be 2nd in line");

  // What is chosen before the first message is part of the draft.
  await page.reload();
  await awake(page);
  await expect(picker(page)).toHaveAttribute("data-model", "large@rack");
  await send(page, "and I after that");
  await expect(position(page)).toHaveAttribute("data-position", "2");
  await expect(lastTurn(page).getByTestId("waiting-model")).toHaveText("Large");
  await page.reload();
  await awake(page);
  await expect(picker(page)).toHaveAttribute("data-model", "large@rack");
  await newChat(page);
  await expect(picker(page)).toHaveAttribute("data-model", "small@desk");
  await send(page, "the small one has time");
  await expectState(page, "done");
  await expect(lastTurn(page)).toContainText("Small ·");

  await site.model.set({ hold: false });
  await site.model.until("all answers", (record) => record.now === 0 && record.requests.length === 4);
  const asked = (await site.model.record()).requests.map(({ model, question }) => `${model}: ${question}`);
  expect(asked.sort()).toEqual([
    "large: and I after that",
    "large: holds large@rack",
    "large: waits for the large one",
    "small: the small one has time",
  ]);
});

test("a message that waits goes over to the line of another model, in every tab", async ({ start }) => {
  const site = await start(twoModels);
  await occupy(site, "small@desk");
  await occupy(site, "large@rack");
  const page = await site.person();
  await send(page, "which of you is first?");
  await expect(position(page)).toHaveAttribute("data-position", "1");
  const tab = await visit(page.context(), page.url());
  await pick(page, "large@rack");
  for (const shown of [page, tab]) {
    await expect(lastTurn(shown).getByTestId("waiting-model")).toHaveText("Now in the line of Large");
    await expect(position(shown)).toHaveAttribute("data-position", "1");
    await expect(picker(shown)).toHaveAttribute("data-model", "large@rack");
  }
  await site.model.set({ hold: false });
  await expectState(page, "done");
  await site.model.until("its model", (record) =>
    record.requests.some(({ model, question }) => model === "large" && question === "which of you is first?"),
  );
});

test("what a model thinks is folded, and stays as its reader has left it while it streams", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await send(page, "a long answer first [[tokens=400]]");
  await expectState(page, "done");
  await send(page, "[[reasoning=40 gate=more after=20]] think about it");
  const thoughts = lastTurn(page).getByTestId("thoughts");
  const text = thoughts.locator(".answer");
  await expect(thoughts.locator("summary")).toHaveText("Thinking…");
  await expect(text).toBeHidden();
  expect(await barriers(page)).toEqual([]);

  const log = page.locator("#log");
  const top = await log.evaluate((log) => log.scrollTop);
  await thoughts.locator("summary").click();
  await expect(text).toBeVisible();
  await site.model.open("more");
  await expectState(page, "done");
  await expect(thoughts.locator("summary")).toHaveText(/^Thought for /);
  await expect(text).toBeVisible();
  await expect(answer(page)).toContainText("Answer to: think about it");
  expect(await log.evaluate((log) => log.scrollTop), "nothing was scrolled").toBe(top);
  // The thoughts are no part of what can be copied, nor of what the model is told later.
  await page.reload();
  await awake(page);
  await expect(thoughts.locator("summary")).toHaveText(/^Thought for /);
  await expect(text).toBeHidden();
});

test("the settings of a conversation are checked and kept with it", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  const field = (name: string) => page.getByTestId(`tuning-${name}`);
  await page.getByTestId("tuning").click();
  await field("instructions").fill("Answer like a lighthouse keeper.");
  await field("temperature").fill("3");
  await field("longest").fill("200");
  await field("done").click();
  await expect(field("temperature")).toHaveAttribute("aria-invalid", "true");
  await expect(field("told")).toHaveText("This cannot be kept: see what is marked.");
  expect(await barriers(page)).toEqual([]);
  await field("temperature").fill("0.5");
  await field("done").click();
  await expect(field("done")).toBeHidden();
  await expect(page.getByTestId("tuning")).toBeFocused();
  await expect(page.getByTestId("tuning")).toHaveAccessibleName("Settings of this conversation: changed");

  await send(page, "who are you?");
  await expectState(page, "done");
  expect((await site.model.record()).requests[0].system).toContain("lighthouse keeper");
  await page.reload();
  await awake(page);
  await page.getByTestId("tuning").click();
  await expect(field("instructions")).toHaveValue("Answer like a lighthouse keeper.");
  await expect(field("temperature")).toHaveValue("0.5");
  await expect(field("longest")).toHaveValue("200");
  // What is out of range is gone once this is closed.
  await field("longest").fill("0");
  await page.keyboard.press("Escape");
  await page.getByTestId("tuning").click();
  await expect(field("longest")).toHaveValue("200");
  await field("instructions").fill("");
  await field("done").click();
  await send(page, "and now?");
  await expectState(page, "done");
  expect((await site.model.record()).requests[1].system ?? "").not.toContain("lighthouse keeper");
});

for (const { screen, width, locale, colorScheme, words } of [
  { screen: "desktop", width: 1280, locale: "en-GB", colorScheme: "light", words: { free: "free", out: "start unknown yet" } },
  { screen: "phone", width: 390, locale: "ru-RU", colorScheme: "dark", words: { free: "свободно", out: "пока неизвестно" } },
  { screen: "narrow", width: 320, locale: "ru-RU", colorScheme: "light", words: { free: "свободно", out: "пока неизвестно" } },
] as const) {
  test(`choosing a model can be read: ${screen}, ${colorScheme}, ${locale}`, async ({ start }) => {
    const site = await start(twoModels);
    await occupy(site, "large@rack");
    const page = await site.person({ viewport: { width, height: 740 }, hasTouch: width < 500, locale, colorScheme });
    const look = async (name: string) => {
      await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {}))));
      await page.screenshot({ path: `test-results/looks/models-${screen}-${name}.png` });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(wide, `${name}: wider than the screen`).toBeLessThanOrEqual(0);
      expect.soft(await barriers(page), name).toEqual([]);
    };
    await look("start");
    await picker(page).click();
    await expect(option(page, "small@desk")).toContainText(words.free);
    await look("models");
    await option(page, "large@rack").click();
    await expect(page.locator("#composer-hint")).toContainText(words.out);
    await look("chosen");
    await page.getByTestId("tuning").click();
    await page.getByTestId("tuning-temperature").fill("7");
    await page.getByTestId("tuning-done").click();
    await expect(page.getByTestId("tuning-temperature")).toHaveAttribute("aria-invalid", "true");
    await look("settings");
    await page.keyboard.press("Escape");
    await send(page, "?");
    await expect(position(page)).toHaveAttribute("data-position", "1");
    await look("waiting");
  });
}

test("without JavaScript a model can be chosen too", async ({ start }) => {
  const site = await start(twoModels);
  const context = await site.context({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(site.url);
  const field = page.getByTestId("model-field");
  await expect(field).toHaveValue("small@desk");
  await expect(field.locator("option:checked")).toHaveText("Small · free");
  await field.selectOption("large@rack");
  await composer(page).fill("by a form");
  await page.getByTestId("send").click();
  await expect(page).toHaveURL(/\/c\//);
  await site.model.until("its answer", (record) => record.requests.some(({ model, ended }) => model === "large" && ended !== null));
  await page.reload();
  await expect(field).toHaveValue("large@rack");
});
