import { type Browser, type BrowserContext, type BrowserContextOptions, type Page, test as base } from "@playwright/test";
import { type BackEndPlan, backendsToml, knobsOf } from "./backends.js";
import { type BackEnd, type Model, startModel, startModels } from "./model.js";
import { type Server, type Settings, startAnteroom } from "./server.js";

/** An address, and browsers that come to it. */
export interface Place {
  url: string;
  /** A browser of its own, as far as cookies and storage go. */
  context(options?: BrowserContextOptions): Promise<BrowserContext>;
  /** Somebody with a browser of their own, who has opened the page and sees it awake. */
  person(options?: BrowserContextOptions): Promise<Page>;
}

/** Anteroom in front of a loopback model server, both a test's own. */
export interface Site extends Place {
  server: Server;
  model: Model;
}

/** Anteroom in front of several loopback model servers, all a test's own. */
export interface PooledSite extends Place {
  server: Server;
  /** By name. `kill` and `revive` one, or `set` a fault. */
  backEnds: { [name: string]: BackEnd };
  /** The plans that `backends.toml` has now. */
  plans: BackEndPlan[];
  /**
   * Writes `backends.toml` anew, as an editor does. Its back ends are among those that the site was started with; their model
   * servers stay as they are.
   *
   * To take one out: `site.writeBackEnds(site.plans.filter(({ name }) => name !== "slow"))`; to change a limit:
   * `site.writeBackEnds(site.plans.map((plan) => (plan.name === "slow" ? { ...plan, limit: 3 } : plan)))`.
   */
  writeBackEnds(plans: BackEndPlan[]): Promise<void>;
}

interface Fixtures {
  /** Starts a site with these settings, or with those that are made for its model server. It ends with the test. */
  start(settings?: Settings | ((model: Model) => Promise<Settings>)): Promise<Site>;
  /**
   * Starts a site whose `backends.toml` has these back ends, each with a model server of its own, and these settings. It ends with
   * the test. `MODEL` is the first model of the first back end, unless told; one that names no models is asked for `loopback`.
   *
   * ```ts
   * const site = await startPool([
   *   { name: "fast", pool: "gpu", limit: 2 },
   *   { name: "slow", pool: "gpu", limit: 1, server: { pace: "50ms" } },
   * ]);
   * await site.backEnds.fast.kill();
   * await site.backEnds.slow.set({ fault: "status:429", every: 3 });
   * ```
   */
  startPool(plans: BackEndPlan[], settings?: Settings): Promise<PooledSite>;
  /** What has to end with the test, in the order in which it was started. */
  ends: Ends;
}

export type Ends = (() => Promise<unknown>)[];

export const test = base.extend<Fixtures>({
  ends: async ({}, use) => {
    const ends: Ends = [];
    await use(ends);
    // The browsers first, the model servers last.
    for (const end of ends.reverse()) {
      await end();
    }
  },
  start: async ({ browser, ends }, use) => {
    await use(async (settings = {}) => {
      const model = await startModel();
      ends.push(model.stop);
      const own = typeof settings === "function" ? await settings(model) : settings;
      const server = await startAnteroom({ MODEL: "loopback@openai", OPENAI_BASE_URL: model.baseUrl, ...own });
      ends.push(server.stop);
      return { ...place(browser, server.url, ends), server, model };
    });
  },
  startPool: async ({ browser, ends }, use) => {
    await use(async (plans, settings = {}) => {
      const models = await startModels(Object.fromEntries(plans.map((plan) => [plan.name, knobsOf(plan)])));
      ends.push(models.stop);
      const [first] = plans;
      const own = {
        MODEL: `${first.models?.[0] ?? "loopback"}@${first.pool ?? first.name}`,
        BACKENDS_FILE: "backends.toml",
      };
      const files = { "backends.toml": backendsToml(plans, models) };
      const server = await startAnteroom({ ...own, ...settings }, files);
      ends.push(server.stop);
      const site: PooledSite = {
        ...place(browser, server.url, ends),
        server,
        backEnds: models.backEnds,
        plans,
        writeBackEnds: async (plans) => {
          await server.write("backends.toml", backendsToml(plans, models));
          site.plans = plans;
        },
      };
      return site;
    });
  },
});

/** Browsers for an address, which end with the test. */
export function place(browser: Browser, url: string, ends: Ends): Place {
  const context = async (options?: BrowserContextOptions) => {
    const context = await browser.newContext(options);
    ends.push(() => context.close());
    return context;
  };
  return {
    url,
    context,
    person: async (options) => visit(await context(options), url),
  };
}

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
