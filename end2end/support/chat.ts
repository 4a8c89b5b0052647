import { type Locator, type Page, expect } from "@playwright/test";

export const composer = (page: Page): Locator => page.getByTestId("composer");

/** The last turn of the open conversation. */
export const lastTurn = (page: Page): Locator => page.getByTestId("turn").last();

/** The answer of the last turn. */
export const answer = (page: Page): Locator => lastTurn(page).getByTestId("answer");

/** Where the last turn stands in the line. Hidden once it does not wait. */
export const position = (page: Page): Locator => lastTurn(page).getByTestId("position");

/** Sends a message with the keyboard, and resolves once the server has it. */
export async function send(page: Page, text: string): Promise<void> {
  const turns = await page.getByTestId("turn").count();
  await composer(page).fill(text);
  await composer(page).press("Enter");
  await expect(page.getByTestId("turn")).toHaveCount(turns + 1);
  await expect(page).toHaveURL(/\/c\//);
  // It has a place, or is past that.
  await expect(lastTurn(page).locator("[data-position]").or(lastTurn(page).and(page.locator(over)))).toBeVisible();
}

/** A turn that does not wait. */
const over = ["running", "done", "incomplete", "failed", "cancelled", "expired"].map((state) => `[data-state="${state}"]`).join(", ");

/** Where a turn is. */
export async function expectState(page: Page, state: string): Promise<void> {
  await expect(lastTurn(page)).toHaveAttribute("data-state", state);
}

/** Begins a new conversation. */
export async function newChat(page: Page): Promise<void> {
  await page.getByTestId("new-chat").click();
  await expect(page).toHaveURL(/:\d+\/$/);
  await expect(page.getByTestId("turn")).toHaveCount(0);
}

/** Has the page note every position that it shows from now on, by turn. What it has noted survives a reload. */
export async function notePositions(page: Page): Promise<void> {
  const note = () => {
    const look = () => {
      const noted = JSON.parse(sessionStorage.getItem("positions") ?? "{}");
      for (const shown of document.querySelectorAll<HTMLElement>("[data-turn] [data-position]")) {
        const turn = shown.closest<HTMLElement>("[data-turn]")?.dataset.turn ?? "";
        const positions: number[] = (noted[turn] ??= []);
        const now = Number(shown.dataset.position);
        if (positions.at(-1) !== now) {
          positions.push(now);
        }
      }
      sessionStorage.setItem("positions", JSON.stringify(noted));
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
  };
  await page.addInitScript(note);
  await page.evaluate(note);
}

/** What `notePositions` has noted: a list a turn, in the order in which they were shown. */
export async function notedPositions(page: Page): Promise<number[][]> {
  return Object.values(await page.evaluate(() => JSON.parse(sessionStorage.getItem("positions") ?? "{}")));
}

/** Text as a person reads it, whatever its markup. */
export async function words(locator: Locator): Promise<string> {
  return (await locator.innerText()).replace(/\s+/g, " ").trim();
}
