import type { Page } from "@playwright/test";
import { barriers } from "../support/axe.js";
import { expectState, lastTurn, newChat, position, send } from "../support/chat.js";
import { ask } from "../support/occupy.js";
import { type Site, awake, expect, test } from "../support/site.js";

interface Heard {
  asked: number;
  notes: string[];
  knocks: number;
}

/** Stands in for what a headless browser has not: notifications, and something to hear. `answer` is what the person says when asked. */
async function listen(page: Page, answer: NotificationPermission): Promise<void> {
  await page.addInitScript((answer) => {
    const heard: Heard = { asked: 0, notes: [], knocks: 0 };
    class Note {
      static permission = localStorage.getItem("test/permission") ?? "default";
      static requestPermission(tell: (permission: string) => void) {
        heard.asked += 1;
        Note.permission = answer;
        localStorage.setItem("test/permission", answer);
        tell(answer);
        return Promise.resolve(answer);
      }
      constructor(title: string, options: NotificationOptions) {
        heard.notes.push(`${title}: ${options.body}`);
      }
      close() {}
    }
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (when) {
      heard.knocks += 1;
      start.call(this, when);
    };
    Object.assign(window, { heard, Notification: Note });
  }, answer);
  await page.reload();
  await awake(page);
}

const heard = (page: Page): Promise<Heard> => page.evaluate(() => (window as unknown as { heard: Heard }).heard);

/** Another tab comes in front of this page, or it comes back. */
async function hide(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (hidden ? "hidden" : "visible") });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  }, hidden);
}

const icon = (page: Page) => page.locator('link[rel="icon"]');
const button = (page: Page, which: "note" | "knock") => lastTurn(page).getByTestId(`call-${which}`);

async function behindTwo(site: Site, page: Page): Promise<void> {
  await site.model.set({ hold: true });
  for (const question of ["inside", "before"]) {
    await ask(site, question);
  }
  await send(page, "and I");
  await expect(position(page)).toHaveAttribute("data-position", "2");
}

test("a hidden tab tells when it is one's turn and when the answer is there, once somebody has asked for it", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
  const page = await site.person();
  await listen(page, "granted");
  await expect(icon(page)).toHaveAttribute("href", "/icon.svg");
  await behindTwo(site, page);
  expect((await heard(page)).asked, "nobody is asked before they ask").toBe(0);

  // The light behind the door in the tab rises with the place.
  const height = async () => Number((await icon(page).getAttribute("href"))?.match(/rect y='([\d.]+)'/)?.[1]);
  await expect(icon(page)).toHaveAttribute("href", /^data:image\/svg\+xml,/);
  const low = await height();
  await expect(button(page, "note")).toHaveAttribute("aria-pressed", "false");
  await button(page, "note").click();
  await expect(button(page, "note")).toHaveAttribute("aria-pressed", "true");
  expect((await heard(page)).asked).toBe(1);
  await page.screenshot({ path: "test-results/looks/call.png" });
  expect(await barriers(page)).toEqual([]);

  await hide(page, true);
  await site.model.release();
  await expect(position(page)).toHaveAttribute("data-position", "1");
  await expect.poll(height).toBeLessThan(low);
  const higher = await height();
  await site.model.release();
  await expect.poll(async () => (await heard(page)).notes).toEqual(["Anteroom: It is your turn: the answer is being written."]);
  await expect.poll(height).toBeLessThan(higher);
  await expect(page).toHaveTitle("Answering… · Anteroom");
  await site.model.set({ hold: false });
  await expect.poll(async () => (await heard(page)).notes.at(-1)).toBe("Anteroom: Your answer is there.");
  await expect(page).toHaveTitle("Answered · Anteroom");
  expect(await height(), "lit until somebody looks").toBeLessThan(higher);
  await hide(page, false);
  await expect(page).toHaveTitle("and I · Anteroom");
  await expect(icon(page)).toHaveAttribute("href", "/icon.svg");

  // The browser remembers, and whoever looks at the page is told nothing.
  await page.reload();
  await awake(page);
  await site.model.set({ hold: true });
  await ask(site, "inside once more");
  await newChat(page);
  await send(page, "mine again");
  await expect(button(page, "note")).toHaveAttribute("aria-pressed", "true");
  await site.model.set({ hold: false });
  await expectState(page, "done");
  expect(await heard(page)).toEqual({ asked: 0, notes: [], knocks: 0 });
});

test("whoever is refused reads so, and is not asked again by itself", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
  const page = await site.person();
  await listen(page, "denied");
  await behindTwo(site, page);
  await button(page, "note").click();
  await expect(lastTurn(page).getByText("does not let the page notify you")).toBeVisible();
  await expect(button(page, "note")).toHaveAttribute("aria-pressed", "false");
  await hide(page, true);
  await site.model.set({ hold: false });
  await expectState(page, "done");
  expect(await heard(page)).toEqual({ asked: 1, notes: [], knocks: 0 });
});

test("the knock is off until somebody turns it on, and then comes when it is one's turn", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
  const page = await site.person();
  await listen(page, "granted");
  await behindTwo(site, page);
  await expect(button(page, "knock")).toHaveAttribute("aria-pressed", "false");
  await button(page, "knock").click();
  await expect(button(page, "knock")).toHaveAttribute("aria-pressed", "true");
  // So that one knows what to listen for.
  expect((await heard(page)).knocks).toBe(2);
  await site.model.release();
  await expect(position(page)).toHaveAttribute("data-position", "1");
  expect((await heard(page)).knocks, "a step is no reason").toBe(2);
  await site.model.release();
  await expectState(page, "running");
  await expect.poll(async () => (await heard(page)).knocks).toBe(4);
  await site.model.set({ hold: false });
  await expectState(page, "done");
  expect(await heard(page)).toEqual({ asked: 0, notes: [], knocks: 4 });
});
