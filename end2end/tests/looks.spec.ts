import { fileURLToPath } from "node:url";
import { barriers } from "../support/axe.js";
import { answer, expectState, newChat, position, send } from "../support/chat.js";
import { type Site, expect, test } from "../support/site.js";

const DESKTOP = { screen: "desktop", viewport: { width: 1280, height: 800 } };
const PHONE = { screen: "phone", viewport: { width: 390, height: 844 }, hasTouch: true };

const ENGLISH = { locale: "en-GB", tabs: "Tabs", stats: "Stats", logs: "Logs", list: "Conversations" };
const RUSSIAN = { locale: "ru-RU", tabs: "Вкладки", stats: "Статистика", logs: "Журнал", list: "Беседы" };

/** Russian words are longer: what holds them on a phone and in a table holds the others. */
const LOOKS = [
  { ...DESKTOP, colorScheme: "light", words: ENGLISH },
  { ...DESKTOP, colorScheme: "dark", words: RUSSIAN },
  { ...PHONE, colorScheme: "light", words: RUSSIAN },
  { ...PHONE, colorScheme: "dark", words: ENGLISH },
] as const;

/** The picture of the README. */
const SCREENSHOT = fileURLToPath(new URL("../../docs/screenshot.png", import.meta.url));

for (const { screen, colorScheme, words, ...device } of LOOKS) {
  test(`every view can be read: ${screen}, ${colorScheme}, ${words.locale}`, async ({ start }) => {
    test.setTimeout(240_000);
    const site = await start({ CHAT_CONCURRENCY_LIMIT: "2" });
    const faults: string[] = [];
    const page = await site.person({ ...device, colorScheme, locale: words.locale, serviceWorkers: "allow" });
    page.on("pageerror", (fault) => faults.push(fault.message));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        faults.push(message.text());
      }
    });
    await page.reload();
    await page.locator("html[data-awake]").waitFor({ state: "attached" });

    const look = async (name: string) => {
      // Moving marks and fading in are not what is looked at.
      await page.evaluate(() => {
        const passing = document.getAnimations().filter((one) => one.effect?.getTiming().iterations !== Infinity);
        return Promise.all(passing.map((one) => one.finished.catch(() => {})));
      });
      await page.screenshot({ path: `test-results/looks/${screen}-${colorScheme}-${name}.png` });
      const wide = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return scrollWidth - clientWidth;
      });
      expect(wide, `${name}: wider than the screen`).toBeLessThanOrEqual(0);
      // Closer and further apart, as the letters of another system's font may be.
      const cut = await page.evaluate(() => {
        const header = document.querySelector<HTMLElement>(".header");
        // What has wrapped to a row that is not shown is left out whole, not cut.
        const cutsWords = (one: HTMLElement) => {
          const words = document.createRange();
          words.selectNodeContents(one);
          const box = one.getBoundingClientRect();
          const shown = [...words.getClientRects()].filter((word) => word.width > 0 && word.top < box.bottom - 1 && word.bottom > box.top + 1);
          return shown.some((word) => word.right > box.right + 1 || word.left < box.left - 1);
        };
        const cutAt = (spacing: string) => {
          header?.style.setProperty("letter-spacing", spacing);
          const inside = [...document.querySelectorAll<HTMLElement>(".header *")];
          const clipping = inside.filter((one) => getComputedStyle(one).overflowX !== "visible" && !one.classList.contains("visually-hidden"));
          return clipping.filter(cutsWords).map((one) => `${spacing}: ${one.className}: ${one.textContent}`);
        };
        return ["-0.08em", "0.08em", "normal"].flatMap(cutAt);
      });
      expect.soft(cut, `${name}: cut off in the header`).toEqual([]);
      expect.soft(await barriers(page), name).toEqual([]);
    };

    await expect(page.locator(".welcome-line")).toBeVisible();
    await look("empty");

    await site.model.set({ reply: "markdown" });
    await send(page, "What can you do with Markdown?");
    await expectState(page, "done");
    await page.locator("#log").evaluate((log) => log.scrollTo(0, 0));
    await look("answer-top");
    await page.locator("#log").evaluate((log) => log.scrollTo(0, log.scrollHeight));
    await look("answer-end");

    await fillLine(site);
    await (screen === "phone" ? page.goto(site.url) : newChat(page));
    await page.locator("html[data-awake]").waitFor({ state: "attached" });
    await look("empty-busy");
    await send(page, "Which of these queues is fair, and why does it matter to us?");
    await expect(position(page)).toHaveAttribute("data-position", "5");
    await look("waiting");
    if (process.env.UPDATE_SCREENSHOT === "1" && screen === "desktop" && colorScheme === "light") {
      await page.screenshot({ path: SCREENSHOT });
    }

    await site.model.set({ hold: false, reply: "words" });
    await expectState(page, "done");
    await site.model.set({ tokens: 60, gate: "look", after: 40 });
    await send(page, "And how long does it take?");
    await expect(answer(page)).toContainText("word39");
    await look("streaming");
    await site.model.open("look");
    await expectState(page, "done");

    await site.model.set({ fault: "status:401" });
    await send(page, "And when it goes wrong?");
    await expectState(page, "failed");
    await look("failed");

    await site.model.set({ fault: "none" });
    await page.getByTestId("retry").click();
    await expectState(page, "done");
    await page.getByTestId("regenerate").click();
    await expect(page.getByTestId("versions").last()).toHaveText(/2 \/ 2/);
    await expectState(page, "done");
    await page.getByTestId("edit").last().click();
    await expect(page.getByTestId("editor")).toBeFocused();
    await look("editing");
    await page.keyboard.press("Escape");
    await look("versions");

    // On a phone they are in the drawer.
    const tab = async (name: string) => {
      if (screen === "phone") {
        await page.getByRole("button", { name: words.list, exact: true }).click();
      }
      await page.getByRole("navigation", { name: words.tabs }).getByRole("link", { name }).click();
    };
    await tab(words.stats);
    await expect(page.getByTestId("stats-row")).toHaveCount(5);
    await look("stats");
    // On a screen as wide as this, all columns are in sight.
    const hidden = await page.locator(".table-frame").evaluateAll((all) => all.map((one) => one.scrollWidth - one.clientWidth));
    expect(Math.max(...hidden), "columns out of sight").toBe(0);
    await tab(words.logs);
    await expect(page.getByTestId("told").getByRole("listitem").first()).toBeVisible();
    await look("logs-told");
    await page.getByTestId("logs-raw").click();
    await expect(page.getByRole("log").getByTestId("log-record").first()).toBeVisible();
    await look("logs");

    await page.goto(`${site.url}/data`);
    await page.locator("html[data-awake]").waitFor({ state: "attached" });
    await page.getByTestId("forget").click();
    await look("data");

    const drawer = async () => {
      if (screen === "phone") {
        await page.getByRole("button", { name: words.list, exact: true }).click();
      }
      await expect(page.getByTestId("conversation").first()).toBeVisible();
    };
    await drawer();
    await page.getByTestId("conversation").first().hover();
    await page.getByTestId("conversation-more").first().click();
    await look("conversations");
    await page.getByTestId("rename").click();
    await look("renaming");
    await page.keyboard.press("Escape");
    await page.getByTestId("search").fill("word1");
    await expect(page.getByTestId("hit").first()).toBeVisible();
    await look("search");
    await page.getByTestId("search").fill("");
    await page.getByTestId("conversation").first().hover();
    await page.getByTestId("conversation-more").first().click();
    await page.getByTestId("delete").click();
    await expect(page.getByTestId("deleted")).toBeVisible();
    await look("deleted");
    expect(faults).toEqual([]);
  });
}

/** Two are answered, four wait: people without a browser on the screen, by the door that pages without scripts use. */
async function fillLine(site: Site): Promise<void> {
  await site.model.set({ hold: true });
  for (let number = 1; number <= 6; number++) {
    const { request } = await site.context();
    await request.get(site.url, { headers: { accept: "text/html" } });
    const sent = await request.post(`${site.url}/api/send_form`, {
      form: { turn: crypto.randomUUID(), text: `question ${number}` },
      headers: { origin: site.url },
    });
    expect(sent.ok(), await sent.text()).toBe(true);
  }
}
