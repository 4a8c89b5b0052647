import type { Page } from "@playwright/test";
import { answer, composer, expectState, lastTurn, position, send } from "../support/chat.js";
import { barriers } from "../support/axe.js";
import { awake, expect, test } from "../support/site.js";

const RUSSIAN = { locale: "ru-RU" };

/** What is read on a page, screen readers' words included, without what people and models wrote. */
async function words(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const own = "[data-testid=answer], .message-text, .conversation-title, .languages, textarea, .wordmark, script, style, code, .records";
    const read: string[] = [];
    const walk = (node: Node) => {
      if (node instanceof Element) {
        if (node.matches(own)) return;
        // To a page with scripts its inside is one text; others read what that makes.
        if (node.tagName === "NOSCRIPT") {
          walk(new DOMParser().parseFromString(node.textContent ?? "", "text/html").body);
          return;
        }
        for (const name of ["aria-label", "title", "placeholder", "data-label"]) {
          const value = node.getAttribute(name);
          if (value) read.push(value);
        }
      } else if (node.nodeType === Node.TEXT_NODE && node.textContent?.trim()) {
        read.push(node.textContent.trim());
      }
      node.childNodes.forEach(walk);
    };
    walk(document.body);
    return read;
  });
}

/** Words that are the same in every language: names, units and what an operator has written. */
const NAMES = /Anteroom|openai|Ctrl|Enter|Markdown|JSON|cookie|loopback@openai|loopback|chat|file_upload|stats_refresh|logs_refresh|tool|p\d\d|trace|debug|info|warn|error|[A-Z_]{3,}|\.env\b/g;

async function expectRussian(page: Page): Promise<void> {
  const english = (await words(page)).filter((text) => /[A-Za-z]{2,}/.test(text.replace(NAMES, "")));
  expect.soft(english, await page.title()).toEqual([]);
}

test("a Russian browser waits, is told its place, gets an answer and a fault in Russian", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1", MODEL_RETRIES: "0" });
  const page = await site.person(RUSSIAN);
  await expect(page.locator("html")).toHaveAttribute("lang", "ru");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Входите, есть свободное место.");
  await expect(page.getByTestId("line")).toContainText("никто не ждёт");
  await expectRussian(page);

  await site.model.set({ hold: true });
  const other = await site.person();
  await expect(other.locator("html")).toHaveAttribute("lang", "en");
  await send(other, "holds the slot");
  await send(page, "ждёт");
  await expect(position(page)).toContainText("Ваше место в очереди: 1 из 1");
  await expect(page).toHaveTitle("1-й в очереди · Anteroom");
  await expect(page.locator("[aria-live=polite][role=status].visually-hidden")).toContainText("Ваше место в очереди: 1 из 1");
  await expectRussian(page);
  expect(await barriers(page)).toEqual([]);

  await site.model.set({ hold: false });
  await expectState(page, "done");
  await expect(answer(page)).toContainText("Answer to: ждёт");
  await expect(lastTurn(page)).toContainText(/\d токен|ответ за/);
  await expectRussian(page);

  await send(page, "сбой [[fault=status:500]]");
  await expectState(page, "failed");
  await expect(lastTurn(page).getByRole("alert")).toContainText("На сервере модели произошёл сбой (статус 500)");
  await expectRussian(page);
  // The same from the store, and as the server renders it.
  await page.reload();
  await awake(page);
  await expect(lastTurn(page).getByRole("alert")).toContainText("На сервере модели произошёл сбой (статус 500)");

  for (const path of ["/stats", "/logs", "/data", "/c/nothing"]) {
    await page.goto(site.url + path);
    await awake(page);
    if (path === "/stats") {
      await expect(page.getByTestId("stats-row").first()).toBeVisible();
    }
    if (path === "/logs") {
      await page.getByTestId("logs-raw").click();
      await expect(page.getByTestId("log-record").first()).toBeVisible();
    }
    await expectRussian(page);
  }
});

test("choosing a language loses neither a place nor a draft, and is remembered", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
  await site.model.set({ hold: true });
  const [first, page] = [await site.person(), await site.person()];
  await send(first, "holds the slot");
  await send(page, "waits here");
  await expect(position(page)).toContainText("You are 1st of 1 in line");
  const address = page.url();
  await composer(page).fill("a draft that stays");

  await page.getByTestId("language-ru").click();
  await expect(page.locator("html")).toHaveAttribute("lang", "ru");
  await awake(page);
  expect(page.url()).toBe(address);
  await expect(position(page)).toContainText("Ваше место в очереди: 1 из 1");
  await expect(composer(page)).toHaveValue("a draft that stays");
  await expect(page.getByTestId("language-ru")).toHaveAttribute("aria-current", "true");
  // Another tab, another page, later: still so, though the browser asks for English.
  const later = await page.context().newPage();
  await later.goto(`${site.url}/stats`);
  await expect(later.getByRole("heading", { level: 1 })).toHaveText("Статистика");

  await site.model.set({ hold: false });
  await expectState(page, "done");
  await page.getByTestId("language-en").click();
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  await awake(page);
  await expect(answer(page)).toContainText("Answer to: waits here");
  await expect(composer(page)).toHaveValue("a draft that stays");
});

test("a browser is sent its own language alone, and the site has one for all others", async ({ start }) => {
  const site = await start({ LANGUAGE: "ru" });
  const sent: string[] = [];
  for (const locale of ["de-DE", "en-GB"]) {
    const context = await site.context({ locale });
    const page = await context.newPage();
    page.on("request", (request) => {
      if (request.url().endsWith(".json")) {
        sent.push(new URL(request.url()).pathname.replace(/\.[0-9a-f]{16}\./, "."));
      }
    });
    await page.goto(site.url);
    await awake(page);
  }
  expect(sent).toEqual(["/pkg/words-ru.json", "/pkg/words-en.json"]);
});

test("without JavaScript a language can be chosen too", async ({ start }) => {
  const site = await start();
  const context = await site.context({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${site.url}/data`);
  await page.getByTestId("language-ru").click();
  await expect(page).toHaveURL(`${site.url}/data`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Ваши данные");
  await page.goto(site.url);
  await composer(page).fill("   ");
  await page.getByTestId("send").click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Сообщение не отправлено");
  await expect(page.locator("main")).toContainText("Сначала напишите что-нибудь");
});
