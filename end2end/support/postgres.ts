import { type Program, binary, start } from "./program.js";

/** A PostgreSQL of a test's own. */
export interface Database {
  /** What belongs in `DATABASE_URL`. */
  url: string;
  stop(): Promise<void>;
}

/** Starts a PostgreSQL with an empty database. `undefined`: it is not installed here. */
export async function startPostgres(): Promise<Database | undefined> {
  const required = process.env.ANTEROOM_TEST_REQUIRE_POSTGRES;
  const env = required === undefined ? undefined : { ANTEROOM_TEST_REQUIRE_POSTGRES: required };
  const program = await start(binary("ANTEROOM_PGTEST_BIN"), { env });
  const said = await firstLine(program);
  if (said.startsWith("postgres://")) {
    return { url: said, stop: program.stop };
  }
  await program.stop();
  if (said.startsWith("skipped:")) {
    return undefined;
  }
  throw new Error(`PostgreSQL does not start:\n${program.output()}`);
}

async function firstLine(program: Program): Promise<string> {
  try {
    return await program.firstLine();
  } catch (fault) {
    await program.stop();
    throw fault;
  }
}
