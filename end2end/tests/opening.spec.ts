import type { Page } from "@playwright/test";
import { answer, expectState, lastTurn, position, send } from "../support/chat.js";
import { ask } from "../support/occupy.js";
import { type Site, expect, test } from "../support/site.js";

/** What was seen of a door that opened. */
interface Seen {
  /** How many milliseconds the longest part of it takes, its delay included. */
  length: number;
  /** How far from the middle of its door the mark ended, in pixels. */
  off: number;
  doors: string[];
}

/** Notes each door that opens from now on. Its motion is looked at as it begins, and brought to its end. */
async function noteOpenings(page: Page): Promise<void> {
  await page.evaluate(() => {
    const seen: Seen[] = [];
    Object.assign(window, { seen });
    const look = () => {
      const opening = document.querySelector(".opening");
      const walker = opening?.querySelector(".walker");
      const way = walker?.getAnimations()[0];
      const door = opening?.querySelector(".door.lit:not(.other) .door-frame");
      if (!opening || !walker || !way || !door || opening.hasAttribute("data-noted")) {
        return;
      }
      opening.setAttribute("data-noted", "");
      // The lights behind the doors go on as before.
      const isLight = (part: Animation) => part.effect instanceof KeyframeEffect && part.effect.target?.matches(".door-light");
      const parts = opening.getAnimations({ subtree: true }).filter((part) => part instanceof CSSAnimation && !isLight(part));
      const ends = parts.map((part) => Number(part.effect?.getComputedTiming().endTime ?? 0));
      way.pause();
      way.currentTime = Number(way.effect?.getComputedTiming().endTime ?? 0) - 0.01;
      const middle = (box: DOMRect) => box.x + box.width / 2;
      seen.push({
        length: Math.max(...ends),
        off: Math.abs(middle(walker.getBoundingClientRect()) - middle(door.getBoundingClientRect())),
        doors: [...opening.querySelectorAll(".door")].map((one) => one.getAttribute("class") ?? ""),
      });
    };
    new MutationObserver(() => requestAnimationFrame(look)).observe(document, { subtree: true, childList: true, attributes: true });
  });
}

const seen = (page: Page): Promise<Seen[]> => page.evaluate(() => (window as unknown as { seen: Seen[] }).seen);

/** Two slots, both busy, and somebody who waits. */
async function waits(site: Site, page: Page): Promise<void> {
  // Before the first piece.
  await site.model.set({ hold: true, after: 0 });
  for (const question of ["inside", "inside too"]) {
    await ask(site, question);
  }
  await site.model.until("two requests", (record) => record.now === 2);
  await send(page, "and I");
  await expect(position(page)).toHaveAttribute("data-position", "1");
}

test("the mark goes to its own door, which opens, and the light becomes the caret: less than half a second", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "2" });
  const page = await site.person();
  await waits(site, page);
  await noteOpenings(page);
  await site.model.release();
  await expectState(page, "running");
  await expect.poll(async () => (await seen(page)).length).toBe(1);
  const [opening] = await seen(page);
  // The first one that was inside has gone: that is the door.
  expect(opening.doors).toEqual(["door busy lit", "door busy"]);
  expect(opening.off).toBeLessThan(4);
  expect(opening.length).toBeGreaterThan(0);
  expect(opening.length).toBeLessThan(500);
  await expect(lastTurn(page).getByTestId("opening")).toHaveCount(0);
  await expect(lastTurn(page).locator(".caret")).toBeVisible();
  await site.model.set({ hold: false });
  await expect(answer(page)).toContainText("Answer to: and I");

  // What begins at once opens no door.
  await send(page, "once more");
  await expectState(page, "done");
  expect(await seen(page)).toHaveLength(1);
});

test("where no motion is wanted, words say that the answer begins", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "2" });
  const page = await site.person({ reducedMotion: "reduce" });
  await waits(site, page);
  await noteOpenings(page);
  await site.model.release();
  await expectState(page, "running");
  await expect(lastTurn(page).locator(".caret")).toBeVisible();
  const words = lastTurn(page).getByText("The answer begins");
  expect((await words.boundingBox())?.width).toBeGreaterThan(50);
  await site.model.set({ hold: false });
  await expectState(page, "done");
  expect(await seen(page)).toEqual([]);
});
