-- Why a task was tried again: a list of time, attempt, code and message, the last ten, the newest last; null for none.
ALTER TABLE ai.tasks ADD COLUMN retries jsonb;

-- How often the task has put itself off without using up an attempt (ctx.snooze), which is bounded.
ALTER TABLE ai.tasks ADD COLUMN snoozes integer NOT NULL DEFAULT 0;

-- The newest finished task of a key answers a request with the same input, or within the period for which the key is unique.
DROP INDEX ai.tasks_finished;
CREATE INDEX tasks_finished ON ai.tasks (dedupe_key, finished_at) WHERE finished_at IS NOT NULL;
