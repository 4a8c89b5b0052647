import type { BrowserContextOptions, Page } from "@playwright/test";
import { barriers } from "../support/axe.js";
import { expectState, send } from "../support/chat.js";
import { type Site, awake, expect, test } from "../support/site.js";

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true };

/** Makes a link by the menu of the open conversation, and returns it. */
async function make(page: Page, how: (page: Page) => Promise<void>): Promise<string> {
  await page.getByTestId("conversation").first().hover();
  await page.getByTestId("conversation-more").first().click();
  await page.getByTestId("along").click();
  await expect(page).toHaveURL(/\/along$/);
  expect.soft(await barriers(page)).toEqual([]);
  await how(page);
  await expect(page.getByTestId("along-code")).toBeVisible();
  expect.soft(await barriers(page)).toEqual([]);
  return page.getByTestId("along-address").inputValue();
}

/** Another device, which has never been here. */
async function phone(site: Site, options: BrowserContextOptions = {}): Promise<Page> {
  return (await site.context({ ...PHONE, ...options })).newPage();
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`a phone watches the answer of a computer until the link is revoked: ${colorScheme}`, async ({ start }) => {
    const site = await start();
    const page = await site.person({ colorScheme });
    await send(page, "story [[tokens=60 gate=middle after=20]]");
    await expectState(page, "running");
    const conversation = page.url();
    const link = await make(page, async (page) => page.getByTestId("along-watch").click());
    await page.screenshot({ path: `test-results/looks/along-${colorScheme}.png` });

    const guest = await phone(site, { colorScheme });
    await guest.goto(link);
    expect.soft(await barriers(guest)).toEqual([]);
    await guest.getByTestId("along-open").click();
    await expect(guest).toHaveURL(/\/along\/[0-9a-f-]{36}$/);
    await expect(guest.getByTestId("answer")).toContainText("word15");
    expect.soft(await barriers(guest)).toEqual([]);
    await guest.screenshot({ path: `test-results/looks/along-watched-${colorScheme}.png` });
    await site.model.open("middle");
    await expect(guest.getByTestId("answer")).toContainText("word59");
    await expect(guest.getByTestId("along-line")).toHaveAttribute("data-state", "done");

    // Nobody else opens it.
    const late = await phone(site);
    await late.goto(link);
    await expect(late.getByTestId("along-open")).toHaveCount(0);

    await page.goto(conversation);
    await awake(page);
    const another = await make(page, async (page) => {
      await page.getByTestId("along-revoke").first().click();
      await expect(page.getByTestId("along-revoke")).toHaveCount(0);
      await page.getByTestId("along-watch").click();
    });
    expect(another).not.toBe(link);
    await expect(guest.locator("#along-state")).toBeVisible();
    await expect(guest.getByTestId("turn")).toHaveCount(0);
    await guest.reload();
    await expect(guest.getByTestId("turn")).toHaveCount(0);
  });
}

test("a session moves to a phone, and both are the same person", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await send(page, "Whose am I?");
  await expectState(page, "done");
  const link = await make(page, async (page) => {
    await page.locator("summary").click();
    await page.getByRole("checkbox").check();
    await page.getByTestId("along-move").click();
  });
  const other = await phone(site);
  await other.goto(link);
  await other.getByRole("checkbox").check();
  await other.getByTestId("along-open").click();
  await expect(other).toHaveURL(/\/c\//);
  await expect(other.locator(".message-text")).toHaveText("Whose am I?");
});
