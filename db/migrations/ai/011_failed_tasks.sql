-- How often a task has failed for good for a subject. No index mentions status: an update that changes it stays cheap.
CREATE INDEX tasks_failed ON ai.tasks (subject, name) WHERE finished_at IS NOT NULL;
