/** All stores. Importing this file loads no client of ClickHouse or Qdrant. */
import { redis } from './cache.ts';
import { clickhouse } from './clickhouse.ts';
import { postgres } from './postgres.ts';
import { vectors } from './qdrant.ts';
import type { Store } from './store.ts';

export const STORES: readonly Store[] = [postgres, redis, clickhouse, vectors];
