import type { Page } from "@playwright/test";
import { answer, composer, expectState, lastTurn, position } from "../support/chat.js";
import { queueUp } from "../support/occupy.js";
import { type Shift, notePlaces, noteShifts, shifts } from "../support/shifts.js";
import { awake, expect, test } from "../support/site.js";

const SCREENS = [
  { screen: "desktop", viewport: { width: 1280, height: 800 }, locale: "en-GB" },
  { screen: "phone", viewport: { width: 390, height: 844 }, hasTouch: true, locale: "ru-RU" },
];

/**
 * Sends as the page's own script may: without a key or a press, after which a browser would excuse for half a second whatever moves.
 */
async function sendUntouched(page: Page, text: string): Promise<void> {
  await composer(page).fill(text);
  await page.locator("#composer").evaluate((form: HTMLFormElement) => form.requestSubmit());
}

/**
 * The light behind the last word of an answer, by its size: it goes where that word goes. (Where the word has begun another line or block, the browser may not know any more what it
 * was the light of.)
 */
const isLight = (one: string): boolean => /^(::after\.|\(gone\)): \S+ 8×15\.1\d+ → \S+ 8×15\.1\d+$/.test(one);

/**
 * What has moved that is no news. The line in the header is: its drawing is as long as the line, and its words stand beside that. So is how far an answer has
 * come. Neither moves anything else, or there would be more of it.
 */
const jumps = async (page: Page): Promise<Shift[]> =>
  (await shifts(page)).filter(({ value, what }) => value >= 0.002 || !what.every((one) => one.startsWith("in the header: ") || isLight(one)));

for (const { screen, ...device } of SCREENS) {
  for (const before of ["nothing", "a long answer"]) {
    test(`nothing moves but what is news: ${screen}, below ${before}`, async ({ start }) => {
      const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
      const context = await site.context(device);
      await noteShifts(context);
      const page = await context.newPage();
      const still = async (when: string) => expect.soft(await jumps(page), when).toEqual([]);
      if (before === "nothing") {
        await site.model.set({ reply: "markdown", pace: 2, after: 0 });
        await queueUp(site, 3);
      }
      await page.goto(site.url);
      await awake(page);
      await still("first visit");
      if (before !== "nothing") {
        await site.model.set({ reply: "markdown", pace: 2 });
        await sendUntouched(page, "What can you do with Markdown?");
        await expect(answer(page)).toContainText("A heading");
        await still("a first answer begins");
        await expectState(page, "done");
        await still("a first answer");
        // One inside, two who wait; before the first piece.
        await site.model.set({ after: 0 });
        await queueUp(site, 3);
        await expect(page.getByTestId("line")).toHaveAttribute("data-waiting", "2");
        await still("others join");
      }

      await sendUntouched(page, "and I");
      await expect(position(page)).toHaveAttribute("data-position", "3");
      await still("sent");
      for (const place of [2, 1]) {
        await site.model.release();
        await expect(position(page)).toHaveAttribute("data-position", String(place));
        await still(`moved to ${place}`);
      }
      await site.model.release();
      // The door opens for less than half a second: whoever looks now and then may miss it, the browser's record does not.
      await expect(lastTurn(page).locator(".caret")).toBeVisible();
      await still("it opens");
      await site.model.set({ hold: false });
      await expect(answer(page)).toContainText("A heading");
      await still("the answer streams");
      await expectState(page, "done");
      await still("the end");
      // And one more, at once.
      await sendUntouched(page, "once more");
      await expect(page.getByTestId("turn").filter({ hasText: "once more" })).toHaveAttribute("data-state", "done");
      await still("another answer");
    });
  }

  test(`the start page stays where it is while the line comes and goes: ${screen}`, async ({ start }) => {
    const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
    const context = await site.context(device);
    await noteShifts(context);
    const page = await context.newPage();
    await page.goto(site.url);
    await awake(page);
    const head = page.locator(".welcome-head");
    const rows = () => head.evaluate((head) => {
      const words = document.createRange();
      words.selectNodeContents(head);
      return new Set([...words.getClientRects()].map(({ top }) => Math.round(top))).size;
    });
    const below = () => page.locator(".welcome-line, .starters").evaluateAll((all) => all.map((one) => one.getBoundingClientRect().top));
    const [free, place] = [await rows(), await below()];
    const still = async (when: string) => {
      expect.soft(await below(), when).toEqual(place);
      expect.soft(await jumps(page), when).toEqual([]);
    };
    await still("first visit");
    await queueUp(site, 3);
    await expect(page.getByTestId("line")).toHaveAttribute("data-waiting", "2");
    // Or there is nothing to see here.
    expect(await rows()).toBeGreaterThan(free);
    await still("others wait");
    await site.model.set({ hold: false });
    await expect(page.getByTestId("line")).toHaveAttribute("data-running", "0");
    expect(await rows()).toBe(free);
    await still("nobody waits");
  });

  // The browser's own figures are no help here: what it has in a place that scrolls, moves for it as the answer above grows.
  test(`what stands behind an answer stays at the end of the page: ${screen}`, async ({ start }) => {
    const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
    await site.model.set({ reply: "markdown", pace: 2, after: 0 });
    await queueUp(site, 3);
    const page = await site.person(device);
    await sendUntouched(page, "and I");
    await expect(position(page)).toHaveAttribute("data-position", "3");
    await sendUntouched(page, "and after that");
    const behind = page.getByTestId("follow-up");
    await expect(behind).toHaveCount(1);
    const places = await notePlaces(page, ".behind");
    for (const place of [2, 1]) {
      await site.model.release();
      await expect(position(page)).toHaveAttribute("data-position", String(place));
    }
    await site.model.release();
    await expect(lastTurn(page).locator(".caret")).toBeVisible();
    const first = lastTurn(page);
    await site.model.set({ hold: false });
    await expect(first.getByTestId("answer")).toContainText("That was all.");
    await expect(behind).toHaveCount(0);
    expect(await places()).toHaveLength(1);
  });
}
