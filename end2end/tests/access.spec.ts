import { answer, composer, expectState, lastTurn, position, send } from "../support/chat.js";
import { barriers } from "../support/axe.js";
import { awake, expect, test } from "../support/site.js";

const SCREENS = [
  { screen: "desktop", viewport: { width: 1280, height: 800 } },
  { screen: "phone", viewport: { width: 390, height: 844 }, hasTouch: true },
];

/** Code and a table that are wider than any screen. */
const WIDE = [
  "[[reply=echo]]",
  "```rust",
  `let wide = "${"long ".repeat(60)}";`,
  "```",
  "",
  `| ${"a column | ".repeat(20)}`,
  `| ${"--- | ".repeat(20)}`,
  `| ${"without_a_break | ".repeat(20)}`,
].join("\n");

for (const { screen, ...device } of SCREENS) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`nothing stands in anybody's way: ${screen}, ${colorScheme}`, async ({ start }) => {
      test.setTimeout(240_000);
      const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
      const page = await site.person({ ...device, colorScheme });
      const look = async (name: string) => {
        await page.evaluate(() => {
          const passing = document.getAnimations().filter((one) => one.effect?.getTiming().iterations !== Infinity);
          return Promise.all(passing.map((one) => one.finished.catch(() => {})));
        });
        await page.screenshot({ path: `test-results/access/${screen}-${colorScheme}-${name}.png` });
        expect.soft(await barriers(page), name).toEqual([]);
      };
      await look("empty");

      await composer(page).fill(WIDE);
      await composer(page).press("Enter");
      await expectState(page, "done");
      for (const wide of [answer(page).locator("pre"), answer(page).locator(".table-wrap")]) {
        expect(await wide.evaluate((element) => element.scrollWidth > element.clientWidth)).toBe(true);
        await wide.focus();
        await page.keyboard.press("ArrowRight");
        await expect.poll(() => wide.evaluate((element) => element.scrollLeft)).toBeGreaterThan(0);
      }
      await look("answered");

      await site.model.set({ hold: true });
      const other = await site.person();
      await send(other, "holds the slot");
      await send(page, "waits");
      await expect(position(page)).toBeVisible();
      await look("waiting");
      await site.model.set({ hold: false });
      await expectState(other, "done");
      await expectState(page, "done");
      await site.model.set({ tokens: 60, gate: "look", after: 20 });
      await send(page, "streams");
      await expect(answer(page)).toContainText("word19");
      await look("streaming");
      await site.model.open("look");
      await expectState(page, "done");

      await composer(page).fill("with a file that is too large");
      await page.route("**/files?*", (route) => route.abort());
      await page.getByTestId("attach").setInputFiles([
        { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("notes") },
        { name: "film.mkv", mimeType: "video/x-matroska", buffer: Buffer.alloc(25_000_000) },
      ]);
      await expect(page.getByTestId("attachment").last()).toHaveAttribute("data-state", "failed");
      await expect(page.getByTestId("attachment").first()).toHaveAttribute("data-state", "failed");
      await look("failed-attachments");
      for (const name of ["notes.txt", "film.mkv"]) {
        await page.getByRole("button", { name: `Remove ${name}` }).click();
      }
      await page.context().setOffline(true);
      await expect(page.getByTestId("offline")).toBeVisible();
      await look("disconnected");
      await composer(page).fill("Which of these queues is fair?");
      await composer(page).press("Enter");
      await expectState(page, "unsent");
      await look("unsent");
      await page.context().setOffline(false);
      await expectState(page, "done");
      await page.route("**/api/send", (route) => route.fulfill({ status: 400, body: JSON.stringify({ reason: { code: "told", sentence: "This message is not taken." } }) }));
      await composer(page).fill("refused");
      await composer(page).press("Enter");
      await expectState(page, "refused");
      await look("refused");
      await lastTurn(page).getByTestId("unsent-discard").click();
      await page.unroute("**/api/send");

      for (const [address, ready] of [["stats", "stats-row"], ["logs", "log-record"], ["data", "forget"]] as const) {
        await page.goto(`${site.url}/${address}`);
        await awake(page);
        await expect(page.getByTestId(ready).first()).toBeAttached();
        await look(address);
      }
      await page.goto(site.url);
      await awake(page);
      await page.context().setOffline(true);
      await expect(page.getByTestId("offline")).toBeVisible();
      await composer(page).fill("What is fair about a line?");
      await look("start-disconnected");
      await composer(page).press("Enter");
      await expectState(page, "unsent");
      await look("start-unsent");
    });
  }
}
