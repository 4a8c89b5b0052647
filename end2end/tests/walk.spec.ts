import { violations } from "../support/axe.js";
import { answer, composer, expectState, newChat, position, send } from "../support/chat.js";
import { awake, expect, test } from "../support/site.js";

const WIDTHS = { phone: { viewport: { width: 390, height: 844 }, hasTouch: true }, desktop: { viewport: { width: 1280, height: 800 } } };

for (const [width, device] of Object.entries(WIDTHS)) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`axe finds nothing on a walk through every state: ${width}, ${colorScheme}`, async ({ start }) => {
      test.setTimeout(300_000);
      const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
      const page = await site.person({ ...device, colorScheme });
      const look = async (state: string) => {
        await page.evaluate(() => {
          const passing = document.getAnimations().filter((one) => one.effect?.getTiming().iterations !== Infinity);
          return Promise.all(passing.map((one) => one.finished.catch(() => {})));
        });
        expect.soft(await violations(page), state).toEqual([]);
        // From one level of headings to the next, none is left out. The list, which comes first, has those below the page's.
        const levels = await page.evaluate(() => {
          const all = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].filter((one) => one.checkVisibility());
          return all.map((one) => Number(one.nodeName[1]));
        });
        expect.soft(levels.filter((level) => level === 1), `${state}: one heading of the page`).toHaveLength(1);
        expect.soft(levels.filter((level, at) => level > (levels[at - 1] ?? 1) + 1), `${state}: ${levels}`).toEqual([]);
      };
      await look("welcome");
      await page.getByTestId("tuning").click();
      await expect(page.locator("#tuning")).toBeVisible();
      await look("settings of the conversation");
      await page.keyboard.press("Escape");

      await site.model.set({ reply: "markdown" });
      await send(page, "What can you do with Markdown?");
      await expectState(page, "done");
      // What an answer calls its first heading is below those of the page.
      await expect(answer(page).locator("h1, h2")).toHaveCount(0);
      await expect(answer(page).locator("h3, h4").first()).toBeAttached();
      await look("answered");
      await site.model.set({ reply: "words" });
      await send(page, "[[tokens=4 finish=length]] ended early");
      await expectState(page, "incomplete");
      await look("ended early");
      await site.model.set({ fault: "close:4", tokens: 20 });
      await send(page, "cut off");
      await expectState(page, "failed");
      await look("cut off");
      await site.model.set({ fault: "status:401" });
      await send(page, "fails");
      await expectState(page, "failed");
      await look("failed");

      await site.model.set({ fault: "none", hold: true });
      const other = await site.person();
      await send(other, "holds the slot");
      await (width === "phone" ? page.goto(site.url) : newChat(page));
      await awake(page);
      await look("welcome, every place taken");
      await send(page, "waits");
      await expect(position(page)).toBeVisible();
      await look("waiting");
      await site.model.set({ hold: false });
      await expectState(page, "done");
      await site.model.set({ tokens: 60, gate: "look", after: 20 });
      await send(page, "streams");
      await expect(answer(page)).toContainText("word19");
      await look("streaming");
      await site.model.open("look");
      await expectState(page, "done");

      if (width === "phone") {
        await page.getByRole("button", { name: "Conversations", exact: true }).click();
        await expect(page.getByTestId("conversation").first()).toBeVisible();
      }
      await page.getByTestId("conversation").first().hover();
      await page.getByTestId("conversation-more").first().click();
      await look("the list, with a menu");
      await page.keyboard.press("Escape");
      if (width === "phone") {
        await page.keyboard.press("Escape");
      }
      await page.context().setOffline(true);
      await expect(page.getByTestId("offline")).toBeVisible();
      await look("disconnected");
      await composer(page).fill("unsent");
      await composer(page).press("Enter");
      await expectState(page, "unsent");
      await look("unsent");
      await page.context().setOffline(false);
      await expectState(page, "done");

      for (const [address, ready] of [["stats", "chart"], ["logs", "told"], ["data", "forget"]] as const) {
        await page.goto(`${site.url}/${address}`);
        await awake(page);
        await expect(page.getByTestId(ready).first()).toBeVisible();
        await look(address);
      }
      await page.goto(`${site.url}/logs`);
      await awake(page);
      await page.getByTestId("logs-raw").click();
      await expect(page.getByTestId("log-record").first()).toBeVisible();
      await look("the records themselves");
      for (const address of ["nowhere", "c/nothing", "api/v1"]) {
        await page.goto(`${site.url}/${address}`);
        await look(address);
      }
    });
  }
}

test("positions are told at most every ten seconds, with the time", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
  const page = await (await site.context()).newPage();
  await page.clock.install();
  await page.goto(site.url);
  await awake(page);
  const spoken = page.locator("[aria-live=polite][role=status].visually-hidden");
  await spoken.evaluate((spoken) => {
    const told: [number, string][] = [];
    Object.assign(window, { told });
    new MutationObserver(() => told.push([Date.now(), spoken.textContent ?? ""])).observe(spoken, { subtree: true, childList: true, characterData: true });
  });
  await site.model.set({ hold: true });
  const before = [await site.person(), await site.person(), await site.person()];
  for (const [index, person] of before.entries()) {
    await send(person, `before ${index}`);
  }
  await send(page, "waits");
  await expect(spoken).toHaveText(/^You are 3rd of 3 in line\. .+\.$/);
  // Two leave, one after the other.
  await before[1].getByTestId("cancel").click();
  await expect(position(page)).toHaveAttribute("data-position", "2");
  await page.clock.runFor(3_000);
  await before[2].getByTestId("cancel").click();
  await expect(position(page)).toHaveAttribute("data-position", "1");
  await page.clock.runFor(20_000);
  await expect(spoken).toHaveText(/^You are 1st of 1 in line\. .+\.$/);
  const told = await page.evaluate(() => (window as unknown as { told: [number, string][] }).told);
  const positions = told.filter(([, text]) => text.startsWith("You are"));
  expect(positions.length).toBeGreaterThanOrEqual(2);
  for (const [number, [at]] of positions.entries()) {
    expect(at - (positions[number - 1]?.[0] ?? 0), JSON.stringify(told)).toBeGreaterThanOrEqual(9_990);
  }
});
