/**
 * `ai.embedding_state`: what the vector store holds of each user and practice, and how new that is.
 *
 * A write goes: take a version, read the text, note the intent, write the point, note that it is written. A point is only ever
 * replaced by a greater version, and a removed one leaves a tombstone, so that a writer who was overtaken, or killed half way,
 * brings back nothing.
 */
import type { Queryable } from '../stores/postgres.ts';

export interface EmbeddingState {
  entityId: string;
  /** Undefined while a write is under way or was cut short. */
  written: { removed: boolean; contentHash: string | null; payloadHash: string | null } | undefined;
}

/** What is about to be written of an entity. */
export interface Intent {
  entityId: string;
  removed: boolean;
}

export interface Written extends Intent {
  contentHash: string | null;
  payloadHash: string | null;
  /** As Postgres wrote it, to the microsecond. */
  sourceAt: string;
}

/** The sequence that versions are taken from. */
export const EMBEDDING_VERSION = 'ai.embedding_version';

/** The states of those entities that have one, by id. */
export async function findStates(
  db: Queryable,
  collection: string,
  entityIds: readonly string[],
): Promise<Map<string, EmbeddingState>> {
  const { rows } = await db.query<{
    entity_id: string;
    is_written: boolean;
    removed: boolean;
    content_hash: string | null;
    payload_hash: string | null;
  }>(
    `SELECT entity_id, coalesce(version = written_version, false) AS is_written, removed, content_hash, payload_hash
     FROM ai.embedding_state WHERE collection = $1 AND entity_id = ANY($2)`,
    [collection, entityIds],
  );
  return new Map(
    rows.map((row) => {
      const { removed, content_hash: contentHash, payload_hash: payloadHash } = row;
      const written = row.is_written ? { removed, contentHash, payloadHash } : undefined;
      return [row.entity_id, { entityId: row.entity_id, written }];
    }),
  );
}

/**
 * Notes what is about to be written under a version.
 * @returns by id, for those that nobody has overtaken: whether a point of it may have been there before.
 */
export async function intend(
  tx: Queryable,
  collection: string,
  version: number,
  intents: readonly Intent[],
): Promise<Record<string, boolean>> {
  const before = await tx.query<{ entity_id: string; has_point: boolean }>(
    `SELECT entity_id, has_point FROM ai.embedding_state WHERE collection = $1 AND entity_id = ANY($2)
     ORDER BY entity_id FOR UPDATE`,
    [collection, intents.map(({ entityId }) => entityId)],
  );
  const hadPoint = new Map(before.rows.map((row) => [row.entity_id, row.has_point]));
  const { rows } = await tx.query<{ entity_id: string; created: boolean }>(
    `INSERT INTO ai.embedding_state AS s (collection, entity_id, version, has_point, removed)
     SELECT $1, intent."entityId", $2, NOT intent.removed, intent.removed
     FROM json_to_recordset($3) AS intent("entityId" uuid, removed boolean)
     ORDER BY intent."entityId"
     ON CONFLICT (collection, entity_id) DO UPDATE SET
       version = excluded.version, removed = excluded.removed, has_point = s.has_point OR excluded.has_point
     WHERE s.version < excluded.version
     RETURNING entity_id, xmax = 0 AS created`,
    [collection, version, JSON.stringify(intents)],
  );
  // One that came between the two statements may have had a point.
  const had = ({ entity_id: id, created }: (typeof rows)[number]): boolean =>
    hadPoint.get(id) ?? !created;
  return Object.fromEntries(rows.map((row) => [row.entity_id, had(row)]));
}

/** Notes that the intents of a version are carried out, where nobody has had a later one. */
export async function markWritten(
  tx: Queryable,
  collection: string,
  version: number,
  written: readonly Written[],
): Promise<void> {
  await tx.query(
    `UPDATE ai.embedding_state s SET written_version = $2, content_hash = w."contentHash",
       payload_hash = w."payloadHash", source_at = w."sourceAt"
     FROM json_to_recordset($3) AS w("entityId" uuid, "contentHash" text, "payloadHash" text, "sourceAt" timestamptz)
     WHERE s.collection = $1 AND s.entity_id = w."entityId" AND s.version = $2`,
    [collection, version, JSON.stringify(written)],
  );
}

/** Unchanged entities whose rows are newer than what was noted: their text was looked at again. */
export async function markSeen(
  tx: Queryable,
  collection: string,
  seen: readonly { entityId: string; sourceAt: string }[],
): Promise<void> {
  await tx.query(
    `UPDATE ai.embedding_state s SET source_at = greatest(s.source_at, w."sourceAt")
     FROM json_to_recordset($2) AS w("entityId" uuid, "sourceAt" timestamptz)
     WHERE s.collection = $1 AND s.entity_id = w."entityId"`,
    [collection, JSON.stringify(seen)],
  );
}
