-- What one person has asked for of late is counted, and what is kept of it bounded, without reading what others asked for.
CREATE INDEX tasks_of_user ON ai.tasks (user_id, name, created_at) WHERE user_id IS NOT NULL;

-- The stored steps of the newest ended task of this name and subject that has `first_step` for the same input; none if its
-- replies could not be used. What asks need not know of ai.tasks.
CREATE FUNCTION ai.stored_steps(task_name text, task_subject text, input text, first_step text)
  RETURNS TABLE (task_id uuid, step text, output json) LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT s.task_id, s.step, s.output
  FROM (SELECT t.id, t.error_code FROM ai.tasks t JOIN ai.task_steps f ON f.task_id = t.id AND f.step = first_step
        WHERE t.subject = task_subject AND t.name = task_name AND t.finished_at IS NOT NULL AND f.output ->> 'inputHash' = input
        ORDER BY t.finished_at DESC LIMIT 1) newest
  JOIN ai.task_steps s ON s.task_id = newest.id
  WHERE newest.error_code IS DISTINCT FROM 'LLM_REPLY_INVALID' AND s.output ->> 'inputHash' = input;
END;
