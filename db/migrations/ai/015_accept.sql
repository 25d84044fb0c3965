-- Accepting requests: the whole decision about many of them is one statement. See db/tasks/request.ts for what the fields mean.

CREATE TYPE ai.task_request AS (
  -- Position in the call.
  nth integer,
  id uuid,
  is_chosen_id boolean,
  name text,
  queue text,
  priority smallint,
  payload text,
  options json,
  eta timestamptz,
  delay_ms float8,
  expires_ms float8,
  user_id text,
  subject text,
  dedupe_key text,
  debounce_ms float8,
  max_wait_ms float8,
  -- Whether a request for a started task runs it once more, and one for an unstarted task replaces its payload.
  trails boolean,
  unique_for_ms float8,
  idempotency_key text,
  keyed_request text,
  quota_most bigint,
  quota_within_ms float8,
  input_hash text
);

CREATE TYPE ai.task_answer AS (
  -- The task that answers the request.
  id uuid,
  status text,
  -- created, unfinished, trailing, repeated or finished; null if the request is refused.
  outcome text,
  delay_ms float8,
  -- The code of the error.
  refusal text,
  retry_after_seconds float8
);

-- Whole milliseconds until a row may run, 0 if it may run now. Epochs are subtracted, as infinite times cannot be.
CREATE FUNCTION ai.delay_ms(run_at timestamptz) RETURNS float8 LANGUAGE sql STABLE
  RETURN coalesce(greatest(0, ceil((extract(epoch FROM run_at) - extract(epoch FROM now())) * 1000)), 0)::float8;

-- Stores new rows, except those whose id or unfinished work is there already. Of requests with the same id, the first counts.
CREATE FUNCTION ai.store_requests(requests ai.task_request[], as_trailing boolean)
  RETURNS TABLE (nth integer, delay_ms float8) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY
  WITH stored AS (
    INSERT INTO ai.tasks AS t (id, name, queue, priority, payload, user_id, subject, dedupe_key, input_hash, options,
      run_at, expires_at, check_at, trails)
    SELECT r.id, r.name, r.queue, r.priority, r.payload::json, r.user_id, r.subject, r.dedupe_key, r.input_hash, r.options,
      coalesce(r.eta, now() + coalesce(r.delay_ms, r.debounce_ms) * interval '1 millisecond'),
      now() + r.expires_ms * interval '1 millisecond',
      CASE WHEN as_trailing THEN 'infinity' ELSE now() + interval '2 seconds' END,
      as_trailing
    FROM unnest(requests) AS r
    -- Concurrent statements share this order, so that they do not deadlock.
    ORDER BY r.id, r.nth
    ON CONFLICT DO NOTHING
    RETURNING t.id, t.run_at)
  SELECT DISTINCT ON (s.id) r.nth, ai.delay_ms(s.run_at)
  FROM stored s JOIN unnest(requests) AS r ON r.id = s.id
  ORDER BY s.id, r.nth;
END $$;

-- Serialises requests for the same Idempotency-Key, chosen id, trailing task or quota until the transaction ends.
-- Returns false if somebody else holds a lock and the caller does not wait. A caller that does takes the lock of a quota only once
-- there is a new row to count, and that of work only if it may trail, as releases before this one do.
CREATE FUNCTION ai.lock_request(r ai.task_request, waits boolean) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  lock bigint;
  locks bigint[] := ARRAY[
    hashtextextended(r.user_id || ':' || r.idempotency_key, 0),
    CASE WHEN r.is_chosen_id THEN hashtextextended(r.id::text, 1) END,
    CASE WHEN r.trails OR NOT waits THEN hashtextextended(r.dedupe_key, 2) END,
    CASE WHEN r.quota_most IS NOT NULL AND NOT waits THEN hashtextextended(r.user_id || ':' || r.name, 3) END];
BEGIN
  FOREACH lock IN ARRAY array_remove(locks, NULL) LOOP
    IF waits THEN
      PERFORM pg_advisory_xact_lock(lock);
    ELSIF NOT pg_try_advisory_xact_lock(lock) THEN
      RETURN false;
    END IF;
  END LOOP;
  RETURN true;
END $$;

-- The task that a request with the same Idempotency-Key got. A key lives for 24 hours, as db/tasks/prune.ts knows too.
CREATE FUNCTION ai.find_same_key(r ai.task_request) RETURNS ai.task_answer LANGUAGE plpgsql AS $$
DECLARE
  earlier record;
