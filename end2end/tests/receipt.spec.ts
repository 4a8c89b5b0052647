import { expectState, lastTurn, newChat, position, send, words } from "../support/chat.js";
import { awake, expect, test } from "../support/site.js";

test("below an answer that was waited for stands what the wait was like, and its way for whoever asks", async ({ start }) => {
  test.setTimeout(180_000);
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
  await site.model.set({ hold: true });
  const inside = await site.person();
  await send(inside, "inside");
  const busy = await site.person();
  for (let number = 1; number <= 4; number++) {
    if (number > 1) {
      await newChat(busy);
    }
    await send(busy, `burst ${number}`);
    await expect(position(busy)).toHaveAttribute("data-position", String(number));
  }
  const page = await site.person();
  const came = Date.now();
  await send(page, "and I");
  await expect(position(page)).toHaveAttribute("data-position", "2");
  await expect(lastTurn(page).getByTestId("why")).toHaveText(/^People take turns here, one message each a round/);
  // Of a shorter wait nothing is told.
  await expect.poll(() => Date.now() - came).toBeGreaterThan(2500);
  await site.model.release();
  await expect(position(page)).toHaveAttribute("data-position", "1");
  await expect(lastTurn(page).getByTestId("why")).toBeEmpty();
  await site.model.release();
  await expectState(page, "running");
  await site.model.set({ hold: false });
  await expectState(page, "done");

  const receipt = lastTurn(page).getByTestId("receipt");
  await expect(receipt.locator("summary")).toHaveText(/^Waited \d+(\.\d)? s · passed by nobody · a burst of 4 cost you one place$/);
  await expect(receipt.locator(".receipt-way")).toBeHidden();
  await receipt.locator("summary").click();
  await expect(receipt.locator(".receipt-way")).toBeVisible();
  expect(await words(receipt.locator("p"))).toMatch(/^From 2nd place to the door in \d/);
  await page.screenshot({ path: "test-results/looks/receipt.png" });

  // It belongs to the turn, whoever shows it next.
  await page.reload();
  await awake(page);
  await expect(receipt.locator("summary")).toHaveText(/passed by nobody · a burst of 4 cost you one place$/);
  // The rest of the burst let one go first who had come later.
  await expectState(busy, "done");
  await expect(lastTurn(busy).getByTestId("receipt").locator("summary")).toContainText("one who came later went first: it was their turn");
  // What began at once has none.
  await expect(inside.getByTestId("receipt")).toHaveCount(0);
});
