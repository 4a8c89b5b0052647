import type { Page } from "@playwright/test";
import { composer, expectState, position, send } from "../support/chat.js";
import { queueUp } from "../support/occupy.js";
import { awake, expect, test } from "../support/site.js";

/** A screen of 1280 by 1024 at 400 %. */
const ZOOMED = { width: 320, height: 256 };

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

async function box(page: Page, selector: string): Promise<Box> {
  const found = await page.locator(selector).boundingBox();
  if (found === null) {
    throw new Error(`${selector} is not shown`);
  }
  return found;
}

/** How much two boxes have in common, in pixels of height. */
const common = (one: Box, other: Box) => Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);

/** What is below the lower edge of what scrolls, in pixels. */
const below = (page: Page, selector: string) =>
  page.locator(selector).evaluate((one) => one.scrollHeight - one.scrollTop - one.clientHeight);

test("at 400 % there is room to read, and nothing lies on what is written", async ({ start }) => {
  const site = await start();
  const page = await site.person({ viewport: ZOOMED });
  await page.screenshot({ path: "test-results/zoom/welcome.png" });
  await site.model.set({ tokens: 400 });
  await send(page, "A long answer, please.");
  await expectState(page, "done");
  await page.screenshot({ path: "test-results/zoom/answered.png" });
  // Five lines at least.
  expect((await box(page, "#log")).height).toBeGreaterThanOrEqual(128);
  await expect.poll(() => below(page, "#log")).toBeLessThanOrEqual(1);

  // A draft of many lines: its end is in sight, and that of the answer, too.
  await composer(page).fill(Array.from({ length: 30 }, (_, line) => `line ${line}`).join("\n"));
  await composer(page).press("ControlOrMeta+End");
  await composer(page).pressSequentially(" goes on");
  await expect.poll(() => below(page, "#message")).toBeLessThanOrEqual(12);
  await expect.poll(() => below(page, "#log")).toBeLessThanOrEqual(1);
  await page.screenshot({ path: "test-results/zoom/draft.png" });
  // Two lines are still read.
  expect((await box(page, "#log")).height).toBeGreaterThanOrEqual(52);

  await page.locator("#log").evaluate((log) => log.scrollTo(0, 0));
  await expect(page.locator(".to-end")).toBeVisible();
  await page.screenshot({ path: "test-results/zoom/further-up.png" });
  for (const other of [".composer", ".header"]) {
    expect(common(await box(page, ".to-end"), await box(page, other)), other).toBeLessThanOrEqual(0);
  }
  await page.getByRole("button", { name: "Jump to the latest" }).click();
  await expect.poll(() => below(page, "#log")).toBeLessThanOrEqual(1);

  for (const address of ["stats", "logs", "data"]) {
    await page.goto(`${site.url}/${address}`);
    await awake(page);
    await page.screenshot({ path: `test-results/zoom/${address}.png` });
    const { height } = await box(page, ".page");
    expect(height, address).toBeGreaterThanOrEqual(192);
    expect(await page.evaluate(() => document.documentElement.scrollWidth), address).toBeLessThanOrEqual(320);
  }
});

