import type { Page } from "@playwright/test";
import { composer, expectState, lastTurn } from "../support/chat.js";
import { barriers } from "../support/axe.js";
import { pdf, xlsx } from "../support/papers.js";
import { expect, test } from "../support/site.js";

const chips = (page: Page) => page.getByTestId("attachment");

async function attach(page: Page, name: string, buffer: Buffer): Promise<void> {
  await page.getByTestId("attach").setInputFiles({ name, mimeType: "application/octet-stream", buffer });
}

const REPORT = pdf(["The first word is tea.", "The last word is milk.", ""]);
const BUDGET = xlsx("Budget", [["Item", "Price"], ["Tea", "3.50"]]);

for (const [where, viewport, colorScheme] of [
  ["desktop", { width: 1280, height: 800 }, "light"],
  ["desktop", { width: 1280, height: 800 }, "dark"],
  ["phone", { width: 390, height: 844 }, "light"],
  ["phone", { width: 390, height: 844 }, "dark"],
] as const) {
  test(`a PDF and a spreadsheet are read, and one can see what of them: ${where}, ${colorScheme}`, async ({ start }) => {
    const site = await start();
    const page = await site.person({ viewport, colorScheme });
    await attach(page, "report.pdf", REPORT);
    await attach(page, "budget.xlsx", BUDGET);
    await expect(chips(page)).toHaveCount(2);
    for (const [index, said] of ["Read: 3 pages, 36 characters, 1 without text", "Read: 1 sheet, 16 characters"].entries()) {
      await expect(chips(page).nth(index)).toHaveAttribute("data-state", "taken");
      await expect(chips(page).nth(index).getByTestId("paper")).toHaveText(said);
    }
    await page.screenshot({ path: test.info().outputPath("composer.png") });
    await composer(page).fill("What is in these?");
    await composer(page).press("Enter");
    await expectState(page, "done");
    const turn = lastTurn(page);
    await expect(turn.getByTestId("file")).toHaveText([/report\.pdf/, /budget\.xlsx/]);
    await expect(turn.getByTestId("paper")).toHaveText([/^Read: 3 pages/, /^Read: 1 sheet/]);
    await turn.getByTestId("paper").first().scrollIntoViewIfNeeded();
    await page.screenshot({ path: test.info().outputPath("message.png") });
    expect(await barriers(page)).toEqual([]);
    // Nothing stands out at the side.
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide).toBeLessThanOrEqual(0);

    // The model has been told, with the pages and the sheet's name.
    const { requests } = await site.model.record();
    expect(requests[0].question).toContain("[page 2]\nThe last word is milk.");
    expect(requests[0].question).toContain("[sheet Budget]\nItem\tPrice\nTea\t3.50");

    // What was read opens in a page of its own.
    const [text] = await Promise.all([page.waitForEvent("popup"), turn.getByTestId("paper").first().click()]);
    await expect(text.locator("body")).toContainText("The first word is tea.");
    await text.screenshot({ path: test.info().outputPath("read.png") });
  });
}

test("a document that cannot be read says why", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  const refused: [string, Buffer, string][] = [
    ["broken.pdf", Buffer.from("%PDF-1.7 and nothing else"), "“broken.pdf” is damaged"],
    ["scan.pdf", pdf([""]), "“scan.pdf” has no text that could be read"],
    ["lies.docx", Buffer.from("only text"), "“lies.docx” is named like a document"],
  ];
  for (const [name, content, said] of refused) {
    await attach(page, name, content);
    const chip = chips(page).first();
    await expect(chip).toHaveAttribute("data-state", "failed");
    await expect(chip.getByRole("alert")).toContainText(said);
    await chip.getByRole("button").last().click();
    await expect(chips(page)).toHaveCount(0);
  }
});

test("of a long document the passages that fit are read, and the reader is told", async ({ startPool }) => {
  const site = await startPool([{ name: "small", models: ["small"], context: 8000 }]);
  const page = await site.person();
  const line = "The committee met and nothing of any note was said by anybody who was present.\n";
  const pages = Array.from({ length: 214 }, (_, index) => `${line.repeat(40)}The code here is zebra${index + 1}.`);
  await attach(page, "long.pdf", pdf(pages));
  await expect(chips(page).getByTestId("paper")).toHaveText(/^Read: 214 pages, /);
  await composer(page).fill("Where is zebra177 spoken of?");
  await composer(page).press("Enter");
  await expectState(page, "done");
  await expect(lastTurn(page).getByTestId("turn-notice")).toHaveText(/^\d+ of 214 pages of long\.pdf were read for this answer/);
  await page.screenshot({ path: test.info().outputPath("notice.png") });
  const { requests } = await site.backEnds.small.record();
  expect(requests[0].question).toContain("zebra177.");
});
