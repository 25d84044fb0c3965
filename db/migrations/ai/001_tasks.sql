-- Accepted work and the truth about its outcome (ai.tasks), and the inbox that makes effects happen once (ai.task_steps).

-- No index mentions status, epoch, attempts or run_at, and free space is left in every page: starting, retrying and
-- running steps are HOT updates. Only a new check_at and the end of a task touch the indexes.
CREATE TABLE ai.tasks (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  queue text NOT NULL,
  status text NOT NULL DEFAULT 'queued'
    CHECK (status IN ('queued', 'running', 'done', 'error', 'revoked')),
  -- External id of the user who asked; null for sweeps.
  user_id text,
  -- What the task is about, for instance a practice's external id.
  subject text,
  -- json, not jsonb: the text stays to the letter, large numbers and key order included.
  payload json NOT NULL,
  options json NOT NULL DEFAULT '{}',
  priority smallint NOT NULL CHECK (priority BETWEEN 0 AND 9),
  dedupe_key text,
  idempotency_key text,
  input_hash text,
  -- Not to be started before; null means at once.
  run_at timestamptz,
  -- Not to be started after; null means never too late.
  expires_at timestamptz,
  -- When the reconciler next compares the row with the queue. New rows get 2 s for the ordinary dispatch.
  check_at timestamptz NOT NULL DEFAULT now() + interval '2 seconds',
  -- When the work was last asked for; later than created_at when a request met an unfinished row.
  requested_at timestamptz NOT NULL DEFAULT now(),
  attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  -- Fencing token: grows with every start.
  epoch bigint NOT NULL DEFAULT 0,
  result json,
  error_code text,
  error_message text,
  -- Reserved for compositions: the graph and the task this one belongs to.
  graph_id uuid,
  parent_id uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  finished_at timestamptz,
  CHECK ((finished_at IS NULL) = (status IN ('queued', 'running')))
) WITH (fillfactor = 70);

-- At most one unfinished row per key.
CREATE UNIQUE INDEX tasks_unfinished ON ai.tasks (dedupe_key) WHERE finished_at IS NULL;
CREATE UNIQUE INDEX tasks_idempotency ON ai.tasks (user_id, idempotency_key)
  WHERE idempotency_key IS NOT NULL;
-- Finished work that may answer a request with the same input.
CREATE INDEX tasks_finished ON ai.tasks (dedupe_key, input_hash, finished_at)
  WHERE finished_at IS NOT NULL;
CREATE INDEX tasks_check ON ai.tasks (check_at) WHERE finished_at IS NULL;

CREATE TABLE ai.task_steps (
  task_id uuid NOT NULL REFERENCES ai.tasks (id) ON DELETE CASCADE,
  step text NOT NULL,
  epoch bigint NOT NULL,
  output json NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (task_id, step)
);
