-- Which request each Idempotency-Key of a user came with, and the task that answered it. A table of its own: the answer
-- may be a task that another request created.
CREATE TABLE ai.idempotency_keys (
  user_id text NOT NULL,
  key text NOT NULL,
  task_id uuid NOT NULL REFERENCES ai.tasks (id) ON DELETE CASCADE,
  name text NOT NULL,
  payload text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_task ON ai.idempotency_keys (task_id);

DROP INDEX ai.tasks_idempotency;
ALTER TABLE ai.tasks DROP COLUMN idempotency_key;
