-- How often a task of this name has failed for good for a subject since a time. What asks need not know of ai.tasks.
CREATE FUNCTION ai.failures(task_name text, task_subject text, since timestamptz) RETURNS bigint
  LANGUAGE sql STABLE
  RETURN (SELECT count(*) FROM ai.tasks
    WHERE name = task_name AND subject = task_subject AND status = 'error' AND finished_at IS NOT NULL AND created_at > since);
