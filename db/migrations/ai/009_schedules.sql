-- Beat. The schedules themselves are code; here is how far each was kept, and what operators changed.
CREATE TABLE ai.schedules (
  name text PRIMARY KEY,
  -- Its slots up to here are dealt with.
  handled_to timestamptz NOT NULL,
  -- { enabled?, cron?, everyMs?, timezone? } in place of what the code says.
  edits jsonb NOT NULL DEFAULT '{}',
  edited_by text,
  edited_at timestamptz
);

-- What was due, and what came of it. The key is what makes a slot fire once, whoever is at it.
CREATE TABLE ai.schedule_slots (
  schedule text NOT NULL,
  slot timestamptz NOT NULL,
  -- skipped: what was started before had not ended.
  outcome text NOT NULL DEFAULT 'fired' CHECK (outcome IN ('fired', 'skipped')),
  -- Who asked for it out of turn; null: beat.
  asked_by text,
  -- The task that was accepted, or the one that had not ended; set in the transaction that inserts.
  task_id uuid,
  -- The first of the slots it stands for, where more were missed than this one.
  missed_since timestamptz,
  fired_at timestamptz NOT NULL,
  PRIMARY KEY (schedule, slot)
);
CREATE INDEX schedule_slots_by_age ON ai.schedule_slots (fired_at);

-- Who changed a schedule, and how. Kept for ever: people do not do so often.
CREATE TABLE ai.schedule_changes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  schedule text NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  changed_by text NOT NULL,
  -- edited, run
  action text NOT NULL,
  details jsonb NOT NULL
);
CREATE INDEX schedule_changes_by_schedule ON ai.schedule_changes (schedule, id);
