import type { Page } from "@playwright/test";
import { expectState, lastTurn, send } from "../support/chat.js";
import { awake, expect, test, visit } from "../support/site.js";

/** Resolves once the server has drawn what the page shows at least twice more, so that one drawing has been put over another. */
async function drawnAgain(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise<void>((done) => {
        let count = 0;
        const heard = () => {
          count += 1;
          if (count === 2) {
            document.removeEventListener("drawn", heard, true);
            setTimeout(done);
          }
        };
        document.addEventListener("drawn", heard, true);
      })
  );
}

const uptime = (page: Page) => page.locator(".tile").filter({ hasText: "Uptime" }).locator("dd");

test("a new drawing leaves the focus, what is selected and what is scrolled to as they are", async ({ start }) => {
  const site = await start();
  const page = await site.person({ viewport: { width: 720, height: 600 } });
  await page.goto(`${site.url}/stats`);
  await awake(page);
  const limits = page.getByRole("region", { name: "Limits" });
  await limits.focus();
  await limits.evaluate((frame) => (frame.scrollLeft = 40));
  const setting = page.locator('[data-testid="setting"][data-name="CHAT_CONCURRENCY_LIMIT"]');
  await setting.scrollIntoViewIfNeeded();
  const before = await page.locator(".page").evaluate((all) => all.scrollTop);
  expect(before).toBeGreaterThan(0);
  await setting.evaluate((row) => {
    Object.assign(window, { row });
    getSelection()?.selectAllChildren(row.querySelector("th code") as Node);
  });
  const said = await uptime(page).textContent();
  await drawnAgain(page);
  await expect(uptime(page)).not.toHaveText(said ?? "");
  await expect(limits).toBeFocused();
  expect(await limits.evaluate((frame) => frame.scrollLeft)).toBe(40);
  expect(await page.locator(".page").evaluate((all) => all.scrollTop)).toBe(before);
  expect(await page.evaluate(() => getSelection()?.toString())).toBe("CHAT_CONCURRENCY_LIMIT");
  expect(await setting.evaluate((row) => row === (window as unknown as { row: Element }).row)).toBe(true);
});

test("what is unfolded stays so, a record keeps its place, and new ones come below it", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await send(page, "first");
  await expectState(page, "done");
  await page.goto(`${site.url}/logs`);
  await awake(page);
  const told = page.getByTestId("told").getByRole("listitem");
  await expect(told).toHaveCount(1);
  await page.getByTestId("logs-raw").click();
  await page.getByText("The server’s start").click();
  const records = page.getByRole("log").getByTestId("log-record");
  const count = await records.count();
  expect(count).toBeGreaterThan(0);
  await told.first().evaluate((row) => Object.assign(window, { row }));
  await page.getByTestId("log-text").fill("turn");
  const other = await visit(page.context(), site.url);
  await send(other, "second");
  await expectState(other, "done");
  await page.bringToFront();
  // The last one comes first; the one before keeps its nodes.
  await expect(told).toHaveCount(2);
  expect(await told.nth(1).evaluate((row) => row === (window as unknown as { row: Element }).row)).toBe(true);
  await expect(page.getByTestId("log-text")).toHaveValue("turn");
  await expect(page.getByTestId("startup-hidden")).toBeVisible();
  await page.getByTestId("log-text").fill("");
  await expect.poll(() => records.count()).toBeGreaterThan(count);
  // What was filtered away in between stands where it stood.
  const numbers = await page.getByRole("log").evaluate((log) => [...log.querySelectorAll<HTMLElement>(".record")].map(({ dataset }) => Number(dataset.key)));
  expect(numbers).toEqual([...numbers].sort((one, two) => one - two));
});

