-- Why a task was tried again: a list of time, attempt, code and message, the last ten, the newest last; null for none.
ALTER TABLE ai.tasks ADD COLUMN retries jsonb;
