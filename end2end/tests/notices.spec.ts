import { answer, expectState, lastTurn, newChat, position, send } from "../support/chat.js";
import { option, picker } from "../support/models.js";
import { expect, test } from "../support/site.js";

const large = { name: "rack", models: ["large"], limit: 1 };
const small = { name: "desk", models: ["small"], limit: 1 };
const notice = "turn-notice";

test("an answer of the fallback model says so", async ({ startPool }) => {
  const site = await startPool([large, small], { FALLBACK_MODEL: "small@desk" });
  await site.backEnds.rack.kill();
  const page = await site.person();
  await expect(picker(page)).toHaveAttribute("data-model", "large@rack");
  await send(page, "is anybody there?");
  await expectState(page, "done");
  await expect(answer(page)).toContainText("Answer to: is anybody there?");
  await expect(lastTurn(page).getByTestId(notice)).toContainText("small@desk");
  await page.reload();
  await expect(lastTurn(page).getByTestId(notice)).toContainText("small@desk");
  expect((await site.backEnds.desk.record()).requests).toHaveLength(1);
});

test("an answer that was kept says so, and takes no slot", async ({ start }) => {
  const site = await start({ ANSWER_CACHE_SIZE: "10MB", ANSWER_CACHE_ANY_TEMPERATURE: "true", CHAT_CONCURRENCY_LIMIT: "1" });
  const page = await site.person();
  await send(page, "the same question");
  await expectState(page, "done");
  await expect(lastTurn(page).getByTestId(notice)).toHaveCount(0);
  const said = await answer(page).innerHTML();
  // Somebody has the only slot.
  const other = await site.person();
  await send(other, "[[hold=true]] keeps the slot");
  await expectState(other, "running");
  await newChat(page);
  await send(page, "the same question");
  await expectState(page, "done");
  expect(await answer(page).innerHTML()).toBe(said);
  await expect(lastTurn(page).getByTestId(notice)).toHaveText("The same was asked before: this is the answer of then.");
  await site.model.set({ hold: false });
  await expectState(other, "done");
  expect((await site.model.record()).requests).toHaveLength(2);
});

test("what no longer fits into the model's context is left out, and the reader is told", async ({ startPool }) => {
  const site = await startPool([{ ...small, context: 2_000 }]);
  const page = await site.person();
  const long = "word ".repeat(900);
  for (const text of [`first ${long}`, `second ${long}`, "third"]) {
    await send(page, text);
    await expectState(page, "done");
  }
  await expect(lastTurn(page).getByTestId(notice)).toContainText("left out");
  await page.reload();
  await expect(lastTurn(page).getByTestId(notice)).toContainText("left out");
});

test("who waits for a model that is taken out reads so, and chooses another without sending again", async ({ startPool }) => {
  const site = await startPool([small, large]);
  await site.backEnds.rack.set({ hold: true });
  const holder = await site.person();
  const waits = await site.person();
  for (const page of [holder, waits]) {
    await picker(page).click();
    await option(page, "large@rack").click();
  }
  await send(holder, "holds the large one");
  await expectState(holder, "running");
  await send(waits, "waits for the large one");
  await expect(position(waits)).toHaveAttribute("data-position", "1");
  await site.writeBackEnds(site.plans.filter(({ name }) => name !== "rack"));
  await expect(lastTurn(waits)).toContainText("is not offered any more");
  // There is no such line any more, and another model's is not shown in its place.
  await expect(waits.getByTestId("line")).not.toHaveAttribute("data-waiting");
  await expect(waits.getByTestId("line")).not.toContainText("starts at once");
  await waits.screenshot({ path: "test-results/looks/model-gone.png" });
  await lastTurn(waits).getByRole("button", { name: "Choose another model" }).click();
  await option(waits, "small@desk").click();
  await expectState(waits, "done");
  await expect(answer(waits)).toContainText("Answer to: waits for the large one");
  expect((await site.backEnds.desk.record()).requests.map(({ question }) => question)).toEqual(["waits for the large one"]);
  // What had begun goes on to its end.
  await site.backEnds.rack.set({ hold: false });
  await expectState(holder, "done");
});