BEGIN
  DELETE FROM ai.idempotency_keys k
  WHERE k.user_id = r.user_id AND k.key = r.idempotency_key AND k.created_at < now() - interval '24 hours';
  SELECT t.id, t.status, t.status = 'done' AND t.finished_at <= k.created_at AS was_done,
    -- Keys written by earlier releases hold the payload.
    k.name = r.name AND k.payload IN (coalesce(r.keyed_request, r.payload), r.payload) AS same
  INTO earlier
  FROM ai.idempotency_keys k JOIN ai.tasks t ON t.id = k.task_id
  WHERE k.user_id = r.user_id AND k.key = r.idempotency_key;
  IF earlier.id IS NULL THEN
    RETURN NULL;
  END IF;
  IF NOT earlier.same THEN
    RETURN ROW(NULL, NULL, NULL, NULL, 'IDEMPOTENCY_KEY_REUSED', NULL)::ai.task_answer;
  END IF;
  RETURN ROW(earlier.id, earlier.status, CASE WHEN earlier.was_done THEN 'finished' ELSE 'repeated' END, NULL, NULL, NULL)::ai.task_answer;
END $$;

-- The task of this id, if it is the same.
CREATE FUNCTION ai.find_same_id(r ai.task_request) RETURNS ai.task_answer LANGUAGE plpgsql AS $$
DECLARE
  earlier record;
BEGIN
  SELECT t.id, t.status,
    -- A later request for the key may have replaced the payload.
    t.name = r.name AND (t.payload::text = r.payload OR coalesce(t.dedupe_key = r.dedupe_key, false)) AS same
  INTO earlier
  FROM ai.tasks t WHERE t.id = r.id;
  IF earlier.id IS NULL THEN
    RETURN NULL;
  END IF;
  IF NOT earlier.same THEN
    RETURN ROW(NULL, NULL, NULL, NULL, 'TASK_ID_TAKEN', NULL)::ai.task_answer;
  END IF;
  RETURN ROW(earlier.id, earlier.status, 'repeated', NULL, NULL, NULL)::ai.task_answer;
END $$;

-- What stands for a new row: the newest finished task of the key, if it is unique for a period that has not passed, or if its input
-- was the same. An older one would give an outdated result.
CREATE FUNCTION ai.find_finished(r ai.task_request) RETURNS ai.task_answer LANGUAGE plpgsql AS $$
DECLARE
  earlier record;
BEGIN
  IF r.unique_for_ms IS NOT NULL THEN
    -- A task that was accepted within the period also finished within it, which the index knows.
    SELECT t.id, t.status INTO earlier
    FROM ai.tasks t
    WHERE t.dedupe_key = r.dedupe_key AND t.finished_at > now() - r.unique_for_ms * interval '1 millisecond'
      AND t.created_at > now() - r.unique_for_ms * interval '1 millisecond'
    ORDER BY t.finished_at DESC LIMIT 1;
    IF FOUND THEN
      RETURN ROW(earlier.id, earlier.status, 'repeated', NULL, NULL, NULL)::ai.task_answer;
    END IF;
  END IF;
  IF r.input_hash IS NOT NULL THEN
    SELECT t.id, t.input_hash INTO earlier
    FROM ai.tasks t
    WHERE t.dedupe_key = r.dedupe_key AND t.status = 'done' AND t.finished_at IS NOT NULL
    ORDER BY t.finished_at DESC LIMIT 1;
    IF FOUND AND earlier.input_hash = r.input_hash THEN
      RETURN ROW(earlier.id, 'done', 'finished', NULL, NULL, NULL)::ai.task_answer;
    END IF;
  END IF;
  RETURN NULL;
END $$;

-- The refusal of a new row that is one too many for its user, with the time until the oldest of those leaves the quota. Only new rows
-- count: joining unfinished work and getting finished work cost nothing.
CREATE FUNCTION ai.find_excess(r ai.task_request) RETURNS ai.task_answer LANGUAGE plpgsql AS $$
DECLARE
  seconds float8;
BEGIN
  -- Serialises the user's new tasks of this name, so that concurrent ones count each other.
  PERFORM pg_advisory_xact_lock(hashtextextended(r.user_id || ':' || r.name, 3));
  SELECT ceil(date_part('epoch', t.created_at - now()) + r.quota_within_ms / 1000) INTO seconds
  FROM ai.tasks t
  WHERE t.user_id = r.user_id AND t.name = r.name AND t.id <> r.id
    AND t.created_at > now() - r.quota_within_ms * interval '1 millisecond'
  ORDER BY t.created_at DESC OFFSET r.quota_most - 1 LIMIT 1;
  IF seconds IS NULL THEN
    RETURN NULL;
  END IF;
  RETURN ROW(NULL, NULL, NULL, NULL, 'QUOTA_EXCEEDED', greatest(1, seconds))::ai.task_answer;
