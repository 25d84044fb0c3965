/**
 * The Postgres of a run: the embedded one with the product's settings, in a directory of its own.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { startPostgres } from '../../db/embedded/postgres/start.ts';

export class BenchPostgres {
  /** For instance `Postgres 18.4.0`. */
  readonly version: string;
  readonly #url: string;
  readonly #admin: pg.Client;
  readonly #stop: () => Promise<void>;

  private constructor(url: string, version: string, admin: pg.Client, stop: () => Promise<void>) {
    this.#url = url;
    this.version = version;
    this.#admin = admin;
    this.#stop = stop;
  }

  static async start(): Promise<BenchPostgres> {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'daodao-bench-'));
    // Postgres runs under an unprivileged account, which must be able to pass through.
    await chmod(dataDir, 0o711);
    const { url, note, stop } = await startPostgres({ dataDir });
    const admin = new pg.Client({ connectionString: url });
    admin.on('error', () => undefined);
    await admin.connect();
    return new BenchPostgres(url, note, admin, async () => {
      await admin.end();
      await stop();
      await rm(dataDir, { recursive: true, force: true });
    });
  }

  /** A new database, of this name. */
  async create(name: string): Promise<BenchDatabase> {
    await this.#admin.query(`CREATE DATABASE "${name}"`);
    const url = new URL(this.#url);
    url.pathname = name;
    const client = new pg.Client({ connectionString: url.href });
    client.on('error', () => undefined);
    await client.connect();
    return {
      url: url.href,
      client,
      drop: async () => {
        await client.end();
        await this.#admin.query(`DROP DATABASE "${name}" WITH (FORCE)`);
      },
    };
  }

  /** WAL written and write transactions begun so far, by the whole server. */
  async written(): Promise<{ walBytes: number; transactions: number }> {
    const { rows } = await this.#admin.query<{ walBytes: number; transactions: number }>(
      `SELECT (pg_current_wal_insert_lsn() - '0/0')::float8 AS "walBytes",
         pg_snapshot_xmax(pg_current_snapshot())::text::float8 AS transactions`,
    );
    return rows[0]!;
  }

  stop(): Promise<void> {
    return this.#stop();
  }
}

export interface BenchDatabase {
  url: string;
  /** A connection that is not measured. */
  client: pg.Client;
  drop(): Promise<void>;
}
