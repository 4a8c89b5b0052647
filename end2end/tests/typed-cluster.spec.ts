import { composer, expectState, send } from "../support/chat.js";
import { awake, expect, test } from "../support/cluster.js";

// Three nodes, their database and nginx have to come up.
test.setTimeout(240_000);

test("what stands behind a message begins in its order, once, when the node is killed that had it", async ({ startCluster }) => {
  const cluster = await startCluster({ CHAT_CONCURRENCY_LIMIT: "1", QUEUE_ABANDON_AFTER: "none" });
  await cluster.model.set({ hold: true });
  const { page, home } = await cluster.personAtHome();
  await send(page, "first");
  await expectState(page, "running");
  const followUps = page.getByTestId("follow-up");
  for (const [at, text] of ["second", "third"].entries()) {
    await composer(page).fill(text);
    await composer(page).press("Enter");
    await expect(followUps).toHaveCount(at + 1);
    await expect(followUps.last()).toContainText(text);
  }
  await home.kill();
  await cluster.allConnected(1);
  await page.reload();
  await awake(page);
  await expectState(page, "running");
  await expect(followUps).toHaveCount(2);
  await cluster.model.set({ hold: false });
  await expect(page.getByTestId("turn")).toHaveCount(3);
  await expect(followUps).toHaveCount(0);
  await expectState(page, "done");
  const asked = (await cluster.model.record()).requests.map(({ question }) => question);
  expect(asked.filter((question) => question !== "first")).toEqual(["second", "third"]);
});
