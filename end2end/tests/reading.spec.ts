import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { barriers } from "../support/axe.js";
import { answer, composer, expectState, send } from "../support/chat.js";
import { type Site, expect, test } from "../support/site.js";

/** An answer that is exactly this. */
async function answered(site: Site, page: Page, markdown: string): Promise<void> {
  await site.model.set({ reply: "echo" });
  await send(page, markdown);
  await expectState(page, "done");
}

const FORMULAS = [
  "So \\(x_1 * y_2 * z\\) and $e^{i\\pi} = -1$, but $5 is a price.",
  "\\[",
  "\\begin{aligned}",
  "a &= b",
  "+ c \\\\",
  "d &= \\frac{1}{2}",
  "\\end{aligned}",
  "\\]",
  "",
  "$$\\int_0^\\infty e^{-x^2}\\,dx = \\frac{\\sqrt{\\pi}}{2} \\qquad \\boxed{42}$$",
  "",
  "Broken: \\(\\frac{\\), and code: `\\(x\\)`.",
].join("\n");

test("formulas are drawn, whatever marks they stand between, and a broken one is its source", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  const faults: string[] = [];
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  await answered(site, page, FORMULAS);
  await expect(answer(page).locator("math")).toHaveCount(4);
  await expect(answer(page).locator("math[display=block]")).toHaveCount(2);
  await expect(answer(page).locator("math msub")).toHaveCount(2);
  await expect(answer(page).locator(".math-source")).toHaveText("\\(\\frac{\\)");
  await expect(answer(page)).toContainText("but $5 is a price");
  await expect(answer(page).locator("em, ul")).toHaveCount(0);
  // Drawn, not only there: a fraction is higher than a line of text.
  const high = await answer(page).locator("math[display=block] mfrac").first().evaluate((fraction) => fraction.getBoundingClientRect().height);
  expect(high).toBeGreaterThan(20);
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.screenshot({ path: `test-results/looks/formulas-${scheme}.png` });
    expect.soft(await barriers(page), scheme).toEqual([]);
  }
  expect(faults).toEqual([]);
});

test("a formula that streams shows no half of itself", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await site.model.set({ reply: "echo", pace: "20ms" });
  await page.evaluate(() => {
    const seen: string[] = [];
    Object.assign(window, { seen });
    new MutationObserver(() => {
      const shown = document.querySelector("[data-testid=answer]")?.textContent ?? "";
      if (/[\\$]/.test(shown)) seen.push(shown);
    }).observe(document, { subtree: true, childList: true, characterData: true });
  });
  await send(page, "first \\(\\frac{a}{b}\\) then $x_1 + y_2$ and then more words to come after that");
  await expectState(page, "done");
  await expect(answer(page).locator("math")).toHaveCount(2);
  expect(await page.evaluate(() => (window as unknown as { seen: string[] }).seen)).toEqual([]);
});

test("long code is folded, wrapped, saved and reached by keyboard", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  const lines = Array.from({ length: 60 }, (_, line) => `print(${line}, "${"long ".repeat(40)}")`);
  await answered(site, page, ["```python", ...lines, "```"].join("\n"));
  const code = answer(page).locator(".code");
  const height = () => code.locator("pre").evaluate((pre) => pre.clientHeight);
  const folded = await height();
  const more = code.locator("[data-tool=more]");
  await expect(more).toHaveText(/60/);
  await more.click();
  await expect(more).toHaveAttribute("aria-expanded", "true");
  expect(await height()).toBeGreaterThan(folded * 1.5);
  await more.click();
  await expect(more).toHaveAttribute("aria-expanded", "false");

  const wrap = code.getByRole("button", { name: "Wrap" });
  const wide = () => code.locator("pre").evaluate((pre) => pre.scrollWidth > pre.clientWidth);
  expect(await wide()).toBe(true);
  await wrap.focus();
  await page.keyboard.press("Enter");
  await expect(wrap).toHaveAttribute("aria-pressed", "true");
  expect(await wide()).toBe(false);
  // On to the next button, to the copy button, and into the code itself.
  await page.keyboard.press("Tab");
  await expect(code.getByRole("button", { name: "Save" })).toBeFocused();
  const saved = page.waitForEvent("download");
  await page.keyboard.press("Enter");
  const file = await saved;
  expect(file.suggestedFilename()).toBe("code.py");
  expect(await readFile(await file.path(), "utf8")).toBe(`${lines.join("\n")}\n`);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await expect(code.locator("pre")).toBeFocused();
  await page.screenshot({ path: "test-results/looks/code.png" });
});

