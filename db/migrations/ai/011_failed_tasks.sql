-- How often a task has failed for good for a subject.
CREATE INDEX tasks_failed ON ai.tasks (subject, name) WHERE status = 'error';
