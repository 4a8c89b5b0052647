import type { Page } from "@playwright/test";
import { barriers } from "../support/axe.js";
import { expectState, lastTurn, newChat, position, send } from "../support/chat.js";
import { ask } from "../support/occupy.js";
import { type Site, awake, expect, test } from "../support/site.js";

const time = (page: Page) => position(page).locator(".position-time");
const lights = (page: Page) => lastTurn(page).locator(".waiting .door-light");

/** Three answers of so many milliseconds have been given at the same time; from here on the model holds what it is asked. */
async function learn(site: Site, took: number): Promise<void> {
  await site.model.set({ first_token: took });
  await Promise.all(["one", "two", "three"].map((question) => ask(site, question)));
  await site.model.until("three answers", (record) => record.requests.filter(({ ended }) => ended !== null).length === 3);
  await site.model.set({ first_token: 0, hold: true });
}

test("between two moves the light behind each busy door grows, and the estimate counts down by itself", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "3" });
  const page = await site.person();
  await page.clock.install();
  await page.reload();
  await awake(page);
  await learn(site, 15_000);
  // Somebody else is in every slot.
  await Promise.all(["inside", "inside too", "inside as well"].map((question) => ask(site, question)));
  await site.model.until("three requests", (record) => record.now === 3);
  await send(page, "and I");
  await expect(position(page)).toHaveAttribute("data-position", "1");

  // Each door has its own light, which takes as long as an answer usually does.
  await expect(lights(page)).toHaveCount(3);
  const timing = () =>
    lights(page).evaluateAll((all) =>
      all.map((light) => {
        const timing = light.getAnimations()[0]?.effect?.getComputedTiming();
        return { length: Number(timing?.duration ?? 0), progress: Number(timing?.progress ?? 0) };
      }),
    );
  const first = await timing();
  for (const { length } of first) {
    expect(length, "as long as the answers so far").toBeGreaterThan(14_900);
  }
  await expect.poll(async () => (await timing()).every(({ progress }, door) => progress > first[door].progress)).toBe(true);

  // The page's clock goes on, and nobody tells it anything.
  const seconds = async () => Math.max(...((await time(page).innerText()).match(/\d+/g) ?? []).map(Number));
  await expect(time(page)).toHaveText(/^(about|up to) /);
  const before = await seconds();
  // More than the five seconds to which a time above ten is rounded.
  await page.clock.runFor(6000);
  expect(await seconds(), await time(page).innerText()).toBeLessThanOrEqual(before - 2);
  await expect(position(page)).toHaveAttribute("data-position", "1");

  // Overrun, it says so, and is less sure the longer that takes.
  await page.clock.runFor(25_000);
  await expect(time(page)).toHaveText(/^longer than usual · up to \d/);
  const late = await seconds();
  await page.clock.runFor(9000);
  expect(await seconds(), await time(page).innerText()).toBeGreaterThan(late);
  await expect(position(page)).toHaveAttribute("data-position", "1");
  await page.screenshot({ path: "test-results/looks/wait-late.png" });
  await site.model.set({ hold: false });
  await expectState(page, "done");
});

test("before the first answer, the time says what it waits for", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
  await site.model.set({ hold: true });
  await ask(site, "inside");
  const page = await site.person();
  await send(page, "behind");
  await expect(time(page)).toHaveText("no estimate yet: nothing has been answered so far");
  await expect(lights(page)).toHaveCount(0);
  const third = await site.person();
  await send(third, "and behind that");
  await site.model.release();
  await expectState(page, "running");
  await expect(time(third)).toHaveText("no estimate yet: too little has been answered so far");
  await expect(lights(third)).toHaveCount(1);
  await site.model.set({ hold: false });
  await expectState(third, "done");
});

test("a door keeps who is inside, and of two of one's own dots the one that is meant differs", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "2" });
  await site.model.set({ hold: true });
  await ask(site, "inside first");
  const page = await site.person();
  await send(page, "mine, inside");
  await expectState(page, "running");
  await newChat(page);
  await send(page, "mine, waiting first");
  await newChat(page);
  await send(page, "mine, waiting second");
  const drawn = (what: string) => lastTurn(page).locator(`.waiting ${what}`);
  await expect(drawn(".mark.mine.other")).toHaveCount(1);
  await expect(drawn(".mark.mine:not(.other)")).toHaveCount(1);
  await expect(drawn(".door")).toHaveClass(["door busy", "door busy lit other"]);
  const shape = (what: string) =>
    drawn(what).evaluate((mark) => {
      const { fill, strokeWidth } = getComputedStyle(mark);
      return `${fill} ${strokeWidth}`;
    });
  expect(await shape(".mark.mine.other")).not.toBe(await shape(".mark.mine:not(.other)"));
  await page.screenshot({ path: "test-results/looks/wait-two-dots.png" });

  // The first door is empty, and the next one goes in there: the second keeps who it has.
  await site.model.release();
  await expect(drawn(".door")).toHaveClass(["door busy lit other", "door busy lit other"]);
  await site.model.set({ hold: false });
  await expectState(page, "done");
});

for (const { screen, width, colorScheme } of [
  { screen: "desktop", width: 1280, colorScheme: "light" },
  { screen: "phone", width: 390, colorScheme: "dark" },
] as const) {
  test(`twelve doors can be told apart: ${screen}, ${colorScheme}`, async ({ start }) => {
    const site = await start({ CHAT_CONCURRENCY_LIMIT: "12" });
    await site.model.set({ hold: true });
    await Promise.all(Array.from({ length: 8 }, (_, number) => ask(site, `inside ${number}`)));
    const page = await site.person({ viewport: { width, height: 800 }, colorScheme });
    await send(page, "mine");
    await expectState(page, "running");
    await page.goto(site.url);
    await awake(page);
    const doors = page.locator(".line-large .door");
    await expect(doors).toHaveClass(["door busy many", "door busy lit", "door many"]);
    expect(await Promise.all([0, 2].map((door) => doors.nth(door).locator("text").textContent()))).toEqual(["× 8", "× 3"]);
    // Each stands in its own place.
    const boxes = await Promise.all([0, 1, 2].map((door) => doors.nth(door).locator(".door-frame").boundingBox()));
    for (const [left, right] of [boxes.slice(0, 2), boxes.slice(1)]) {
      expect((left?.x ?? 0) + (left?.width ?? 0)).toBeLessThan(right?.x ?? 0);
    }
    await page.screenshot({ path: `test-results/looks/wait-twelve-${screen}.png` });
    expect(await barriers(page)).toEqual([]);
    await site.model.set({ hold: false });
  });
}
