import type { Page } from "@playwright/test";
import { composer, expectState, lastTurn, newChat, send } from "../support/chat.js";
import { expect, test } from "../support/site.js";

const more = (page: Page, title: string) => page.getByRole("button", { name: `More about ${title}` });

async function answered(page: Page, text: string): Promise<void> {
  await send(page, text);
  await expectState(page, "done");
}

test("the keyboard goes on where an answer was made once more, and from version to version", async ({ start }) => {
  const site = await start({ MODEL_RETRIES: "0" });
  const page = await site.person();
  await answered(page, "one");
  await answered(page, "two");
  await site.model.set({ gate: "again" });
  await page.getByTestId("regenerate").focus();
  await page.keyboard.press("Enter");
  await expectState(page, "running");
  // Not lost meanwhile, either: what is written can be scrolled.
  await expect(page.locator("#log")).toBeFocused();
  await site.model.open("again");
  await expectState(page, "done");
  await expect(page.getByTestId("regenerate")).toBeFocused();

  // The first version leads only forward, the last one only back.
  await page.getByTestId("version-earlier").press("Enter");
  await expect(page.getByTestId("versions")).toHaveText(/1 \/ 2/);
  await expect(page.getByTestId("version-later")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("versions")).toHaveText(/2 \/ 2/);
  await expect(page.getByTestId("version-earlier")).toBeFocused();
  await page.getByTestId("regenerate").press("Enter");
  await expect(page.getByTestId("versions")).toHaveText(/3 \/ 3/);
  await expectState(page, "done");
  await page.getByTestId("version-earlier").press("Enter");
  await expect(page.getByTestId("versions")).toHaveText(/2 \/ 3/);
  await expect(page.getByTestId("version-earlier")).toBeFocused();

  // One that failed leads to the same button, whether it fails again or not.
  await site.model.set({ fault: "status:401" });
  await send(page, "fails");
  await expectState(page, "failed");
  for (const [fault, state, button] of [["status:401", "failed", "retry"], ["none", "done", "regenerate"]] as const) {
    await site.model.set({ fault });
    await lastTurn(page).getByTestId("retry").press("Enter");
    await expectState(page, state);
    await expect(page.getByTestId(button)).toBeFocused();
  }

  // Whoever goes elsewhere meanwhile stays there.
  await site.model.set({ gate: "later" });
  await page.getByTestId("regenerate").press("Enter");
  await expectState(page, "running");
  await composer(page).fill("typed meanwhile");
  await site.model.open("later");
  await expectState(page, "done");
  await expect(composer(page)).toBeFocused();
});

test("the keyboard goes on after a message was edited", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await answered(page, "one");
  await page.getByTestId("edit").press("Enter");
  await expect(page.getByTestId("editor")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("edit")).toBeFocused();
  await page.keyboard.press("Enter");
  await page.getByTestId("editor").fill("in other words");
  await page.keyboard.press("Enter");
  await expect(page.locator(".message-text")).toHaveText("in other words");
  await expectState(page, "done");
  await expect(composer(page)).toBeFocused();
});

test("the keyboard goes on in the list after a rename and after a deletion", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  for (const text of ["first", "second", "third"]) {
    await newChat(page);
    await answered(page, text);
  }
  for (const [key, title] of [["Enter", "renamed"], ["Escape", "renamed"]] as const) {
    await more(page, title === "renamed" && key === "Escape" ? "renamed" : "second").press("Enter");
    await page.getByTestId("rename").press("Enter");
    await expect(page.getByTestId("title-field")).toBeFocused();
    await page.keyboard.type("renamed");
    await page.keyboard.press(key);
    await expect(more(page, title)).toBeFocused();
  }
  await more(page, "renamed").press("Enter");
  await page.getByTestId("delete").press("Enter");
  await expect(page.getByTestId("conversation")).toHaveCount(2);
  await expect(more(page, "first")).toBeFocused();
  await page.getByTestId("undo").press("Enter");
  await expect(page.getByTestId("conversation")).toHaveCount(3);
  await expect(more(page, "renamed")).toBeFocused();
  // The last one in the list leads up; the open one leads to a new chat.
  await more(page, "first").press("Enter");
  await page.getByTestId("delete").press("Enter");
  await expect(page.getByTestId("conversation")).toHaveCount(2);
  await expect(more(page, "renamed")).toBeFocused();
  await more(page, "third").press("Enter");
  await page.getByTestId("delete").press("Enter");
  await expect(page).toHaveURL(`${site.url}/`);
  await expect(composer(page)).toBeFocused();
});
