-- Requests of one group that have nothing to do with each other are stored by one statement, which takes a third less time.

-- Accepts requests without Idempotency-Key or chosen id, each of another user and for other work. Most are for new work: all are
-- stored first, and what something else may answer is taken back and decided about alone. That includes a trailing task without its
-- started one, which has left a finished row.
CREATE FUNCTION ai.accept_unrelated(requests ai.task_request[]) RETURNS TABLE (nth integer, answer ai.task_answer)
  LANGUAGE plpgsql AS $$
DECLARE
  r ai.task_request;
  free ai.task_request[] := '{}';
  stored uuid[];
  delays float8[];
  taken_back uuid[];
  place integer;
BEGIN
  FOREACH r IN ARRAY requests LOOP
    IF ai.lock_request(r, false) THEN
      free := free || r;
    END IF;
  END LOOP;
  SELECT array_agg(s.id), array_agg(s.delay_ms) INTO stored, delays FROM ai.insert_requests(free, false) s;
  -- Scalar subqueries, so that a plan made while the table is small reads no more of it later.
  taken_back := ARRAY(
    SELECT f.id FROM unnest(free) f
    WHERE f.id = ANY (stored) AND (
      (SELECT true FROM ai.tasks t WHERE t.dedupe_key = f.dedupe_key AND t.finished_at IS NOT NULL LIMIT 1)
      -- One more than the quota, as the new row counts here.
      OR (SELECT true FROM ai.tasks t
        WHERE t.user_id = f.user_id AND t.name = f.name
          AND t.created_at > now() - f.quota_within_ms * interval '1 millisecond'
        ORDER BY t.created_at DESC OFFSET f.quota_most LIMIT 1)));
  IF cardinality(taken_back) > 0 THEN
    DELETE FROM ai.tasks t WHERE t.id = ANY (taken_back);
  END IF;
  FOREACH r IN ARRAY free LOOP
    nth := r.nth;
    place := array_position(stored, r.id);
    IF place IS NULL OR r.id = ANY (taken_back) THEN
      answer := ai.accept_request(r, false);
    ELSE
      answer := ROW(r.id, 'queued', 'created', delays[place], NULL, NULL)::ai.task_answer;
    END IF;
    IF NOT answer IS NULL THEN
      RETURN NEXT;
    END IF;
  END LOOP;
END $$;

-- As before, in the order of the requests after the plain ones.
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
  unrelated ai.task_request[] := '{}';
  -- Users and work of the unrelated ones.
  concerned text[] := '{}';
  goes_alone boolean;
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
    goes_alone := r.idempotency_key IS NOT NULL OR coalesce(r.is_chosen_id, false);
    IF cardinality(unrelated) > 0 AND (goes_alone OR ARRAY[r.user_id, r.dedupe_key] && concerned) THEN
      RETURN QUERY SELECT * FROM ai.accept_unrelated(unrelated);
      unrelated := '{}';
      concerned := '{}';
    END IF;
    IF goes_alone THEN
      nth := r.nth;
      answer := ai.accept_request(r, false);
      IF NOT answer IS NULL THEN
        RETURN NEXT;
      END IF;
    ELSE
      unrelated := unrelated || r;
      concerned := concerned || r.user_id || r.dedupe_key;
    END IF;
  END LOOP;
  IF cardinality(unrelated) > 0 THEN
    RETURN QUERY SELECT * FROM ai.accept_unrelated(unrelated);
  END IF;
END $$;
