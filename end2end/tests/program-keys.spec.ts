import type { Page } from "@playwright/test";
import { barriers } from "../support/axe.js";
import { type Site, expect, test } from "../support/site.js";

const KEY = "the-key-of-the-operator";
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true };

const start = { OPERATOR_KEY: KEY, KEY_REQUESTS_PER_MINUTE: "60" };

/** What the server says to a program with this key. */
async function me(site: Site, token: string): Promise<number> {
  const answer = await fetch(`${site.url}/api/v1/key`, { headers: { authorization: `Bearer ${token}` } });
  await answer.arrayBuffer();
  return answer.status;
}

const rows = (page: Page) => page.getByTestId("program-key");

for (const scripts of [true, false]) {
  test(`an operator makes a key, its program comes in, and is out once it is revoked: scripts ${scripts ? "on" : "off"}`, async ({ start: begin }) => {
    const site = await begin(start);
    const context = await site.context({ javaScriptEnabled: scripts, permissions: ["clipboard-read", "clipboard-write"] });
    const page = await context.newPage();
    // What looks for barriers is a script, too.
    const check = async (page: Page) => expect.soft(scripts ? await barriers(page) : []).toEqual([]);
    await page.goto(`${site.url}/operator?key=${KEY}`);
    await expect(page).toHaveURL(/\/stats$/);
    if (scripts) {
      await expect(page.getByTestId("program-keys-panel")).toContainText("No key lets a program in.");
      await page.getByTestId("program-keys-link").click();
    } else {
      await page.goto(`${site.url}/keys`);
    }
    await expect(page).toHaveURL(/\/keys$/);
    await expect(page.getByTestId("program-keys")).toBeAttached();
    await check(page);

    await page.getByTestId("program-key-name").fill("The nightly report");
    await page.getByTestId("program-key-lives").selectOption("7 d");
    await page.getByRole("checkbox", { name: /tasks/ }).uncheck();
    await page.getByTestId("program-key-make").click();
    const shown = page.getByTestId("program-key-token");
    await expect(shown).toBeVisible();
    const token = (await shown.textContent()) ?? "";
    expect(token).toMatch(/^anteroom_[0-9a-f]{32}_[0-9a-f]{64}$/);
    await check(page);
    await page.screenshot({ path: `test-results/looks/program-key-made-${scripts}.png` });
    const selected = () => page.evaluate(() => getSelection()?.toString());
    if (scripts) {
      await page.getByTestId("program-key-copy").click();
      await expect(page.getByRole("status")).toHaveText("It is copied.");
      expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(token);
    } else {
      await expect(page.getByTestId("program-key-copy")).toBeHidden();
      await shown.click();
      expect(await selected()).toBe(token);
    }
    await expect.poll(() => me(site, token)).toBe(200);

    await page.getByRole("link", { name: "All keys" }).click();
    await expect(rows(page)).toHaveCount(1);
    await expect(rows(page)).toContainText("chat, read");
    await expect(rows(page)).toContainText("Last used just now");
    await expect(rows(page)).toContainText("of 60");
    await expect(page.getByText(token)).toHaveCount(0);
    await page.screenshot({ path: `test-results/looks/program-keys-${scripts}.png` });

    // Rates of its own, without a new key.
    await page.getByTestId("program-key-rates").click();
    const rates = rows(page).getByTestId("program-key-requests");
    await expect(rates).toBeVisible();
    await check(page);
    await page.screenshot({ path: `test-results/looks/program-key-rates-${scripts}.png` });
    await rates.fill("500");
    await page.getByTestId("program-key-rates-set").click();
    await expect(rows(page)).toContainText("requests: 500; tokens: as the site");

    // The same name once more.
    await page.getByTestId("program-key-name").fill("The nightly report");
    await page.getByTestId("program-key-make").click();
    await expect(page.getByTestId("program-key-wrong")).toContainText("There is a key called The nightly report already.");
    await expect(page.getByTestId("program-key-name")).toHaveValue("The nightly report");
    await check(page);

    await page.getByTestId("program-key-revoke").click();
    await expect(page.getByTestId("program-key-revoke-really")).toBeVisible();
    await check(page);
    await page.getByTestId("program-key-revoke-really").click();
    await expect(page).toHaveURL(/\/keys$/);
    await expect(rows(page)).toHaveCount(0);
    await expect(page.getByTestId("program-keys-revoked")).toContainText("Revoked: 1");
    await expect.poll(() => me(site, token)).toBe(401);
  });
}

test("the keyboard makes and revokes a key, and whoever is no operator finds no such page", async ({ start: begin }) => {
  const site = await begin(start);
  const visitor = await site.person();
  expect((await visitor.goto(`${site.url}/keys`))?.status()).toBe(404);
  await expect(visitor.getByRole("heading")).toHaveText("There is no page here");

  const page = await (await site.context()).newPage();
  await page.goto(`${site.url}/operator?key=${KEY}`);
  await page.goto(`${site.url}/keys`);
  await page.getByTestId("program-key-name").focus();
  await page.keyboard.type("bot");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("program-key-token")).toBeVisible();
  await page.getByTestId("program-key-copy").focus();
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("program-key-copy")).toBeFocused();
  await page.getByRole("link", { name: "All keys" }).press("Enter");
  await page.getByTestId("program-key-revoke").press("Enter");
  await page.keyboard.press("Tab");
  await expect(page.getByTestId("program-key-revoke-really")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(rows(page)).toHaveCount(0);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`keys on a phone, in Russian: ${colorScheme}`, async ({ start: begin }) => {
    const site = await begin(start);
    const page = await (await site.context({ ...PHONE, colorScheme, locale: "ru" })).newPage();
    await page.goto(`${site.url}/operator?key=${KEY}`);
    await page.goto(`${site.url}/keys`);
    for (const name of ["Ночной отчёт", "a-name-that-is-as-long-as-it-may-be-and-has-no-place-where-it-could-be-broken-into-several-lines-xx"]) {
      await page.getByTestId("program-key-name").fill(name);
      await page.getByTestId("program-key-make").click();
      await expect(page.getByTestId("program-key-token")).toBeVisible();
      expect.soft(await barriers(page)).toEqual([]);
      await page.screenshot({ path: `test-results/looks/program-key-phone-${colorScheme}.png`, fullPage: true });
      await page.getByRole("link", { name: "Все ключи" }).click();
    }
    // What belongs to a key stands below each other, from one edge on.
    const rates = page.getByTestId("program-key-rates").first();
    await rates.click();
    const fields = [rates, ...["requests", "tokens", "rates-set"].map((field) => rows(page).first().getByTestId(`program-key-${field}`))];
    const edges = await Promise.all(fields.map(async (field) => (await field.boundingBox())?.x));
    expect(new Set(edges).size, `${edges}`).toBe(1);
    await rates.click();
    await page.getByTestId("program-key-revoke").first().click();
    expect.soft(await barriers(page)).toEqual([]);
    await page.screenshot({ path: `test-results/looks/program-keys-phone-${colorScheme}.png`, fullPage: true });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide).toBe(0);
    for (const button of await page.locator(".button:visible, summary:visible, input[type=checkbox]:visible").all()) {
      const label = await button.evaluate((element) => (element.closest("label") ?? element).getBoundingClientRect().height);
      expect(label).toBeGreaterThanOrEqual(44);
    }
  });
}