END $$;

-- Moves the unfinished task of the key on to this request, or stores a new one: the task itself, or the one that runs after it.
CREATE FUNCTION ai.join_or_store(r ai.task_request, as_trailing boolean, waits boolean,
  OUT id uuid, OUT status text, OUT is_new boolean, OUT has_begun boolean, OUT delay_ms float8) LANGUAGE plpgsql AS $$
DECLARE
  joined uuid;
BEGIN
  LOOP
    IF as_trailing THEN
      SELECT t.id INTO joined FROM ai.tasks t WHERE t.dedupe_key = r.dedupe_key AND t.finished_at IS NULL AND t.trails;
    ELSE
      SELECT t.id INTO joined FROM ai.tasks t WHERE t.dedupe_key = r.dedupe_key AND t.finished_at IS NULL AND NOT t.trails;
    END IF;
    IF joined IS NOT NULL THEN
      IF NOT waits THEN
        -- An attempt holds its row until its transaction ends.
        PERFORM FROM ai.tasks t WHERE t.id = joined FOR NO KEY UPDATE SKIP LOCKED;
        EXIT WHEN NOT FOUND;
      END IF;
      UPDATE ai.tasks t SET
        requested_at = now(),
        run_at = CASE WHEN r.debounce_ms IS NOT NULL AND t.started_at IS NULL THEN least(
          now() + r.debounce_ms * interval '1 millisecond', t.created_at + r.max_wait_ms * interval '1 millisecond')
          ELSE t.run_at END,
        expires_at = CASE WHEN (r.debounce_ms IS NOT NULL OR r.trails) AND t.started_at IS NULL
          THEN now() + r.expires_ms * interval '1 millisecond' ELSE t.expires_at END,
        payload = CASE WHEN r.trails AND t.started_at IS NULL THEN r.payload::json ELSE t.payload END,
        input_hash = CASE WHEN r.trails AND t.started_at IS NULL THEN r.input_hash ELSE t.input_hash END
      WHERE t.id = joined AND t.finished_at IS NULL AND t.trails = as_trailing
      RETURNING t.id, t.status, false, t.started_at IS NOT NULL, ai.delay_ms(t.run_at)
      INTO id, status, is_new, has_begun, delay_ms;
      EXIT WHEN FOUND;
    END IF;
    SELECT r.id, 'queued', true, false, s.delay_ms INTO id, status, is_new, has_begun, delay_ms
    FROM ai.store_requests(ARRAY[r], as_trailing) s;
    -- Otherwise somebody else has stored this work meanwhile, which is joined then, or a task of this id.
    EXIT WHEN FOUND OR NOT waits OR EXISTS (SELECT FROM ai.tasks t WHERE t.id = r.id);
  END LOOP;
END $$;

-- When the started task of the key has just ended and another one trails it: drops the new row and releases the trailing one, which
-- then takes the newest payload.
CREATE FUNCTION ai.release_instead(r ai.task_request) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM ai.tasks t WHERE t.dedupe_key = r.dedupe_key AND t.trails AND t.finished_at IS NULL) THEN
    RETURN false;
  END IF;
  DELETE FROM ai.tasks t WHERE t.id = r.id;
  UPDATE ai.tasks t SET trails = false, check_at = now()
  WHERE t.dedupe_key = r.dedupe_key AND t.trails AND t.finished_at IS NULL;
  RETURN true;
END $$;

-- Finds the work that answers a request, or stores a row for it. Null if somebody else holds that work and the caller does not wait.
CREATE FUNCTION ai.find_or_store(r ai.task_request, waits boolean) RETURNS ai.task_answer LANGUAGE plpgsql AS $$
DECLARE
  task record;
  runs_again boolean;
  instead ai.task_answer;
