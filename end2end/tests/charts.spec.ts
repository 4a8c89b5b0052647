import type { Page } from "@playwright/test";
import { barriers } from "../support/axe.js";
import { expectState, send } from "../support/chat.js";
import { awake, expect, test } from "../support/site.js";

const chart = (page: Page, title: string) => page.getByTestId("chart").filter({ has: page.getByRole("heading", { name: title, exact: true }) });

/** Words that are broken in the middle, though a line would hold them. */
const broken = (page: Page) =>
  page.locator(".page").evaluate((all) => {
    const found: string[] = [];
    const texts = document.createTreeWalker(all, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      const around = text.parentElement;
      // The heads of tables that are cards here are for screen readers alone.
      if (!around?.checkVisibility() || around.closest("code, .visually-hidden, thead")) {
        continue;
      }
      for (const word of text.textContent?.matchAll(/\p{L}{2,20}/gu) ?? []) {
        const range = document.createRange();
        range.setStart(text, word.index);
        range.setEnd(text, word.index + word[0].length);
        const lines = new Set([...range.getClientRects()].filter(({ width }) => width > 0).map(({ top }) => Math.round(top)));
        if (lines.size > 1) {
          found.push(word[0]);
        }
      }
    }
    return found;
  });

test("charts have axes and units, say their values to a pointer and to the keyboard, and outlast a restart", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await send(page, "hello");
  await expectState(page, "done");
  await page.goto(`${site.url}/stats`);
  await awake(page);
  const lines = chart(page, "In the line, at most");
  await expect(page.getByTestId("chart")).toHaveCount(6);
  await expect(lines.locator(".chart-axis")).toContainText("15 min ago");
  await expect(lines.locator(".chart-heights")).toContainText("2");
  await expect(chart(page, "Memory").locator(".chart-heights")).toContainText(/\d B|MB|GB/);

  const slider = lines.getByRole("slider", { name: "In the line, at most" });
  // A quarter of a minute that has just begun has no record yet, and gets none to be seen while somebody is at the chart.
  const recorded = /^\d\d:\d\d:\d\d · running \d+ · waiting 0$/;
  await expect(async () => {
    await slider.blur();
    await expect(slider).toHaveAttribute("aria-valuetext", recorded);
    await slider.focus();
    expect(await slider.getAttribute("aria-valuetext")).toMatch(recorded);
  }).toPass();
  const last = await slider.getAttribute("aria-valuetext");
  await page.keyboard.press("ArrowLeft");
  await expect(slider).not.toHaveAttribute("aria-valuetext", last ?? "");
  const shown = lines.locator(".chart-value");
  await expect(shown).toHaveText((await slider.getAttribute("aria-valuetext")) ?? "");
  await page.keyboard.press("Home");
  await expect(shown).toHaveText(/ · no record$/);
  // The pointer says what is below it.
  const field = await lines.locator(".chart-field").boundingBox();
  if (field === null) {
    throw new Error("no field");
  }
  await page.mouse.move(field.x + field.width - 2, field.y + field.height / 2);
  await expect(shown).toHaveText(/running/);

  await page.getByTestId("span").filter({ hasText: "7 days" }).click();
  await expect(lines.locator(".chart-axis")).toContainText("7 days ago");
  await expect(lines.getByRole("slider")).toHaveAttribute("max", "167");
  await expect(chart(page, "Wait by hour of the day, last 7 days").getByRole("slider")).toHaveAttribute("max", "23");

  // What has been kept of this minute is there after a restart.
  await site.server.restart();
  await page.reload();
  await awake(page);
  await page.getByTestId("span").filter({ hasText: "24 h" }).click();
  const rate = chart(page, "Ended a minute").getByRole("slider");
  await expect(rate).toHaveAttribute("data-values", /· 0\.1\b/);
  await expect(chart(page, "Wait by hour of the day, last 7 days").getByRole("slider")).toHaveAttribute("data-values", /\d\d:00 · [\d.]+ m?s/);
});

test("a chart that somebody has come to stays as it is, though a new one was asked for before that", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await page.goto(`${site.url}/stats`);
  await awake(page);
  await expect(page.getByTestId("chart")).toHaveCount(6);
  await page.evaluate(() => {
    const read = Response.prototype.json;
    Response.prototype.json = async function () {
      const told = await read.call(this);
      // Once whoever has asked has done with it.
      setTimeout(() => document.body.setAttribute("data-told", this.url));
      return told;
    };
  });
  let arrive = () => {};
  const gate = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const asked = page.waitForRequest("**/api/charts");
  await page.route("**/api/charts", async (route) => {
    const response = await route.fetch();
    await gate;
    await route.fulfill({ response });
  });
  await asked;
  const slider = chart(page, "In the line, at most").getByRole("slider");
  await slider.focus();
  arrive();
  await expect(page.locator("body")).toHaveAttribute("data-told", /api\/charts$/);
  await expect(slider).toBeFocused();
});

for (const [locale, colorScheme] of [["en-GB", "light"], ["ru-RU", "dark"]] as const) {
  test(`the stats can be read on a phone: ${locale}`, async ({ start }) => {
    const site = await start({ CHAT_CONCURRENCY_LIMIT: "2" });
    const page = await site.person({ viewport: { width: 390, height: 844 }, hasTouch: true, locale, colorScheme });
    await send(page, "hello");
    await expectState(page, "done");
    await page.goto(`${site.url}/stats`);
    await awake(page);
    await expect(page.getByTestId("chart")).toHaveCount(6);
    await expect(page.getByTestId("setting").first()).toBeAttached();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    expect(await broken(page)).toEqual([]);
    await page.locator(".page").evaluate((all) => {
      all.style.overflow = "visible";
      document.querySelectorAll<HTMLElement>(".frame, .content").forEach((one) => (one.style.height = "auto"));
    });
    await page.screenshot({ path: `test-results/charts/phone-${locale}.png`, fullPage: true });
    expect(await barriers(page)).toEqual([]);
  });
}
