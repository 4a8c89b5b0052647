import { answer, composer, expectState, position, send, words } from "../support/chat.js";
import { expect, test } from "../support/site.js";

/** Marks the page, so that a reload by hand (or by itself) would be seen. */
const mark = (page: import("@playwright/test").Page) => page.evaluate(() => (document.body.dataset.same = "yes"));
const isSame = (page: import("@playwright/test").Page) => expect(page.locator("body")).toHaveAttribute("data-same", "yes");

for (const end of ["kill", "halt"] as const) {
  test(`who waits is back in place after a ${end}, on the same page`, async ({ start }) => {
    const site = await start({ CHAT_CONCURRENCY_LIMIT: "1", QUEUE_ABANDON_AFTER: "none" });
    await site.model.set({ hold: true });
    const [running, first, second] = [await site.person(), await site.person(), await site.person()];
    await send(running, "runs");
    await expectState(running, "running");
    await expect(answer(running)).toContainText("Answer to: runs");
    await send(first, "waits first");
    await send(second, "waits second");
    await expect(position(second)).toHaveAttribute("data-position", "2");
    await composer(second).fill("half a thought");
    for (const page of [running, first, second]) {
      await mark(page);
    }

    await site.server[end]();
    await expect(second.getByTestId("offline")).toBeVisible();
    await site.server.restart();

    await expect(second.getByTestId("offline")).toBeHidden();
    await expect(position(first)).toHaveAttribute("data-position", "1");
    await expect(position(second)).toHaveAttribute("data-position", "2");
    await expect(composer(second)).toHaveValue("half a thought");
    // What ran runs again, and its half answer does not stand beside the new one.
    await expectState(running, "running");
    await site.model.set({ hold: false });
    for (const [page, question] of [[running, "runs"], [first, "waits first"], [second, "waits second"]] as const) {
      await expectState(page, "done");
      expect((await words(answer(page))).split("Answer to:").length, "one answer").toBe(2);
      await expect(answer(page)).toContainText(`Answer to: ${question}`);
      await expect(page.getByTestId("turn")).toHaveCount(1);
      await isSame(page);
    }
    const begun = (await site.model.record()).requests.map((request) => request.question);
    expect(begun).toEqual(["runs", "runs", "waits first", "waits second"]);
  });
}

test("an answer that streams when the server is killed is there once, whole, on the same page", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await send(page, "[[tokens=40 gate=middle after=20]] a story");
  await expect(answer(page)).toContainText("word19");
  await mark(page);
  await site.server.kill();
  await site.server.restart();
  await expect.poll(async () => (await site.model.record()).requests.length).toBe(2);
  await site.model.open("middle");
  await expectState(page, "done");
  const numbered = Array.from({ length: 39 }, (_, index) => `word${index + 1}`);
  expect(await words(answer(page))).toBe(["Answer to: a story", ...numbered].join(" "));
  await isSame(page);
});
