/**
 * `ai.embedding_state`: what the vector store holds for each user and practice, and how new it is. A writer takes a version, reads
 * the text, records its intent, writes the point and marks it written. Only a greater version replaces a point, and a removed one
 * leaves a tombstone, so a writer that was overtaken or killed midway restores nothing.
 */
import type { Queryable } from '../stores/postgres.ts';

export interface EmbeddingState {
  entityId: string;
  /** Undefined while a write is under way or after it was cut short. */
  written: { removed: boolean; contentHash: string | null; payloadHash: string | null } | undefined;
}

/** An upcoming write of an entity. */
export interface Intent {
  entityId: string;
  removed: boolean;
}

export interface Written extends Intent {
  contentHash: string | null;
  payloadHash: string | null;
  /** As Postgres formats it, to the microsecond. */
  sourceAt: string;
}

/** Sequence of versions. */
export const EMBEDDING_VERSION = 'ai.embedding_version';

/** Existing states by entity id. */
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

/** Records the intents of a version. @returns by id, without overtaken ones: whether the entity may have had a point before. */
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
  // A row inserted between the two statements may have had a point.
  const had = ({ entity_id: id, created }: (typeof rows)[number]): boolean =>
    hadPoint.get(id) ?? !created;
  return Object.fromEntries(rows.map((row) => [row.entity_id, had(row)]));
}

/** Marks the intents of a version as carried out, except where a later version has overtaken them. */
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

/** Records that unchanged entities with newer rows were checked again. */
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
