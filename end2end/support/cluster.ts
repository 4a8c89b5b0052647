import { writeFile } from "node:fs/promises";
import { type Page, expect } from "@playwright/test";
import { type Model, startModel } from "./model.js";
import { findNginx, startNginx } from "./nginx.js";
import { startPostgres } from "./postgres.js";
import { freePort, type Server, type Settings, startAnteroom } from "./server.js";
import { type Place, place, test as base } from "./site.js";

const NODES = 3;

/** Several nodes over one PostgreSQL behind nginx, and one loopback model server, all a test's own. */
export interface Cluster extends Place {
  model: Model;
  nodes: Server[];
  /** Somebody with a browser of their own who has opened the page, and the node that they are at home on. Nobody else may come or go meanwhile. */
  personAtHome(): Promise<{ page: Page; home: Server }>;
  /** Resolves once so many browsers have their feed. The end of a node is noticed by then. */
  allConnected(browsers: number): Promise<void>;
}

interface Fixtures {
  /** Starts nodes with these settings; they end with the test. Skips the test where nginx or PostgreSQL is not installed. */
  startCluster(settings?: Settings): Promise<Cluster>;
}

export const test = base.extend<Fixtures>({
  startCluster: async ({ browser, ends }, use, info) => {
    const said: Server["output"][] = [];
    await use(async (settings = {}) => {
      const nginx = await findNginx();
      if (nginx === undefined && process.env.ANTEROOM_TEST_REQUIRE_NGINX) {
        throw new Error("ANTEROOM_TEST_REQUIRE_NGINX is set, and nginx is not installed");
      }
      info.skip(nginx === undefined, "nginx is not installed");
      const database = await startPostgres();
      info.skip(database === undefined, "PostgreSQL is not installed");
      if (nginx === undefined || database === undefined) {
        throw new Error("a test that is skipped goes on");
      }
      ends.push(database.stop);
      const model = await startModel();
      ends.push(model.stop);
      const own: Settings = {
        MODEL: "loopback@openai",
        OPENAI_BASE_URL: model.baseUrl,
        DATABASE_URL: database.url,
        SECRET_KEY: "a-key-that-is-of-use-to-nobody-but-tests",
        SHUTDOWN_GRACE: "5s",
        ...settings,
      };
      const nodes: Server[] = [];
      for (let number = 1; number <= NODES; number++) {
        const node = remembering(await startAnteroom({ ...own, NODE_ADDR: `127.0.0.1:${await freePort()}` }));
        ends.push(node.stop);
        nodes.push(node);
        said.push(node.output);
      }
      const balancer = await startNginx(nginx, nodes.map((node) => new URL(node.url).host));
      ends.push(balancer.stop);
      const { context, person } = place(browser, balancer.url, ends);
      const counted = () => Promise.all(nodes.map(connected));
      const allConnected = (browsers: number) =>
        expect.poll(async () => sum(await counted()), "every browser is connected").toBe(browsers);
      const personAtHome = async () => {
        const before = await counted();
        const page = await person();
        await allConnected(sum(before) + 1);
        const after = await counted();
        return { page, home: nodes[after.findIndex((count, at) => count > before[at])] };
      };
      return { url: balancer.url, context, person, model, nodes, personAtHome, allConnected };
    });
    if (info.status !== info.expectedStatus) {
      for (const [at, output] of said.entries()) {
        const name = `node-${at + 1}.log`;
        await writeFile(info.outputPath(name), output());
        await info.attach(name, { path: info.outputPath(name), contentType: "text/plain" });
      }
    }
  },
});

/** A server whose output is that of all its starts. */
function remembering(server: Server): Server {
  let earlier = "";
  return {
    ...server,
    output: () => earlier + server.output(),
    restart: async () => {
      await server.halt();
      earlier += server.output();
      await server.restart();
    },
  };
}

/** How many browsers have their feed from a node; none from one that is not there. */
async function connected(node: Server): Promise<number> {
  const metrics = fetch(`${node.url}/metrics`).then((response) => response.text());
  return Number(/^anteroom_connected (\d+)/m.exec(await metrics.catch(() => ""))?.[1] ?? 0);
}

function sum(counts: number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

export { awake, expect } from "./site.js";
