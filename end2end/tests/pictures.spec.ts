// The pictures of `docs/page.md`: taken anew where `UPDATE_PICTURES=1` is set.
import { readFile, readdir, stat } from "node:fs/promises";
import { answer, composer, expectState, lastTurn, position, send } from "../support/chat.js";
import { ask, queueUp } from "../support/occupy.js";
import { hold, picture, settled, wanted } from "../support/picture.js";
import { type Site, awake, expect, test } from "../support/site.js";

/** Most that they may be together, in bytes: whoever clones the repository gets all of them. */
const MOST = 600_000;

test("the pictures of the page are there, shown and small", async () => {
  const folder = new URL("../../docs/", import.meta.url);
  const document = await readFile(new URL("page.md", folder), "utf8");
  const shown = [...document.matchAll(/pictures\/([\w-]+\.webp)/g)].map(([, name]) => name);
  const there = await readdir(new URL("pictures/", folder));
  expect(there.sort()).toEqual([...new Set(shown)].sort());
  const sizes = await Promise.all(there.map(async (name) => (await stat(new URL(`pictures/${name}`, folder))).size));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MOST);
});

const DESKTOP = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true };
/** A screen of 1280 by 1024 at 400 %. */
const ZOOMED = { viewport: { width: 320, height: 256 }, deviceScaleFactor: 4 };

const ASKED = "pictures are taken only when they are asked for";
const QUESTION = "Which of these queues is fair, and why does it matter to us?";

/** Four answers have been given, both slots are busy and so many people wait. */
async function busy(site: Site, waiting: number): Promise<void> {
  await site.model.set({ first_token: 9000, reply: "markdown" });
  for (const question of ["one", "two", "three", "four"]) {
    await ask(site, question);
  }
  await site.model.until("four answers", ({ requests }) => requests.filter(({ ended }) => ended !== null).length === 4);
  await site.model.set({ first_token: 0, after: 0 });
  await queueUp(site, waiting + 2);
  await site.model.until("both slots", ({ now }) => now === 2);
}

/** What `docs/page.md` shows of a phone, one theme each. */
const OF_A_PHONE = ["waiting-phone-light", "moment-phone-dark", "receipt-phone-light"];

for (const [screen, device, colorScheme] of [["desktop", DESKTOP, "light"], ["desktop", DESKTOP, "dark"], ["phone", PHONE, "light"], ["phone", PHONE, "dark"]] as const) {
  test(`the wait, its moment and its receipt: ${screen}, ${colorScheme}`, async ({ start }) => {
    test.skip(!wanted, ASKED);
    test.setTimeout(240_000);
    const site = await start({ CHAT_CONCURRENCY_LIMIT: "2" });
    await busy(site, 4);
    const page = await site.person({ ...device, colorScheme });
    const look = async (what: string) => {
      const name = `${what}-${screen}-${colorScheme}`;
      await settled(page);
      await page.screenshot({ path: `test-results/pictures/${name}.png` });
      if (screen === "desktop" || OF_A_PHONE.includes(name)) {
        await picture(page, name);
      }
    };
    await page.clock.install();
    await page.reload();
    await awake(page);
    await send(page, QUESTION);
    await expect(position(page)).toHaveAttribute("data-position", "5");
    await look("waiting");

    for (const place of [4, 3, 2, 1]) {
      await site.model.release();
      await expect(position(page)).toHaveAttribute("data-position", String(place));
    }
    await settled(page);
    // The page's clock stands still, and so does the moment.
    await page.clock.pauseAt(Date.now() + 500);
    await site.model.release();
    const opening = lastTurn(page).getByTestId("opening");
    await expect(opening).toBeVisible();
    await hold(opening, screen === "desktop" ? 110 : 300);
    await look("moment");
    await page.clock.resume();
    await site.model.set({ hold: false });
    await expectState(page, "done");
    const receipt = lastTurn(page).getByTestId("receipt");
    await receipt.locator("summary").click();
    await page.locator("#log").evaluate((log) => log.scrollTo(0, log.scrollHeight));
    await look("receipt");
  });
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`a screen at 400 %: ${colorScheme}`, async ({ start }) => {
    test.skip(!wanted, ASKED);
    const site = await start({ CHAT_CONCURRENCY_LIMIT: "2" });
    await busy(site, 4);
    const page = await site.person({ ...ZOOMED, colorScheme });
    await send(page, QUESTION);
    await expect(position(page)).toHaveAttribute("data-position", "5");
    await composer(page).fill("And how long");
    await settled(page);
    await picture(page, `zoomed-${colorScheme}`);
    await site.model.set({ hold: false });
    await expectState(page, "done");
  });
}

test("on paper", async ({ start }) => {
  test.skip(!wanted, ASKED);
  const site = await start();
  const page = await site.person({ viewport: { width: 794, height: 1123 } });
  await site.model.set({ reply: "markdown" });
  await send(page, "What can you do with Markdown?");
  await expectState(page, "done");
  await expect(answer(page)).toContainText("fibonacci");
  await page.emulateMedia({ media: "print" });
  await settled(page);
  await picture(page, "print", { clip: { x: 0, y: 0, width: 794, height: 1123 }, fullPage: true });
});