test("a footnote's mark and its text lead to each other", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await answered(site, page, "It is so[^why].\n\n- [x] done\n- [ ] to do\n\n[^why]: Because of *that*.");
  await answer(page).getByRole("button", { name: "Footnote 1", exact: true }).click();
  const back = answer(page).getByRole("button", { name: "Back to the mark of footnote 1" });
  await expect(back).toBeFocused();
  await expect(answer(page).locator(".note")).toContainText("Because of that.");
  await page.keyboard.press("Enter");
  await expect(answer(page).getByRole("button", { name: "Footnote 1", exact: true })).toBeFocused();
  await expect(answer(page).getByRole("checkbox")).toHaveCount(2);
  await page.screenshot({ path: "test-results/looks/footnotes.png" });
});

test("on paper there is the whole conversation and nothing else", async ({ start }) => {
  const site = await start({ QUEUE_MAX_WAITING_PER_SESSION: "none" });
  const page = await site.person();
  await answered(site, page, ["```", ...Array.from({ length: 60 }, (_, line) => `line ${line}`), "```"].join("\n"));
  const conversation = page.url().split("/").pop();
  for (let number = 1; number < 35; number++) {
    const request = { turn: crypto.randomUUID(), conversation, text: `turn ${number}`, files: [] };
    const sent = () => page.request.post(`${site.url}/api/send`, { headers: { origin: site.url }, data: { request } });
    await expect.poll(async () => (await sent()).status(), { intervals: [20] }).toBe(200);
  }
  await site.model.until("all to be answered", (record) => record.requests.length === 35 && record.now === 0);
  await page.reload();
  await page.locator("html[data-awake]").waitFor({ state: "attached" });
  await expect(page.getByTestId("turn")).toHaveCount(30);
  await page.evaluate(() => {
    window.print = () => document.documentElement.setAttribute("data-printed-with", String(document.querySelectorAll("[data-testid=turn]").length));
  });
  await page.keyboard.press("Control+p");
  await expect(page.locator("html")).toHaveAttribute("data-printed-with", "35");

  await page.emulateMedia({ media: "print" });
  for (const away of [".header", ".sidebar", ".composer", ".code-more", ".code-copy", ".turn-foot button"]) {
    for (const one of await page.locator(away).all()) {
      await expect(one).toBeHidden();
    }
  }
  await expect(page.locator("pre").getByText("line 59")).toBeVisible();
  // Nothing scrolls by itself: what is cut off on a screen would be missing.
  const cut = await page.locator("#log, .code pre").evaluateAll((all) => all.filter((one) => one.scrollHeight > one.clientHeight + 1).length);
  expect(cut).toBe(0);
});

test("what is written from right to left is read so", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await composer(page).fill("مرحبا بالعالم");
  await expect(composer(page)).toHaveCSS("direction", "rtl");
  await answered(site, page, "مرحبا بالعالم\n\nand this from left to right\n\n```\nlet x = 1;\n```");
  await expect(page.locator(".message-text")).toHaveCSS("direction", "rtl");
  await expect(answer(page).locator(".block").nth(0)).toHaveCSS("direction", "rtl");
  await expect(answer(page).locator(".block").nth(1)).toHaveCSS("direction", "ltr");
  await expect(answer(page).locator("pre")).toHaveCSS("direction", "ltr");
});

test("a table that goes on at a side has a shadow there, and one that does not has none", async ({ start }) => {
  const site = await start();
  const page = await site.person({ viewport: { width: 390, height: 844 } });
  const row = (cell: string, count: number) => `| ${Array.from({ length: count }, () => cell).join(" | ")} |`;
  const table = (count: number) => [row("column", count), row("---", count), row("cell", count)].join("\n");
  await answered(site, page, `${table(12)}\n\nand\n\n${table(2)}`);
  const [wide, narrow] = await answer(page).locator(".table-wrap").all();
  /** How far the ground at both sides is from that of the page, from 0 to 765; above the first row's words, where nothing else is. */
  const shadows = async (table: typeof wide) => {
    await table.scrollIntoViewIfNeeded();
    const png = (await table.screenshot()).toString("base64");
    const desk = await page.context().newPage();
    const found = await desk.evaluate(async (png) => {
      const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
      canvas?.drawImage(bitmap, 0, 0);
      const at = (x: number) => [...(canvas?.getImageData(x, 3, 1, 1).data ?? [])].slice(0, 3);
      const ground = at(Math.floor(bitmap.width / 2));
      const apart = (x: number) => at(x).reduce((sum, part, colour) => sum + Math.abs(part - ground[colour]), 0);
      return { left: apart(1), right: apart(bitmap.width - 2) };
    }, png);
    await desk.close();
    return found;
  };
  const sides = async (table: typeof wide) => {
    const { left, right } = await shadows(table);
    return [left > 90, right > 90];
  };
  expect(await sides(wide)).toEqual([false, true]);
  await wide.evaluate((table) => table.scrollTo(table.scrollWidth / 3, 0));
  expect(await sides(wide)).toEqual([true, true]);
  await wide.evaluate((table) => table.scrollTo(table.scrollWidth, 0));
  expect(await sides(wide)).toEqual([true, false]);
  expect(await sides(narrow)).toEqual([false, false]);
});
