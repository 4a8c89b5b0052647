import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Locator, type Page, expect } from "@playwright/test";
import type { Model } from "./model.js";
import type { Settings } from "./server.js";

/** Two models, each with one back end of one slot, and so with a line of its own: "Small", which conversations start with, and "Large". */
export async function twoModels(model: Model): Promise<Settings> {
  const backend = (name: string, model: string) =>
    `[[backend]]\nname = "${name}"\nprovider = "openai"\nurl = "${baseUrl}"\nmodels = ["${model}"]\nlimit = 1\n`;
  const title = (id: string, title: string) => `[[model]]\nname = "${id}"\ntitle = "${title}"\n`;
  const { baseUrl } = model;
  const file = join(await mkdtemp(join(tmpdir(), "anteroom-backends-")), "backends.toml");
  const parts = [backend("desk", "small"), backend("rack", "large"), title("small@desk", "Small"), title("large@rack", "Large")];
  await writeFile(file, parts.join("\n"));
  return { MODEL: "small@desk", BACKENDS_FILE: file };
}

/** The button that names the chosen model. */
export const picker = (page: Page): Locator => page.getByTestId("model");

/** One of the models to choose from. */
export const option = (page: Page, id: string): Locator => page.locator(`[data-testid=model-option][data-model="${id}"]`);

/** Chooses a model. */
export async function pick(page: Page, id: string): Promise<void> {
  await picker(page).click();
  await option(page, id).click();
  await expect(picker(page)).toHaveAttribute("data-model", id);
}
