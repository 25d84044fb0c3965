-- What is old enough to be deleted is found without reading all that is not.
CREATE INDEX tasks_ended ON ai.tasks (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX idempotency_keys_age ON ai.idempotency_keys (created_at);
