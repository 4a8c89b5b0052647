import { barriers } from "../support/axe.js";
import { answer, composer, expectState, lastTurn, newChat, send } from "../support/chat.js";
import { give, ownServer, ownServers } from "../support/own.js";
import { awake, expect, test } from "../support/site.js";
import { expectSteps, steps } from "../support/tools.js";

const ASK = "use tool git__whose and use tool web__whose";

test("two people use one server with keys of their own and see nothing of each other's", async ({ start, ends }) => {
  const site = await start(await ownServers(ends));
  const [anna, boris] = [await site.person(), await site.person({ colorScheme: "dark" })];
  await send(anna, ASK);
  await expectState(anna, "done");
  await expectSteps(anna, []);
  // Both servers say what they want, with the way there.
  const notices = lastTurn(anna).getByTestId("turn-notice");
  await expect(notices).toHaveText([/^git wants a key of yours/, /^web wants a key of yours/]);
  await anna.screenshot({ path: "test-results/looks/own-wanted.png" });
  expect(await barriers(anna)).toEqual([]);
  const conversation = anna.url();
  await notices.first().getByRole("link").click();
  await expect(anna).toHaveURL(/\/data\/tools$/);
  expect(await barriers(anna)).toEqual([]);
  const token = ownServer(anna, "web").getByTestId("own-value");
  await expect(token).toHaveAttribute("type", "password");
  await expect(token).toHaveAttribute("autocomplete", "off");
  await expect(token).toHaveAccessibleName("A token that may read your repositories");
  await anna.screenshot({ path: "test-results/looks/own-page.png", fullPage: true });
  await give(anna, "git", ["anna", "annas-token"]);
  await give(anna, "web", ["annas-token"]);
  await expect(ownServer(anna, "web").getByTestId("own-state")).toContainText(/^Given on \d/);
  // The keyboard goes on where it was.
  await expect(anna).toHaveURL(/#own-web$/);
  expect(await anna.content()).not.toContain("annas-token");
  for (const value of await anna.getByTestId("own-value").all()) {
    await expect(value).toHaveValue("");
  }
  await anna.screenshot({ path: "test-results/looks/own-given.png", fullPage: true });

  // He finds the page by the one of his data.
  await boris.getByRole("link", { name: "Your data" }).click();
  await boris.screenshot({ path: "test-results/looks/own-data.png" });
  await boris.getByTestId("own-keys").click();
  await expect(boris).toHaveURL(/\/data\/tools$/);
  await expect(ownServer(boris, "web")).toHaveAttribute("data-state", "missing");
  await give(boris, "git", ["boris", "boriss-token"]);
  await give(boris, "web", ["boriss-token"]);
  await boris.screenshot({ path: "test-results/looks/own-dark.png", fullPage: true });
  expect(await barriers(boris)).toEqual([]);

  await anna.goto(conversation);
  await boris.goto(site.url);
  await Promise.all([awake(anna), awake(boris)]);
  await Promise.all([send(anna, ASK), send(boris, ASK)]);
  for (const [page, own, others] of [
    [anna, "anna", "boris"],
    [boris, "boris", "anna"],
  ] as const) {
    await expectState(page, "done");
    await expectSteps(page, ["done", "done"]);
    await expect(answer(page)).toContainText(`program of ${own}:${own}s-token`);
    await expect(answer(page)).toContainText(`address of ${own}s-token`);
    await expect(page.locator("body")).not.toContainText(`${others}s-token`);
    await expect(lastTurn(page).getByTestId("turn-notice")).toHaveCount(0);
  }

  // Removed, its tools are gone for one of them alone.
  await anna.goto(`${site.url}/data/tools`);
  await ownServer(anna, "git").getByTestId("own-remove").click();
  await expect(ownServer(anna, "git")).toHaveAttribute("data-state", "missing");
  await expect(ownServer(anna, "web")).toHaveAttribute("data-state", "given");
  await anna.goto(site.url);
  await awake(anna);
  await send(anna, ASK);
  await expectState(anna, "done");
  await expectSteps(anna, ["failed", "done"]);
  await expect(lastTurn(anna).getByTestId("turn-notice")).toHaveText(/^git wants a key of yours/);
  await newChat(boris);
  await send(boris, ASK);
  await expectState(boris, "done");
  await expectSteps(boris, ["done", "done"]);
  // Nothing of any key is in what the server has printed.
  expect(site.server.output()).not.toMatch(/annas-token|boriss-token/);
});

test("without scripts a key is given, used, refused and replaced, on a phone, in Russian", async ({ start, ends }) => {
  const site = await start(await ownServers(ends));
  const context = await site.context({
    javaScriptEnabled: false,
    viewport: { width: 390, height: 844 },
    locale: "ru",
  });
  const page = await context.newPage();
  await page.goto(`${site.url}/data`);
  await page.getByTestId("own-keys").click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Ваши ключи для инструментов");
  const web = ownServer(page, "web");
  for (const box of [web.getByTestId("own-value"), web.getByTestId("own-give")]) {
    expect((await box.boundingBox())?.height).toBeGreaterThanOrEqual(44);
  }
  await give(page, "web", ["an-old-token"]);
  await page.screenshot({ path: "test-results/plain/own-phone.png", fullPage: true });
  const ask = async () => {
    await page.goto(site.url);
    await composer(page).fill("use tool web__whose");
    await page.getByTestId("send").click();
    await expect(page).toHaveURL(/\/c\//);
    await expectState(page, "done");
  };
  await ask();
  await expectSteps(page, []);
  const refused = page.getByTestId("turn-notice").filter({ hasText: "не принимает ваш ключ" });
  await page.screenshot({ path: "test-results/plain/own-refused-phone.png", fullPage: true });
  await refused.getByRole("link", { name: "Дать ключ" }).click();
  await expect(ownServer(page, "web")).toHaveAttribute("data-state", "refused");
  await page.screenshot({ path: "test-results/plain/own-state-phone.png", fullPage: true });
  // Enter gives it, too.
  await web.getByTestId("own-value").fill("a-new-token");
  await web.getByTestId("own-value").press("Enter");
  await expect(web).toHaveAttribute("data-state", "given");
  await ask();
  await expectSteps(page, ["done"]);
  await expect(answer(page)).toContainText("address of a-new-token");
  await expect(steps(page)).toHaveCount(1);
});

test("where no server wants a key, nothing leads to the page", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await page.getByRole("link", { name: "Your data" }).click();
  await expect(page.getByTestId("data")).toBeVisible();
  await expect(page.getByTestId("own-keys")).toBeHidden();
  await page.goto(`${site.url}/data/tools`);
  await expect(page.getByText("No server of tools here wants a key of yours.")).toBeVisible();
});
