import type { Page } from "@playwright/test";
import { barriers } from "../support/axe.js";
import { composer, expectState, lastTurn } from "../support/chat.js";
import { type Site, expect, test } from "../support/site.js";

/** Somebody whose browser runs no scripts. (Playwright finds no text within a `<noscript>`, but elements by their classes and roles.) */
async function plain(site: Site, viewport = { width: 1280, height: 800 }): Promise<Page> {
  const context = await site.context({ javaScriptEnabled: false, viewport });
  const page = await context.newPage();
  await page.goto(site.url);
  return page;
}

const manage = (page: Page) => page.locator(".plain-manage > summary");

async function say(page: Page, text: string): Promise<void> {
  await composer(page).fill(text);
  await page.getByTestId("send").click();
  await expect(page).toHaveURL(/\/c\//);
}

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

test("without scripts a message waits, is answered, and the page shows it by itself", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
  const [other, page] = [await plain(site), await plain(site)];
  await expect(page.locator(".plain-notice")).toContainText("Scripts are off in this browser.");
  await site.model.set({ hold: true });
  await say(other, "holds the slot");
  await expectState(other, "running");
  await say(page, "waits");
  await expectState(page, "waiting");
  await page.screenshot({ path: "test-results/plain/waiting.png" });
  await expect(button(page, "Cancel")).toBeVisible();
  await expect(composer(page)).toBeHidden();
  await site.model.set({ hold: false });
  // Nobody reloads it.
  await expectState(page, "done");
  await expect(composer(page)).toBeVisible();
  await page.screenshot({ path: "test-results/plain/answered.png" });
  await say(page, "and again");
  await expect(page.getByTestId("turn")).toHaveCount(2);
  await expectState(page, "done");
});

test("without scripts one cancels, stops and asks again", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
  const [other, page] = [await plain(site), await plain(site)];
  await site.model.set({ tokens: 40, gate: "more", after: 5 });
  await say(other, "streams");
  await expect(lastTurn(other).getByTestId("answer")).toContainText("word4");
  await say(page, "waits");
  await expectState(page, "waiting");
  await button(page, "Cancel").click();
  await expectState(page, "cancelled");
  await button(other, "Stop").click();
  await expectState(other, "cancelled");
  await expect(lastTurn(other).getByTestId("answer")).toContainText("word4");
  await site.model.open("more");
  await site.model.set({ tokens: 3 });
  await button(page, "Regenerate").click();
  await expectState(page, "done");
  await site.model.set({ fault: "status:401" });
  await say(page, "fails");
  await expectState(page, "failed");
  await site.model.set({ fault: "none" });
  await button(page, "Retry").click();
  await expectState(page, "done");
  await button(page, "Regenerate").click();
  await expectState(page, "done");
  await expect(page.getByTestId("versions").last()).toContainText("2 / 2");
});

for (const [screen, viewport] of [["desktop", { width: 1280, height: 800 }], ["phone", { width: 390, height: 844 }]] as const) {
  test(`without scripts a conversation is renamed and deleted, and all of it can be reached: ${screen}`, async ({ start }) => {
    const site = await start();
    const page = await plain(site, viewport);
    await say(page, "hello");
    await expectState(page, "done");
    await manage(page).click();
    await page.screenshot({ path: `test-results/plain/manage-${screen}.png` });
    // What cannot be used is not there.
    const dead = page.locator("button[type=button]:visible:not([popovertarget])");
    expect(await dead.evaluateAll((all) => all.map((one) => one.outerHTML))).toEqual([]);
    await page.getByRole("textbox", { name: "Title" }).fill("Mine <b>&amp;");
    await button(page, "Keep").click();
    await expect(page).toHaveTitle("Mine <b>&amp; · Anteroom");
    await manage(page).click();
    await button(page, "Delete").click();
    await expect(page).toHaveURL(/:\d+\/$/);
    await expect(page.getByTestId("conversation")).toHaveCount(0);
  });
}

test("the forms of pages without scripts are no barrier", async ({ start }) => {
  const site = await start();
  const page = await plain(site);
  await say(page, "hello");
  await expectState(page, "done");
  await manage(page).click();
  // axe is a script: the page's own are kept from it instead.
  const context = await site.context({ viewport: { width: 390, height: 844 } });
  await context.addCookies(await page.context().cookies());
  const looked = await context.newPage();
  await looked.route("**/pkg/*.js", (route) => route.abort());
  const html = await (await page.context().request.get(page.url(), { headers: { accept: "text/html" } })).text();
  const shown = html.replaceAll("<noscript>", "<div>").replaceAll("</noscript>", "</div>").replaceAll(/<script[^]*?<\/script>/g, "");
  await looked.route(page.url(), (route) => route.fulfill({ body: shown, contentType: "text/html" }));
  await looked.goto(page.url());
  expect(await barriers(looked)).toEqual([]);
});
