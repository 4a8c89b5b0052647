import { type BrowserContext, type BrowserContextOptions, type Page, test as base } from "@playwright/test";
import { type Model, startModel } from "./model.js";
import { type Server, type Settings, startAnteroom } from "./server.js";

/** Anteroom in front of a loopback model server, both a test's own. */
export interface Site {
  url: string;
  server: Server;
  model: Model;
  /** A browser of its own, as far as cookies and storage go. */
  context(options?: BrowserContextOptions): Promise<BrowserContext>;
  /** Somebody with a browser of their own, who has opened the page and sees it awake. */
  person(options?: BrowserContextOptions): Promise<Page>;
}

interface Fixtures {
  /** Starts a site with these settings, or with those that are made for its model server. It ends with the test. */
  start(settings?: Settings | ((model: Model) => Promise<Settings>)): Promise<Site>;
}

export const test = base.extend<Fixtures>({
  start: async ({ browser }, use) => {
    const ends: (() => Promise<unknown>)[] = [];
    await use(async (settings = {}) => {
      const model = await startModel();
      ends.push(model.stop);
      const own = typeof settings === "function" ? await settings(model) : settings;
      const server = await startAnteroom({ MODEL: "loopback@openai", OPENAI_BASE_URL: model.baseUrl, ...own });
      ends.push(server.stop);
      const context = async (options?: BrowserContextOptions) => {
        const context = await browser.newContext(options);
        ends.push(() => context.close());
        return context;
      };
      return {
        url: server.url,
        server,
        model,
        context,
        person: async (options) => visit(await context(options), server.url),
      };
    });
    // The browsers first, the model server last.
    for (const end of ends.reverse()) {
      await end();
    }
  },
});

/** Opens an address in another tab, and resolves once the page is awake. */
export async function visit(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  await awake(page);
  return page;
}

/** Resolves once the page's WebAssembly has taken over. */
export async function awake(page: Page): Promise<void> {
  await page.locator("html[data-awake]").waitFor({ state: "attached" });
}

export { expect } from "@playwright/test";
