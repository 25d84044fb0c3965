-- A call that met a task which had begun already may run once more when that one has ended: at most one for a key waits for
-- that. Nobody looks at it (check_at is infinity) before it is released.
ALTER TABLE ai.tasks ADD COLUMN trails boolean NOT NULL DEFAULT false;

DROP INDEX ai.tasks_unfinished;
CREATE UNIQUE INDEX tasks_unfinished ON ai.tasks (dedupe_key) WHERE finished_at IS NULL AND NOT trails;
CREATE UNIQUE INDEX tasks_trailing ON ai.tasks (dedupe_key) WHERE finished_at IS NULL AND trails;
