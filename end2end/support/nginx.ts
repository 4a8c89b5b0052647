import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type Program, start } from "./program.js";
import { answers, freePort } from "./server.js";

/** A load balancer in front of several servers. */
export interface Balancer {
  /** Its address, without a slash at the end. */
  url: string;
  stop(): Promise<void>;
}

/** Where nginx is; Debian keeps it off the search path of users. `undefined`: it is not installed here. */
export async function findNginx(): Promise<string | undefined> {
  for (const folder of [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"]) {
    const file = join(folder, "nginx");
    const isThere = await access(file).then(
      () => true,
      () => false,
    );
    if (isThere) {
      return file;
    }
  }
  return undefined;
}

/** Starts nginx with the configuration of the documents, in front of servers at these addresses. Resolves once it answers for one of them. */
export async function startNginx(path: string, servers: string[]): Promise<Balancer> {
  const folder = await mkdtemp(join(tmpdir(), "anteroom-nginx-"));
  const address = `127.0.0.1:${await freePort()}`;
  let program: Program | undefined;
  const stop = async () => {
    await program?.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await writeFile(join(folder, "site.conf"), await site(address, servers));
    await writeFile(join(folder, "nginx.conf"), main(folder));
    program = await start(path, { args: ["-p", folder, "-c", join(folder, "nginx.conf")] });
    await answers(`http://${address}/health`, program);
  } catch (fault) {
    await stop();
    throw fault;
  }
  return { url: `http://${address}`, stop };
}

/** The documented configuration, with other addresses. */
async function site(address: string, servers: string[]): Promise<string> {
  const documented = await readFile(new URL("../../docs/nginx.conf", import.meta.url), "utf8");
  const named = /10\.0\.0\.\d+:8080/g;
  if (documented.match(named)?.length !== servers.length) {
    throw new Error("docs/nginx.conf has another number of nodes");
  }
  const rest = [...servers];
  return documented.replace(named, () => rest.shift() ?? "").replace("listen 80;", `listen ${address};`);
}

/** What nginx needs around it, where it may write in this folder only. */
function main(folder: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`);
  return `
daemon off;
master_process off;
error_log stderr error;
pid ${folder}/pid;
events { worker_connections 1024; }
http {
    access_log off;
    ${temporary.join("\n    ")}
    include ${folder}/site.conf;
}
`;
}