for (const locale of ["en-GB", "ru-RU"]) {
  test(`at 400 % a message that waits leaves the composer one row, and is read: ${locale}`, async ({ start }) => {
    const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
    await queueUp(site, 3);
    const page = await site.person({ viewport: ZOOMED, locale });
    await send(page, "Which of these queues is fair?");
    await expect(position(page)).toHaveAttribute("data-position", "3");
    const look = async (name: string) => {
      await page.evaluate(() => {
        const passing = document.getAnimations().filter((one) => one.effect?.getTiming().iterations !== Infinity);
        return Promise.all(passing.map((one) => one.finished.catch(() => {})));
      });
      await page.screenshot({ path: `test-results/zoom/${name}-${locale}.png` });
      // Everything that the composer has stands beside each other.
      const field = await box(page, "#message");
      const parts = await page.locator(".composer-bar > :is(button, .picker)").all();
      expect(parts.length, name).toBeGreaterThanOrEqual(5);
      for (const part of parts) {
        const { x, y, width, height } = (await part.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
        const middle = y + height / 2;
        expect(middle > field.y && middle < field.y + field.height, `${name}: ${await part.getAttribute("data-testid")} beside the field`).toBe(true);
        expect(x >= field.x + field.width - 1 && x + width <= ZOOMED.width, name).toBe(true);
        expect(Math.min(width, height), name).toBeGreaterThanOrEqual(24);
      }
      // A dozen letters, and five lines to read.
      expect(field.width, name).toBeGreaterThanOrEqual(104);
      expect((await box(page, "#log")).height, name).toBeGreaterThanOrEqual(128);
      expect(await page.evaluate(() => document.documentElement.scrollWidth), name).toBeLessThanOrEqual(ZOOMED.width);
    };
    await look("waiting");
    // The place and the way out are in sight without scrolling.
    const log = await box(page, "#log");
    for (const part of [".waiting .line", ".position", ".waiting [data-testid=cancel]"]) {
      const { y, height } = await box(page, part);
      expect(y >= log.y && y + height <= log.y + log.height, `${part} is in sight`).toBe(true);
    }
    await composer(page).fill("And how long does it take?");
    await composer(page).press("Enter");
    await expect(page.getByTestId("follow-up")).toHaveCount(1);
    await look("behind");
    await page.getByTestId("behind-edit").click();
    await expect(page.getByTestId("editor")).toBeFocused();
    await look("behind-editing");
    const [editor, save] = [await box(page, "[data-testid=editor]"), await box(page, "[data-testid=editor-send]")];
    const room = await box(page, "#log");
    expect(editor.y >= room.y && save.y + save.height <= room.y + room.height, "what is edited, and the way to keep it").toBe(true);
  });
}

for (const locale of ["en-GB", "ru-RU"]) {
  test(`the header of a phone is one row, and cuts no figure: ${locale}`, async ({ start }) => {
    const site = await start({ CHAT_CONCURRENCY_LIMIT: "4" });
    await queueUp(site, 16);
    const page = await site.person({ locale });
    // The start page has the figures below, and the header its picture alone.
    await page.goto(`${site.url}/data`);
    await awake(page);
    await expect(page.getByTestId("line")).toHaveAttribute("data-waiting", "12");
    for (const [width, height] of [[320, 568], [360, 740], [390, 844], [600, 960], [844, 390]]) {
      await page.setViewportSize({ width, height });
      const header = await box(page, ".header");
      expect(header.height, `${width}`).toBeLessThanOrEqual(60);
      const shown = await page.locator(".line-waiting").evaluate((waiting) => {
        const words = document.createRange();
        words.selectNodeContents(waiting);
        const [word] = words.getClientRects();
        const frames = [waiting.closest(".line-text"), waiting.closest(".line-summary"), waiting.closest(".header")];
        return frames.every((frame) => {
          const around = frame?.getBoundingClientRect();
          return around && word && word.left >= around.left - 1 && word.right <= around.right + 1 && word.top >= around.top - 1 && word.bottom <= around.bottom + 1;
        });
      });
      expect(shown, `the figure at ${width}`).toBe(true);
      expect(await page.evaluate(() => document.documentElement.scrollWidth), `${width}`).toBeLessThanOrEqual(width);
      await page.screenshot({ path: `test-results/zoom/header-${locale}-${width}.png` });
    }
    // What left the header is in the drawer.
    await page.setViewportSize({ width: 390, height: 844 });
    await page.locator(".header button").first().click();
    await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {}))));
    await page.screenshot({ path: `test-results/zoom/drawer-${locale}.png` });
    await page.locator(".sidebar .tab").nth(1).click();
    await expect(page).toHaveURL(/\/stats$/);
    await expect(page.locator(".sidebar")).toBeHidden();
  });
}

test("forced colours show the edge of every button", async ({ start }) => {
  const site = await start();
  const page = await site.person({ viewport: { width: 390, height: 844 }, hasTouch: true });
  await page.emulateMedia({ forcedColors: "active" });
  /** The buttons that are shown and have no edge. */
  const without = () =>
    page.evaluate(() => {
      const all = [...document.querySelectorAll<HTMLElement>("button, .button, .tab, select, input:not([type=hidden], [type=checkbox], [type=range])")];
      const shown = all.filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.classList.contains("visually-hidden"));
      return shown
        .filter((one) => {
          const { borderTopWidth, borderTopStyle, borderTopColor } = getComputedStyle(one);
          return borderTopStyle === "none" || Number.parseFloat(borderTopWidth) < 1 || /^rgba\(.*, 0\)$/.test(borderTopColor);
        })
        .map((one) => one.outerHTML.slice(0, 80));
    });
  const look = async (name: string) => {
    await page.screenshot({ path: `test-results/zoom/forced-${name}.png` });
    expect(await without(), name).toEqual([]);
  };
  await look("welcome");
  await site.model.set({ tokens: 40, gate: "look", after: 20, reply: "words" });
  await send(page, "streams");
  await expectState(page, "running");
  await look("running");
  await site.model.open("look");
  await expectState(page, "done");
  await site.model.set({ reply: "markdown" });
  await send(page, "code");
  await expectState(page, "done");
  await look("answered");
  await page.getByTestId("attach").setInputFiles([{ name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("a") }]);
  await expect(page.getByTestId("attachment")).toHaveAttribute("data-state", "taken");
  await look("attachment");
  await page.getByRole("button", { name: "Conversations", exact: true }).click();
  await look("drawer");
});