BEGIN
  SELECT * INTO task FROM ai.join_or_store(r, false, waits);
  IF task.is_new AND r.trails AND ai.release_instead(r) THEN
    SELECT * INTO task FROM ai.join_or_store(r, false, waits);
  END IF;
  runs_again := task.has_begun AND r.trails;
  IF runs_again THEN
    SELECT * INTO task FROM ai.join_or_store(r, true, waits);
  END IF;
  IF task.id IS NULL THEN
    RETURN CASE WHEN waits THEN ai.find_same_id(r) END;
  END IF;
  IF NOT task.is_new THEN
    RETURN ROW(task.id, task.status, 'unfinished',
      CASE WHEN r.debounce_ms IS NOT NULL AND NOT task.has_begun AND NOT runs_again THEN task.delay_ms END, NULL, NULL)::ai.task_answer;
  END IF;
  -- Checked after the insert: a twin that finished earlier is visible by now, and an unfinished one would have been joined.
  IF NOT runs_again AND r.dedupe_key IS NOT NULL THEN
    instead := ai.find_finished(r);
  END IF;
  IF instead IS NULL AND r.quota_most IS NOT NULL THEN
    instead := ai.find_excess(r);
  END IF;
  IF NOT instead IS NULL THEN
    DELETE FROM ai.tasks t WHERE t.id = r.id;
    RETURN instead;
  END IF;
  IF runs_again THEN
    RETURN ROW(task.id, task.status, 'trailing', NULL, NULL, NULL)::ai.task_answer;
  END IF;
  RETURN ROW(task.id, task.status, 'created', task.delay_ms, NULL, NULL)::ai.task_answer;
END $$;

-- Accepts one request. Null if somebody else holds what it needs and the caller does not wait.
CREATE FUNCTION ai.accept_request(r ai.task_request, waits boolean) RETURNS ai.task_answer LANGUAGE plpgsql AS $$
DECLARE
  has_key boolean := r.user_id IS NOT NULL AND r.idempotency_key IS NOT NULL;
  answer ai.task_answer;
BEGIN
  IF NOT ai.lock_request(r, waits) THEN
    RETURN NULL;
  END IF;
  IF has_key THEN
    answer := ai.find_same_key(r);
  END IF;
  IF answer IS NULL AND r.is_chosen_id THEN
    answer := ai.find_same_id(r);
  END IF;
  IF NOT answer IS NULL THEN
    RETURN answer;
  END IF;
  answer := ai.find_or_store(r, waits);
  IF has_key AND answer.id IS NOT NULL THEN
    INSERT INTO ai.idempotency_keys (user_id, key, task_id, name, payload)
    VALUES (r.user_id, r.idempotency_key, answer.id, r.name, coalesce(r.keyed_request, r.payload));
  END IF;
  IF waits AND r.dedupe_key IS NOT NULL THEN
    -- A sign for those that do not wait: until this transaction ends, they could not see its row.
    PERFORM pg_try_advisory_xact_lock(hashtextextended(r.dedupe_key, 2));
  END IF;
  RETURN answer;
END $$;

-- Accepts requests of different callers in one transaction, each as if it were alone. One that would have to wait for somebody
-- else's transaction, or whose id is taken, gets no answer: its caller accepts it alone.
CREATE FUNCTION ai.accept_requests(requests json) RETURNS TABLE (nth integer, answer ai.task_answer) LANGUAGE plpgsql
  -- For the rest, such as a transaction of an earlier release: the caller then tries each request alone.
  SET lock_timeout = '100ms'
  -- Planning takes longer than these statements.
  SET plan_cache_mode = 'force_generic_plan'
AS $$
DECLARE
  r ai.task_request;
  plain ai.task_request[];
BEGIN
  plain := ARRAY(
    SELECT p FROM json_populate_recordset(NULL::ai.task_request, requests) AS p
    WHERE p.dedupe_key IS NULL AND p.idempotency_key IS NULL AND p.quota_most IS NULL);
  RETURN QUERY
    SELECT s.nth, ROW(p.id, 'queued', 'created', s.delay_ms, NULL, NULL)::ai.task_answer
    FROM ai.store_requests(plain, false) s JOIN unnest(plain) AS p ON p.nth = s.nth;
  FOR r IN
    SELECT k.* FROM json_populate_recordset(NULL::ai.task_request, requests) AS k
    WHERE k.dedupe_key IS NOT NULL OR k.idempotency_key IS NOT NULL OR k.quota_most IS NOT NULL
  LOOP
    nth := r.nth;
    answer := ai.accept_request(r, false);
    IF NOT answer IS NULL THEN
      RETURN NEXT;
    END IF;
  END LOOP;
END $$;

-- Requests without a key, and unfinished tasks, are in no index they are not looked up by. The first is looked up by releases before
-- this one as unfinished work, too, and stays as it is: tasks_unfinished.
DROP INDEX ai.tasks_finished;
CREATE INDEX tasks_finished ON ai.tasks (dedupe_key, finished_at) WHERE finished_at IS NOT NULL AND dedupe_key IS NOT NULL;
DROP INDEX ai.tasks_failed;
CREATE INDEX tasks_failed ON ai.tasks (subject, name) WHERE finished_at IS NOT NULL AND subject IS NOT NULL;