test("a record is found by its level and by any one of its parts, and the end is followed until somebody reads further up", async ({ start }) => {
  const site = await start();
  const page = await site.person({ timezoneId: "Asia/Kathmandu" });
  for (const text of ["one", "two", "three", "four"]) {
    await send(page, text);
    await expectState(page, "done");
  }
  const turn = (await lastTurn(page).getAttribute("data-turn")) ?? "";
  await page.goto(`${site.url}/logs`);
  await awake(page);
  await page.getByTestId("logs-raw").click();
  const log = page.getByRole("log");
  const records = log.getByTestId("log-record");
  const one = records.filter({ hasText: turn }).first();
  await expect(one).toBeVisible();
  const { target, message } = await one.evaluate((record) => {
    const [target, message] = [...record.querySelectorAll(".record-text > *")].map((part) => part.textContent ?? "");
    return { target, message };
  });
  expect(target).toMatch(/^anteroom::/);
  for (const part of [target.toUpperCase(), message.toLowerCase(), `turn=${turn}`, turn.slice(4, 20)]) {
    await page.getByTestId("log-text").fill(part);
    await expect(one, part).toBeVisible();
  }
  // Two parts do not make one.
  await page.getByTestId("log-text").fill(target.slice(-4) + message.slice(0, 4));
  await expect(records).toHaveCount(0);
  await page.getByTestId("log-text").fill(turn);
  await page.getByTestId("log-level").selectOption("warn");
  await expect(records).toHaveCount(0);
  await page.getByTestId("log-level").selectOption("trace");
  await expect(one).toBeVisible();
  await page.getByTestId("log-text").fill("");
  // By the reader's clock, which is 5:45 ahead.
  const time = one.locator("time");
  const at = Number(await time.getAttribute("data-at"));
  const there = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Kathmandu", timeStyle: "medium" }).format(at);
  await expect(time).toHaveText(there);
  const told = page.getByTestId("told").getByRole("listitem");
  await expect(told.locator("time").first()).toHaveText(/^\d\d:\d\d:\d\d$/);

  const atEnd = () => log.evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight < 24);
  await log.evaluate((log) => (log.style.maxHeight = "5rem"));
  await page.getByTestId("log-follow").uncheck();
  await page.getByTestId("log-follow").check();
  await expect.poll(atEnd).toBe(true);
  await log.evaluate((log) => (log.scrollTop = 0));
  await expect(page.getByTestId("log-follow")).not.toBeChecked();
  const other = await visit(page.context(), site.url);
  await send(other, "five");
  await expectState(other, "done");
  await page.bringToFront();
  await expect(told).toHaveCount(5);
  expect(await log.evaluate((log) => log.scrollTop)).toBe(0);
  await page.getByTestId("log-follow").check();
  await expect.poll(atEnd).toBe(true);
});

test("a tab is drawn in the language of its page, whatever is chosen elsewhere meanwhile", async ({ start }) => {
  const site = await start();
  const page = await site.person({ locale: "en-GB" });
  await page.goto(`${site.url}/stats`);
  await awake(page);
  await expect(page.getByRole("heading", { name: "Limits" })).toBeVisible();
  const other = await visit(page.context(), `${site.url}/stats`);
  await other.getByTestId("language-ru").click();
  await expect(other.locator("html")).toHaveAttribute("lang", "ru");
  await expect(other.getByRole("heading", { name: "Пределы" })).toBeVisible();
  // The first page's feed is a new one, and its cookie says another language by now.
  await page.bringToFront();
  await page.context().setOffline(true);
  await expect(page.getByTestId("offline")).toBeVisible();
  await page.context().setOffline(false);
  await expect(page.getByTestId("offline")).toBeHidden();
  await drawnAgain(page);
  await expect(page.getByRole("heading", { name: "Limits" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Пределы" })).toHaveCount(0);
});

test("what only the tabs need comes with the first of them, and before anything of it is shown", async ({ start }) => {
  const site = await start();
  const context = await site.context();
  const page = await context.newPage();
  const asked: string[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    asked.push(pathname.replace(/\.[0-9a-f]{16}\./, "."));
  });
  // How the figures look at the first moment that they are there.
  await page.addInitScript(() => {
    const looks: string[] = [];
    Object.assign(window, { looks });
    new MutationObserver(() => {
      const tiles = document.querySelector(".tiles");
      if (tiles) {
        looks.push(getComputedStyle(tiles).display);
      }
    }).observe(document, { subtree: true, childList: true });
  });
  await page.goto(site.url);
  await awake(page);
  expect(asked).toContain("/pkg/anteroom.css");
  expect(asked).not.toContain("/tabs.js");
  expect(asked).not.toContain("/pkg/tabs.css");
  await page.getByRole("navigation", { name: "Tabs" }).getByRole("link", { name: "Stats" }).click();
  await expect(page.getByTestId("stats-row").first()).toBeVisible();
  expect(asked.filter((path) => path === "/tabs.js")).toHaveLength(1);
  expect(asked.filter((path) => path === "/pkg/tabs.css")).toHaveLength(1);
  expect(await page.evaluate(() => (window as unknown as { looks: string[] }).looks[0])).toBe("flex");
  await page.getByRole("navigation", { name: "Tabs" }).getByRole("link", { name: "Logs" }).click();
  await expect(page.getByTestId("told")).toBeAttached();
  // What came last is there at once when one comes back.
  await page.goBack();
  await expect(page.getByTestId("stats-row").first()).toBeVisible();
  await expect(page.getByTestId("chart")).toHaveCount(6);
  expect(asked.filter((path) => path.includes("tabs"))).toHaveLength(2);
});

test("what draws the tabs did not get through: that is said, and they are there once it does", async ({ start }) => {
  const site = await start();
  const context = await site.context();
  const page = await context.newPage();
  await page.route(/tabs\.js/, (route) => route.abort());
  // What is drawn here does not change, so that it comes once.
  await page.goto(`${site.url}/logs`);
  await awake(page);
  await expect(page.locator("[data-aid=failed]")).toBeVisible();
  await page.unroute(/tabs\.js/);
  await expect(page.getByText("No message of this browser was answered since the server started.")).toBeVisible();
});
