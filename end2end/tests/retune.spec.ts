import { expectState, newChat, notePositions, notedPositions, position, send } from "../support/chat.js";
import { awake, expect, test } from "../support/site.js";

test("an edit of .env from 2 to 4 starts two more at once, and the page sees its place fall", async ({ start }) => {
  test.setTimeout(180_000);
  const site = await start();
  await site.server.edit("CHAT_CONCURRENCY_LIMIT=2\n");
  const stats = await site.person();
  await stats.goto(`${site.url}/stats`);
  await awake(stats);
  const limit = stats.locator('[data-testid="setting"][data-name="CHAT_CONCURRENCY_LIMIT"]');
  await expect(limit).toContainText("2");
  await expect(stats.getByTestId("settings-changed")).toContainText("Last changed");

  await site.model.set({ hold: true });
  // Twelve messages of four browsers: two run, ten wait.
  const people = [];
  for (let at = 0; at < 4; at++) {
    const page = await site.person();
    for (let message = 0; message < 3; message++) {
      if (message > 0) {
        await newChat(page);
      }
      await send(page, `message ${message} of ${at}`);
    }
    people.push(page);
  }
  await site.model.until("two run", (record) => record.now === 2);
  const last = people[3];
  await expect(position(last)).toHaveAttribute("data-position", "10");
  await notePositions(last);

  await site.server.edit("CHAT_CONCURRENCY_LIMIT=4\n");
  await site.model.until("four run", (record) => record.now === 4);
  await expect(position(last)).toHaveAttribute("data-position", "8");
  expect((await notedPositions(last)).flat()).not.toContain(11);
  await expect(limit).toContainText("4");

  await site.server.edit("CHAT_CONCURRENCY_LIMIT=0\nCHAT_TIMEUOT=5\n");
  const bad = stats.getByTestId("bad-edit");
  await expect(bad).toContainText("did you mean CHAT_TIMEOUT");
  await expect(bad).toContainText("nothing has changed");
  await expect(limit).toContainText("4");
  await expect(position(last)).toHaveAttribute("data-position", "8");
  await site.server.edit("CHAT_CONCURRENCY_LIMIT=4\nSITE_ADDR=127.0.0.1:1\n");
  await expect(bad).toBeHidden();
  await expect(stats.locator('[data-testid="setting"][data-name="SITE_ADDR"]')).toContainText("environment wins");

  await site.model.set({ hold: false });
  for (const page of people) {
    await expectState(page, "done");
  }
  expect((await site.model.record()).max).toBe(4);
});
