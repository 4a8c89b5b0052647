// A job queue with 300 callers in three processes: each adds a job, and the next one as soon as one has ended.
//
//     node run.mjs bullmq redis://127.0.0.1:6379
//     node run.mjs graphile postgres://…
//
// Prints one line of JSON: jobs a second, and the median of the milliseconds from adding a job to its start.

import { fork } from "node:child_process";

const PROCESSES = 3;
const CALLERS = 300 / PROCESSES;
/** Jobs that one process works on at once: more than there are. */
const AT_ONCE = 2 * CALLERS;
const WARM_UP = 2000;
const WINDOW = 5000;
const QUEUE = "bench";

/** Milliseconds on a clock that all processes of this machine share. */
const now = () => performance.timeOrigin + performance.now();

/** Begins to work: `started(added)` at the start of each job, `ended()` once its end is stored. Returns what adds one. */
const systems = {
  async bullmq(url, started, ended) {
    const { Queue, Worker } = await import("bullmq");
    const { hostname: host, port } = new URL(url);
    const connection = { host, port: Number(port) };
    const options = { removeOnComplete: true };
    const queue = new Queue(QUEUE, { connection });
    const worker = new Worker(QUEUE, async (job) => started(job.data.added), { connection, concurrency: AT_ONCE });
    worker.on("completed", ended);
    worker.on("error", fail);
    await worker.waitUntilReady();
    return () => queue.add("job", { added: now() }, options);
  },

  async graphile(url, started, ended) {
    const { run, Logger } = await import("graphile-worker");
    const runner = await run({
      preset: {
        worker: {
          connectionString: url,
          concurrentJobs: AT_ONCE,
          maxPoolSize: 20,
          logger: new Logger(() => () => {}),
          // As its documents advise where much goes through: jobs are taken in, and said to be done, in batches.
          localQueue: { size: AT_ONCE + 1 },
          completeJobBatchDelay: 0,
        },
      },
      noHandleSignals: true,
      taskList: { job: async (payload) => started(payload.added) },
    });
    runner.events.on("job:complete", ended);
    return () => runner.addJob("job", { added: now() });
  },
};

function fail(fault) {
  console.error(fault);
  process.exit(1);
}

async function work(name, url) {
  let count = 0;
  let measuring = false;
  const delays = [];
  let add;
  const started = (added) => {
    if (measuring) delays.push(now() - added);
  };
  const ended = () => {
    if (measuring) count += 1;
    add().catch(fail);
  };
  add = await systems[name](url, started, ended);
  process.send("ready");
  // Whoever measures has gone.
  process.on("disconnect", () => process.exit(0));
  process.on("message", (message) => {
    if (message === "begin") for (let caller = 0; caller < CALLERS; caller += 1) add().catch(fail);
    if (message === "measure") measuring = true;
    if (message === "end") process.send({ count, delays }, () => process.exit(0));
  });
}

async function lead(name, url) {
  const children = [];
  const heard = (child) => new Promise((resolve) => child.once("message", resolve));
  // One after the other: the first makes the tables.
  for (let number = 0; number < PROCESSES; number += 1) {
    const child = fork(new URL(import.meta.url), [name, url], { env: { ...process.env, RIVAL_WORKER: "1" } });
    child.on("exit", (code) => code === 0 || fail(`a process of ${name} has ended with ${code}`));
    await heard(child);
    children.push(child);
  }
  const tell = (message) => children.forEach((child) => child.send(message));
  const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time));
  tell("begin");
  await sleep(WARM_UP);
  const began = now();
  tell("measure");
  await sleep(WINDOW);
  const seconds = (now() - began) / 1000;
  const all = children.map(heard);
  tell("end");
  const results = await Promise.all(all);
  const delays = results.flatMap((result) => result.delays).sort((one, other) => one - other);
  if (delays.length === 0) fail(`${name} has worked on nothing`);
  const count = results.reduce((sum, result) => sum + result.count, 0);
  console.log(JSON.stringify({ jobs_per_second: count / seconds, start: delays[Math.ceil(delays.length / 2) - 1] }));
}

const [name, url] = process.argv.slice(2);
if (!(name in systems) || !url) fail("run.mjs bullmq|graphile URL");
(process.env.RIVAL_WORKER ? work(name, url) : lead(name, url)).catch(fail);
