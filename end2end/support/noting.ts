import type { Page } from "@playwright/test";

/** What tells people that something is wrong: notices, alerts, messages that did not get through, answers that broke off. */
const COMPLAINTS = [
  ".notice-bad",
  "[role=alert]",
  "[data-testid=notice]",
  "[data-testid=undelivered]",
  "[data-testid=incomplete]",
  "[data-testid=offline]",
].join(", ");

/** What a page has shown, however shortly. */
export interface Noted {
  /** What it complained of, each text once. */
  complaints: string[];
  /** The most times that an answer's beginning stood in one answer, by turn. */
  beginnings: { [turn: string]: number };
}

/** Has the page note what it shows from now on. What it has noted survives a reload. */
export async function noteAll(page: Page): Promise<void> {
  const note = (complaints: string) => {
    const look = () => {
      const noted: Noted = JSON.parse(sessionStorage.getItem("noted") ?? '{ "complaints": [], "beginnings": {} }');
      for (const shown of document.querySelectorAll<HTMLElement>(complaints)) {
        const text = `${shown.dataset.testid ?? shown.className}: ${shown.textContent}`;
        if (shown.textContent !== "" && !noted.complaints.includes(text)) {
          noted.complaints.push(text);
        }
      }
      for (const shown of document.querySelectorAll<HTMLElement>("[data-turn] [data-testid=answer]")) {
        const turn = shown.closest<HTMLElement>("[data-turn]")?.dataset.turn ?? "";
        const now = (shown.textContent ?? "").split("Answer to:").length - 1;
        noted.beginnings[turn] = Math.max(noted.beginnings[turn] ?? 0, now);
      }
      sessionStorage.setItem("noted", JSON.stringify(noted));
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  };
  await page.addInitScript(note, COMPLAINTS);
  await page.evaluate(note, COMPLAINTS);
}

/** What `noteAll` has noted. */
export async function noted(page: Page): Promise<Noted> {
  return page.evaluate(() => JSON.parse(sessionStorage.getItem("noted") ?? '{ "complaints": [], "beginnings": {} }'));
}

/** Resolves once the page has opened its feed anew, and has been told where its session stands. To be called before the feed is lost. */
export function comesBack(page: Page): Promise<void> {
  return new Promise((resolve) => {
    page.on("websocket", (socket) => {
      socket.on("framereceived", ({ payload }) => {
        if (payload.toString().startsWith('{"status"')) {
          resolve();
        }
      });
    });
  });
}
