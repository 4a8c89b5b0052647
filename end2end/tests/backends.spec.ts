import { answer, expectState, lastTurn, position, send } from "../support/chat.js";
import { beyondLimit } from "../support/model.js";
import { expect, test } from "../support/site.js";

const gpu = { pool: "gpu", models: ["large"], limit: 1 };

test("a back end that dies before the first word is nobody's fault, and one that dies in the middle keeps the words", async ({ startPool }) => {
  const site = await startPool([
    { name: "one", ...gpu },
    { name: "two", ...gpu },
  ]);
  const page = await site.person();
  await site.backEnds.one.kill();
  for (const text of ["first", "second"]) {
    await send(page, `${text} [[gate=${text} after=3]]`);
    await expectState(page, "running");
    await site.backEnds.two.open(text);
    await expectState(page, "done");
    await expect(answer(page)).toContainText(`Answer to: ${text}`);
  }
  await send(page, "third [[gate=third after=3]]");
  await expectState(page, "running");
  await expect(answer(page)).not.toBeEmpty();
  await site.backEnds.two.kill();
  await expectState(page, "failed");
  await expect(answer(page)).not.toBeEmpty();
  await expect(lastTurn(page).getByRole("button", { name: /again|Retry/ })).toBeVisible();
});

test("while nothing is in service everybody waits in order, reads why, and is answered once it is back", async ({ startPool }) => {
  const site = await startPool([{ name: "one", ...gpu }]);
  await site.backEnds.one.kill();
  const people = [await site.person(), await site.person()];
  for (const [index, page] of people.entries()) {
    await send(page, `message ${index}`);
    await expectState(page, "waiting");
  }
  await expect(position(people[1])).toHaveAttribute("data-position", "2");
  for (const page of people) {
    await expect(lastTurn(page)).toContainText("The model server cannot be reached at the moment");
  }
  await people[0].screenshot({ path: "test-results/looks/backends-out.png" });
  await people[0].reload();
  await expect(lastTurn(people[0])).toContainText("The model server cannot be reached at the moment");
  await site.backEnds.one.revive();
  for (const page of people) {
    await expectState(page, "done");
  }
  const { requests } = await site.backEnds.one.record();
  expect(requests.map(({ question }) => question)).toEqual(["message 0", "message 1"]);
  expect(beyondLimit(await site.backEnds.one.record())).toBe(0);
});

test("an edit of the file of back ends changes the slots that are drawn, and starts who waits", async ({ startPool }) => {
  const site = await startPool([{ name: "one", ...gpu }]);
  await site.backEnds.one.set({ hold: true, limit: "none" });
  const people = [await site.person(), await site.person(), await site.person()];
  for (const page of people) {
    await send(page, "hold on");
  }
  await expect(position(people[2])).toHaveAttribute("data-position", "2");
  await expect(people[2].getByTestId("line")).toHaveAttribute("data-limit", "1");
  await site.writeBackEnds([{ name: "one", ...gpu, limit: 3 }]);
  for (const page of people) {
    await expectState(page, "running");
  }
  await expect(people[2].getByTestId("line")).toHaveAttribute("data-limit", "3");
  // A bad edit changes nothing.
  await site.writeBackEnds([{ name: "one", ...gpu, limit: 0 }]);
  await people[2].goto(`${site.url}/stats`);
  await expect(people[2].getByText(/backends\.toml/).first()).toBeVisible();
  await site.backEnds.one.set({ hold: false });
  for (const page of people.slice(0, 2)) {
    await expectState(page, "done");
  }
});
