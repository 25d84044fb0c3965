-- Behaviour events on their way to ClickHouse. Sent ones are kept for a while, so that a repeat is known for one.
CREATE TABLE ai.events_outbox (
  -- External id of the user.
  user_id text NOT NULL,
  -- Chosen by the client.
  event_id uuid NOT NULL,
  event_type text NOT NULL,
  entity_type text NOT NULL,
  entity_id text NOT NULL,
  page text,
  duration_ms integer,
  value double precision,
  match_reason text,
  occurred_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  -- Since when somebody is sending it.
  taken_at timestamptz,
  sent_at timestamptz,
  PRIMARY KEY (user_id, event_id)
);
CREATE INDEX events_outbox_unsent ON ai.events_outbox (received_at) WHERE sent_at IS NULL;
CREATE INDEX events_outbox_sent ON ai.events_outbox (received_at) WHERE sent_at IS NOT NULL;
