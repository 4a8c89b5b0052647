import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { barriers } from "../support/axe.js";
import { composer, expectState, send } from "../support/chat.js";
import type { Settings } from "../support/server.js";
import { type Ends, expect, test } from "../support/site.js";

/** Settings with a server that has resources and prompts, `shop`, and one that ends at once, `broken`. */
async function servers(ends: Ends): Promise<Settings> {
  const folder = await mkdtemp(join(tmpdir(), "anteroom-sources-"));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "mcp.json");
  const program = join(import.meta.dirname, "../support/sources-server.mjs");
  const server = (...told: string[]) => ({ command: process.execPath, args: [program, ...told] });
  await writeFile(file, JSON.stringify({ mcpServers: { shop: server(), broken: server("broken") } }));
  return { MCP_FILE: file, DEFAULT_CONCURRENCY_LIMIT: "5" };
}

const chips = (page: Page) => page.getByTestId("attachment");
const sheet = (page: Page) => page.getByTestId("sources-sheet");
const attach = (page: Page) => page.getByRole("button", { name: "Attach files" });
const source = (page: Page, server: string) => sheet(page).locator(`[data-source=${server}]`);

async function unfold(page: Page, server: string): Promise<void> {
  await attach(page).click();
  const details = source(page, server);
  if ((await details.getAttribute("open")) === null) {
    await details.locator("summary").first().click();
  }
}

test("a resource of a server becomes a file of the message", async ({ start, ends }) => {
  const site = await start(await servers(ends));
  const page = await site.person();
  await composer(page).fill("What is the word?");
  await unfold(page, "shop");
  const handbook = source(page, "shop").getByRole("button", { name: /handbook/ });
  // As text: nothing of it is the page's.
  await expect(handbook).toContainText("The <b>handbook</b>");
  await expect(handbook).toContainText("How we work · text/markdown · 41 B");
  await page.screenshot({ path: "test-results/looks/sources.png" });
  expect.soft(await barriers(page)).toEqual([]);
  await handbook.click();
  await expect(sheet(page)).toBeHidden();
  await expect(composer(page)).toBeFocused();
  await expect(chips(page)).toHaveAttribute("data-state", "taken");
  await expect(chips(page)).toContainText("shop – handbook.md");

  await unfold(page, "shop");
  await source(page, "shop").getByRole("button", { name: /Logo/ }).click();
  await expect(chips(page).nth(1)).toHaveAttribute("data-state", "taken");
  await expect(chips(page).nth(1)).toContainText("shop – Logo.png");
  await expect(chips(page).nth(1).locator("img")).toBeVisible();

  await unfold(page, "shop");
  await source(page, "shop").getByText("An order").click();
  await source(page, "shop").getByLabel("number").fill("7");
  await page.keyboard.press("Enter");
  await expect(chips(page).nth(2)).toHaveAttribute("data-state", "taken");
  await expect(chips(page).nth(2)).toContainText("shop – An order.json");
  await page.screenshot({ path: "test-results/looks/sources-attached.png" });

  // What was typed meanwhile is as it was, and all of it is sent.
  await expect(composer(page)).toHaveValue("What is the word?");
  await composer(page).press("Enter");
  await expectState(page, "done");
  const asked = (await site.model.record()).requests.at(-1);
  expect(asked?.question).toContain("The secret word is heron.");
  expect(asked?.question).toContain('{"order": 7}');
  expect(asked?.images).toBe(1);
});

test("what cannot be had is said where it was asked for, and files of the device are a press away", async ({ start, ends }) => {
  const site = await start(await servers(ends));
  const page = await site.person();
  await unfold(page, "broken");
  await expect(source(page, "broken").getByRole("alert")).toHaveText("broken cannot be reached: it has ended by itself.");
  await source(page, "shop").locator("summary").first().click();
  const gone = source(page, "shop").getByRole("button", { name: "What is gone" });
  await gone.click();
  await expect(source(page, "shop").getByText("shop refuses: there is no such thing in the shop")).toBeVisible();
  await expect(gone).toBeFocused();
  await page.screenshot({ path: "test-results/looks/sources-failed.png" });
  expect.soft(await barriers(page)).toEqual([]);
  await expect(chips(page)).toHaveCount(0);

  const choosing = page.waitForEvent("filechooser");
  await sheet(page).getByRole("button", { name: "Files from this device" }).click();
  await (await choosing).setFiles({ name: "own.txt", mimeType: "text/plain", buffer: Buffer.from("mine") });
  await expect(chips(page)).toContainText("own.txt");
});

test("without such servers files are chosen at once", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  const choosing = page.waitForEvent("filechooser");
  await attach(page).click();
  await (await choosing).setFiles({ name: "own.txt", mimeType: "text/plain", buffer: Buffer.from("mine") });
  await expect(chips(page)).toHaveAttribute("data-state", "taken");
  await expect(sheet(page)).toHaveCount(0);
});

test("a prompt of a server is put into the message to be edited, and sends nothing", async ({ start, ends }) => {
  const site = await start(await servers(ends));
  const page = await site.person();
  await composer(page).fill("Before:");
  const prompts = page.getByTestId("prompts-sheet");
  const shop = prompts.locator("[data-source=shop]");
  await page.getByTestId("prompts").click();
  await shop.locator("summary").first().click();
  await shop.getByRole("button", { name: "Greet a customer" }).click();
  // What cannot be seen is not there either.
  await expect(composer(page)).toHaveValue("Before:\n\nGreet the customer.");
  await expect(composer(page)).toBeFocused();

  await composer(page).fill("");
  await page.getByTestId("prompts").click();
  await shop.getByText("Write an offer").click();
  const use = shop.getByRole("button", { name: "Put into the message" });
  await use.click();
  // It cannot do without.
  await expect(shop.getByLabel("customer")).toBeFocused();
  await shop.getByLabel("customer").fill("Ms Ng");
  await page.screenshot({ path: "test-results/looks/sources-prompt.png" });
  expect.soft(await barriers(page)).toEqual([]);
  await use.click();
  await expect(composer(page)).toHaveValue("Write an offer for Ms Ng, plainly.");
  await expect(prompts).toBeHidden();
  await expect(page.getByTestId("turn")).toHaveCount(0);
  // It is a draft as any other.
  await page.reload();
  await expect(composer(page)).toHaveValue("Write an offer for Ms Ng, plainly.");
  await send(page, "Hello");
  await expectState(page, "done");
  expect((await site.model.record()).requests).toHaveLength(1);
});

test("resources are attached on a phone, in the dark, in Russian", async ({ start, ends }) => {
  const site = await start(await servers(ends));
  const page = await site.person({ viewport: { width: 390, height: 844 }, colorScheme: "dark", locale: "ru", hasTouch: true });
  await page.getByRole("button", { name: "Приложить файлы" }).click();
  await source(page, "shop").locator("summary").first().click();
  const logo = source(page, "shop").getByRole("button", { name: /Logo/ });
  await expect(logo).toBeVisible();
  await source(page, "shop").getByText("An order").click();
  await page.screenshot({ path: "test-results/looks/sources-phone.png" });
  for (const target of [logo, source(page, "shop").locator("summary").first(), source(page, "shop").getByLabel("number")]) {
    expect((await target.boundingBox())?.height).toBeGreaterThanOrEqual(44);
  }
  await logo.click();
  await expect(chips(page)).toHaveAttribute("data-state", "taken");
});
