import { expectState, position, send } from "../support/chat.js";
import { startAnteroom } from "../support/server.js";
import { awake, expect, place, test } from "../support/site.js";

test("the start page says how the line is once, with questions only where the demo model answers", async ({ start, browser, ends }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "2" });
  const page = await site.person();
  await expect(page.locator(".welcome-line")).toHaveText("0 of 2 slots busy · nobody waits · starts at once");
  await expect(page.getByTestId("line")).toBeVisible();
  await expect(page.getByTestId("line").locator(".line-text")).toBeHidden();
  await expect(page.locator(".composer-hint")).toHaveText("");
  await expect(page.locator(".starter")).toHaveCount(0);
  // In a conversation it stands in the header and with what is being written.
  await send(page, "hello");
  await expectState(page, "done");
  await expect(page.getByTestId("line").locator(".line-text")).toBeVisible();
  await expect(page.locator(".composer-hint")).toHaveText("A message starts at once");

  const server = await startAnteroom({ MODEL: "demo@builtin" });
  ends.push(server.stop);
  const demo = await place(browser, server.url, ends).person();
  await expect(demo.locator(".starter")).toHaveCount(3);
  await demo.screenshot({ path: "test-results/looks/welcome-demo.png" });
});

test("a page that is not connected says since when, and nothing of the line", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "2" });
  const page = await site.person();
  await page.clock.install({ time: new Date("2030-05-06T14:03:27") });
  await page.reload();
  await awake(page);
  await expect(page.locator(".welcome-line")).toContainText("starts at once");
  await page.clock.pauseAt(new Date("2030-05-06T14:10:00"));
  await page.context().setOffline(true);
  await expect(page.getByTestId("offline")).toHaveText(/^Not connected since 14:(0\d|10):\d\d\. Trying again…$/);
  await expect(page.locator("body")).not.toContainText(/starts at once|slots busy/);
  await page.screenshot({ path: "test-results/looks/welcome-lost.png" });
  await page.context().setOffline(false);
  await page.clock.resume();
  await expect(page.locator(".welcome-line")).toContainText("starts at once");
  await expect(position(page)).toHaveCount(0);
});
