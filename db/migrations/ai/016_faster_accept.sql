-- Accepting costs a fifth less: requests are parsed once, and stored without a look back at them. The functions decide as before.

-- Stores new rows, except those whose id or unfinished work is there already. Of requests with the same id, the first counts.
-- It takes the place of ai.store_requests, which processes of the release before still call.
CREATE FUNCTION ai.insert_requests(requests ai.task_request[], as_trailing boolean)
  RETURNS TABLE (id uuid, delay_ms float8) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY
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
  RETURNING t.id, ai.delay_ms(t.run_at);
END $$;

-- Moves the unfinished task of the key on to this request, or stores a new one: the task itself, or the one that runs after it.
CREATE OR REPLACE FUNCTION ai.join_or_store(r ai.task_request, as_trailing boolean, waits boolean,
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
    SELECT s.id, 'queued', true, false, s.delay_ms INTO id, status, is_new, has_begun, delay_ms
    FROM ai.insert_requests(ARRAY[r], as_trailing) s;
    -- Otherwise somebody else has stored this work meanwhile, which is joined then, or a task of this id.
    EXIT WHEN FOUND OR NOT waits OR EXISTS (SELECT FROM ai.tasks t WHERE t.id = r.id);
  END LOOP;
END $$;

-- Accepts requests of different callers in one transaction, each as if it were alone. One that would have to wait for somebody
-- else's transaction, or whose id is taken, gets no answer: its caller accepts it alone.
CREATE OR REPLACE FUNCTION ai.accept_requests(requests json) RETURNS TABLE (nth integer, answer ai.task_answer) LANGUAGE plpgsql
  -- For the rest, such as a transaction of an earlier release: the caller then tries each request alone.
  SET lock_timeout = '100ms'
  -- Planning takes longer than these statements.
  SET plan_cache_mode = 'force_generic_plan'
AS $$
DECLARE
  r ai.task_request;
  plain ai.task_request[] := '{}';
  keyed ai.task_request[] := '{}';
BEGIN
  FOR r IN SELECT * FROM json_populate_recordset(NULL::ai.task_request, requests) LOOP
    IF r.dedupe_key IS NULL AND r.idempotency_key IS NULL AND r.quota_most IS NULL THEN
      plain := plain || r;
    ELSE
      keyed := keyed || r;
    END IF;
  END LOOP;
  -- First, as a quota counts them.
  IF cardinality(plain) > 0 THEN
    RETURN QUERY
      SELECT DISTINCT ON (s.id) p.nth, ROW(s.id, 'queued', 'created', s.delay_ms, NULL, NULL)::ai.task_answer
      FROM ai.insert_requests(plain, false) s JOIN unnest(plain) AS p ON p.id = s.id
      ORDER BY s.id, p.nth;
  END IF;
  FOREACH r IN ARRAY keyed LOOP
    nth := r.nth;
    answer := ai.accept_request(r, false);
    IF NOT answer IS NULL THEN
      RETURN NEXT;
    END IF;
  END LOOP;
END $$;
