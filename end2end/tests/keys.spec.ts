import type { Page } from "@playwright/test";
import { barriers } from "../support/axe.js";
import { answer, composer, expectState, send } from "../support/chat.js";
import { awake, expect, test, visit } from "../support/site.js";

async function select(page: Page, selector: string): Promise<void> {
  await page.locator(selector).last().evaluate((element) => getSelection()?.selectAllChildren(element));
}

test("an answer that was cut off is marked, and goes on at a press", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await site.model.set({ finish: "length" });
  await send(page, "Tell me everything");
  await expectState(page, "incomplete");
  await expect(page.getByTestId("incomplete")).toBeVisible();
  await page.screenshot({ path: "test-results/looks/cut-off.png" });
  await site.model.set({ finish: "stop" });
  await page.getByTestId("continue").click();
  await expect(page.getByTestId("turn")).toHaveCount(2);
  await expectState(page, "done");
  await expect(page.locator(".message-text").last()).toHaveText("Continue where you left off.");
  await expect(page.getByTestId("continue")).toHaveCount(0);
});

test("Esc stops, the arrow edits, and a question mark shows the keys", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await site.model.set({ hold: true, after: 2 });
  await send(page, "Hold on");
  await expect(answer(page)).toContainText("Answer to");
  await composer(page).press("Escape");
  await expectState(page, "cancelled");
  await site.model.set({ hold: false });

  await expect(composer(page)).toHaveValue("");
  await composer(page).press("ArrowUp");
  await expect(page.getByTestId("editor")).toBeFocused();
  await expect(page.getByTestId("editor")).toHaveValue("Hold on");
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("editor")).toHaveCount(0);
  // With something typed the arrow moves in it.
  await composer(page).fill("typed");
  await composer(page).press("ArrowUp");
  await expect(page.getByTestId("editor")).toHaveCount(0);
  await composer(page).press("?");
  await expect(page.getByTestId("keys")).toHaveCount(0);

  await page.locator("#log").focus();
  await page.keyboard.press("?");
  await expect(page.getByTestId("keys")).toBeVisible();
  await expect(page.getByTestId("keys")).toContainText("Ctrl + K");
  await page.screenshot({ path: "test-results/looks/keys.png" });
  expect.soft(await barriers(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("keys")).toBeHidden();
  await expect(page.locator("#log")).toBeFocused();
  await page.getByTestId("show-keys").click();
  await expect(page.getByTestId("keys")).toBeVisible();
});

test("a passage is quoted in the composer, which stays a draft", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await site.model.set({ reply: "echo" });
  await send(page, "The first line.\n\nThe second line.");
  await expectState(page, "done");
  await composer(page).fill("About this:");
  await select(page, ".answer .block:first-child");
  await expect(page.getByTestId("quote")).toBeVisible();
  await page.screenshot({ path: "test-results/looks/quote.png" });
  await page.getByTestId("quote").click();
  await expect(composer(page)).toBeFocused();
  await expect(composer(page)).toHaveValue("About this:\n\n> The first line.\n\n");
  await expect(page.getByTestId("quote")).toHaveCount(0);
  await page.reload();
  await expect(composer(page)).toHaveValue(/^About this:\n\n> The first line\./);

  // By keyboard, with several lines.
  await composer(page).fill("");
  await page.locator("#log").focus();
  await select(page, ".answer");
  await page.keyboard.press(">");
  await expect(composer(page)).toHaveValue(/^> The first line\.\n>\n> The second line\.\n\n$/);
});

test("an answer tells on request when it was given, and how fast", async ({ start }) => {
  const site = await start();
  const page = await site.person({ timezoneId: "Asia/Tokyo" });
  await site.model.set({ tokens: 20, pace: "10ms" });
  await send(page, "When?");
  await expectState(page, "done");
  const more = page.getByTestId("turn-more");
  await expect(more.locator("time").first()).toBeHidden();
  await more.locator("summary").click();
  await expect(more.locator("time")).toHaveCount(3);
  const at = Number(await more.locator("time").first().getAttribute("data-at"));
  const shown = await more.locator("time").first().textContent();
  const tokyo = new Intl.DateTimeFormat("en", { hour: "numeric", minute: "2-digit", timeZone: "Asia/Tokyo" }).format(at);
  expect(shown).toContain(tokyo.split(":")[0]);
  await expect(more).toContainText(/\d tokens a second/);
  await page.screenshot({ path: "test-results/looks/turn-more.png" });
});

test("a thumb is kept, shown in every tab, taken back, and counted for the operator", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await send(page, "Is it any good?");
  await expectState(page, "done");
  const other = await visit(page.context(), page.url());
  await page.getByTestId("rate-bad").click();
  for (const tab of [page, other]) {
    await expect(tab.getByTestId("rate-bad")).toHaveAttribute("aria-pressed", "true");
  }
  await expect(page.getByTestId("rate-bad")).toBeFocused();
  await page.getByTestId("rate-good").click();
  await expect(other.getByTestId("rate-good")).toHaveAttribute("aria-pressed", "true");
  await expect(other.getByTestId("rate-bad")).toHaveAttribute("aria-pressed", "false");
  await page.reload();
  await awake(page);
  await expect(page.getByTestId("rate-good")).toHaveAttribute("aria-pressed", "true");
  await page.screenshot({ path: "test-results/looks/thumbs.png" });
  await page.getByTestId("rate-good").click();
  await expect(page.getByTestId("rate-good")).toHaveAttribute("aria-pressed", "false");
  const metrics = await (await page.request.get(`${site.url}/metrics`)).text();
  expect(metrics).toContain('anteroom_ratings_total{rating="good"} 1');
  expect(metrics).toContain('anteroom_ratings_total{rating="bad"} 1');
  await other.goto(`${site.url}/stats`);
  await expect(other.locator(".tile", { hasText: "Good : bad answers" })).toContainText("1 : 1");
});

test("a place in the line is not lost by one press of Esc", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
  await site.model.set({ hold: true });
  const other = await site.person();
  await send(other, "holds the slot");
  await expectState(other, "running");
  const page = await site.person();
  await send(page, "waits");
  await expectState(page, "waiting");
  await composer(page).pressSequentially("typed on");
  await composer(page).press("Escape");
  const warning = page.getByRole("alert").filter({ hasText: "Esc once more" });
  await expect(warning).toBeVisible();
  const [told, typedIn] = await Promise.all([warning.boundingBox(), page.locator("#composer").boundingBox()]);
  expect(told && typedIn && told.y + told.height <= typedIn.y, "it hides nothing that is typed").toBe(true);
  // Held down, it is one press.
  await composer(page).evaluate((box) => box.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true, repeat: true })));
  // What is typed goes on.
  await composer(page).pressSequentially(" and on");
  await expect(composer(page)).toHaveValue("typed on and on");
  expect.soft(await barriers(page)).toEqual([]);
  await expectState(page, "waiting");
  await expect(warning).toBeHidden({ timeout: 15_000 });
  // The press before has been forgotten.
  await composer(page).press("Escape");
  await expect(warning).toBeVisible();
  await expectState(page, "waiting");
  await composer(page).press("Escape");
  await expectState(page, "cancelled");
  await expect(warning).toBeHidden();
  await expect(composer(page)).toBeFocused();
  await expect(composer(page)).toHaveValue("typed on and on");
});
