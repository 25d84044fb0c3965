-- What ClickHouse says of an event it does not take. Such a one waits for somebody to look, and holds up no other.
ALTER TABLE ai.events_outbox ADD COLUMN refusal text;
DROP INDEX ai.events_outbox_unsent;
CREATE INDEX events_outbox_unsent ON ai.events_outbox (received_at) WHERE sent_at IS NULL AND refusal IS NULL;
