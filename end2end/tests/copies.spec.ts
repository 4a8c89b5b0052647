import { readFile } from "node:fs/promises";
import type { Locator, Page } from "@playwright/test";
import { barriers } from "../support/axe.js";
import { answer, expectState, newChat, send } from "../support/chat.js";
import { awake, expect, test } from "../support/site.js";

const rows = (page: Page): Locator => page.getByTestId("conversation");
const messages = (page: Page): Locator => page.locator(".message-text");

async function answered(page: Page, text: string): Promise<void> {
  await send(page, text);
  await expectState(page, "done");
}

test("a branch is a new conversation with everything up to there", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  for (const text of ["first question", "second question", "third question"]) {
    await answered(page, text);
  }
  const from = page.url();
  await page.getByTestId("branch").nth(1).click();
  await expect(page).not.toHaveURL(from);
  await awake(page);
  await expect(messages(page)).toHaveText(["first question", "second question"]);
  await expect(answer(page)).toContainText("Answer to: second question");
  await expect(rows(page)).toHaveCount(2);
  // It goes its own way, and the model is told what came before.
  await answered(page, "another way");
  await expect(messages(page)).toHaveText(["first question", "second question", "another way"]);
  const told = (await site.model.record()).requests.at(-1);
  expect(told?.messages).toBe(5);
  await page.goto(from);
  await expect(messages(page)).toHaveText(["first question", "second question", "third question"]);
});

test("a conversation that was saved as JSON comes back, with its versions", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await answered(page, "What is kept?");
  await page.getByTestId("regenerate").click();
  await expect(page.getByTestId("versions")).toHaveText(/2 \/ 2/);
  await expectState(page, "done");
  await rows(page).hover();
  await page.getByTestId("conversation-more").click();
  const saving = page.waitForEvent("download");
  await page.getByTestId("export-json").click();
  const saved = await (await saving).path();

  // Somebody else's browser takes it in.
  const other = await site.person();
  await other.goto(`${site.url}/data`);
  await awake(other);
  await other.screenshot({ path: "test-results/looks/import.png" });
  expect.soft(await barriers(other)).toEqual([]);
  await other.getByTestId("import").setInputFiles({ name: "x.json", mimeType: "application/json", buffer: Buffer.from("{}") });
  await expect(other.locator("#import-failed")).toBeVisible();
  await other.getByTestId("import").setInputFiles({ name: "x.json", mimeType: "application/json", buffer: await readFile(saved) });
  await expect(other).toHaveURL(/\/c\//);
  await awake(other);
  await expect(messages(other)).toHaveText(["What is kept?"]);
  await expect(other.getByTestId("versions")).toHaveText(/2 \/ 2/);
  await expect(answer(other)).toContainText("Answer to: What is kept?");
  await expect(rows(other)).toHaveCount(1);
});

test("nothing but a page's own script begins a branch or takes a file in", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await answered(page, "mine");
  const turn = await page.getByTestId("turn").getAttribute("data-turn");
  const post = (path: string, headers: Record<string, string>) => page.request.post(`${site.url}${path}`, { headers: { origin: site.url, ...headers } });
  expect((await post(`/branch/${turn}`, {})).status()).toBe(403);
  expect((await post("/import", {})).status()).toBe(403);
  const stranger = await site.person();
  const theirs = await stranger.request.post(`${site.url}/branch/${turn}`, { headers: { origin: site.url, "x-asked-by": "page" } });
  expect(theirs.status()).toBe(404);
});

test("the list has days, short titles, and a menu that takes no room", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await answered(page, "## Plan the **garden**. Then we go on with `soil.rs` and more of it");
  await expect(rows(page).locator(".conversation-title")).toHaveText("Plan the garden");
  await expect(page.locator(".list-day")).toHaveText(["Today"]);
  await newChat(page);
  await answered(page, "Another one that is here");
  await expect(page.locator(".list-day")).toHaveText(["Today"]);
  await expect(page.locator(".conversations li").first().locator(".list-day")).toHaveCount(1);
  const width = () => rows(page).first().evaluate((row) => row.clientWidth / (row.closest("li")?.clientWidth ?? 1));
  expect(await width()).toBeGreaterThan(0.99);
  await page.screenshot({ path: "test-results/looks/list.png" });
});

test("search goes to the place, marks it, and works by keyboard", async ({ start }) => {
  test.setTimeout(240_000);
  const site = await start({ QUEUE_MAX_WAITING_PER_SESSION: "none" });
  const page = await site.person();
  await answered(page, "This is how it begins.\n\nThe very first word was Rhododendron");
  const conversation = page.url().split("/").pop();
  for (let number = 1; number < 40; number++) {
    const request = { turn: crypto.randomUUID(), conversation, text: `turn ${number}`, files: [] };
    const sent = () => page.request.post(`${site.url}/api/send`, { headers: { origin: site.url }, data: { request } });
    await expect.poll(async () => (await sent()).status(), { intervals: [20] }).toBe(200);
  }
  await site.model.until("all to be answered", (record) => record.requests.length === 40 && record.now === 0);
  await page.goto(site.url);
  await awake(page);

  await page.keyboard.press("Control+k");
  await page.keyboard.type("rhododendron");
  await expect(page.getByTestId("hit")).toHaveCount(1);
  await page.keyboard.press("ArrowDown");
  await expect(page.getByTestId("hit")).toBeFocused();
  await page.keyboard.press("ArrowUp");
  await expect(page.getByTestId("search")).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  // It is forty turns up: it comes, is in sight, has the keyboard, and is marked.
  const first = page.getByTestId("turn").first();
  await expect(first.locator(".message-text")).toContainText("The very first word was Rhododendron");
  await expect(first).toBeInViewport();
  await expect(first).toBeFocused();
  const marked = () => page.evaluate(() => [...(CSS.highlights.get("found") ?? [])].map((range) => range.toString()));
  await expect.poll(marked).toContain("Rhododendron");
  await page.screenshot({ path: "test-results/looks/found.png" });
});

test("search finds what is only in a version that is not shown, and shows it", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await answered(page, "About flowers.\n\nabout Chrysanthemum");
  await messages(page).hover();
  await page.getByTestId("edit").click();
  await page.getByTestId("editor").fill("about tulips");
  await page.getByTestId("editor").press("Enter");
  await expect(messages(page)).toHaveText(["about tulips"]);
  await expectState(page, "done");
  await page.getByTestId("search").fill("chrysanthemum");
  await expect(page.getByTestId("hit")).toHaveCount(1);
  await page.getByTestId("search").press("Enter");
  await expect(messages(page)).toContainText(["about Chrysanthemum"]);
  await expect(page.getByTestId("turn")).toBeFocused();
});
