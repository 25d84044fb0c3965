-- What the tasks wrote (ai.practice_feedback) and what it cost to write it (ai.llm_calls).
-- Neither refers to ai.tasks, which is pruned sooner, nor to practices, which the product owns.

CREATE TABLE ai.practice_feedback (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  task_id uuid NOT NULL UNIQUE,
  -- External id of the practice.
  practice_id uuid NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  locale text NOT NULL CHECK (locale IN ('zh-TW', 'en')),
  text text NOT NULL,
  breakthrough text NOT NULL,
  rhythm text NOT NULL,
  insight text NOT NULL,
  input_hash text NOT NULL,
  prompt_version text NOT NULL,
  provider text NOT NULL,
  model text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (practice_id, version)
);

CREATE TABLE ai.llm_calls (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  task_id uuid NOT NULL,
  step text NOT NULL,
  provider text NOT NULL,
  model text NOT NULL,
  prompt_version text NOT NULL,
  -- Null when the provider did not say.
  prompt_tokens integer,
  completion_tokens integer,
  latency_ms integer NOT NULL,
  status text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (task_id, step)
);
