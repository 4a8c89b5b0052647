import { answer, expectState, lastTurn, send } from "../support/chat.js";
import { awake, expect, test } from "../support/site.js";
import { type Server, startAnteroom } from "../support/server.js";

let server: Server;

test.beforeAll(async () => {
  server = await startAnteroom({ MODEL: "demo@builtin", DEMO_FIRST_TOKEN: "0", DEMO_SPEED: "1000" });
});

test.afterAll(async () => {
  await server?.stop();
});

test("the demo model answers the starter questions, and says what it is", async ({ page }) => {
  await page.goto(server.url);
  await awake(page);
  await page.getByRole("button", { name: "How does the line work?" }).click();
  await expect(page).toHaveURL(/\/c\//);
  await expect(lastTurn(page)).toContainText("How does the line work?");
  await expectState(page, "done");
  await expect(answer(page)).toContainText(/demo/i);
  await expect(answer(page)).toContainText(/line/i);

  await page.getByTestId("new-chat").click();
  await page.getByRole("button", { name: "Which settings are in force?" }).click();
  await expectState(page, "done");
  await expect(answer(page)).toContainText("CHAT_CONCURRENCY_LIMIT");

  await send(page, "Show me some Markdown");
  await expectState(page, "done");
  await expect(answer(page).locator("table, pre, ul").first()).toBeVisible();
  await expect(page.getByTestId("conversation")).toHaveCount(2);
});
