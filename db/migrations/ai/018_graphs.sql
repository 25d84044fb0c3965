-- Graphs: tasks that run after one another, as docs/canvas.md describes. A graph is stored whole when it is accepted.

CREATE TABLE ai.graphs (
  id uuid PRIMARY KEY,
  status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'done', 'error', 'revoked')),
  -- External id of the user who asked; null for sweeps.
  user_id text,
  -- Of the request, which is the same one if it comes again.
  digest text NOT NULL,
  dedupe_key text,
  -- The node whose output is the result.
  output integer NOT NULL,
  -- Number of tasks.
  size integer NOT NULL,
  -- The task that failed first, of those whose own failure is not ignored if there are any.
  cause uuid,
  -- Ended then, whatever still runs; null means never.
  expires_at timestamptz,
  -- When the scheduler next looks for what was not released.
  check_at timestamptz NOT NULL DEFAULT now() + interval '1 minute',
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  CHECK ((finished_at IS NULL) = (status = 'running'))
);
CREATE UNIQUE INDEX graphs_unfinished ON ai.graphs (dedupe_key) WHERE finished_at IS NULL AND dedupe_key IS NOT NULL;
CREATE INDEX graphs_check ON ai.graphs (check_at) WHERE finished_at IS NULL;
CREATE INDEX graphs_ended ON ai.graphs (finished_at) WHERE finished_at IS NOT NULL;

-- A node without a task: it is done once all nodes that lead to it have ended.
CREATE TABLE ai.graph_junctions (
  graph_id uuid NOT NULL REFERENCES ai.graphs (id) ON DELETE CASCADE,
  node integer NOT NULL,
  -- The first of the nodes that lead here, which all have smaller numbers than this one.
  from_node integer NOT NULL,
  next_nodes integer[] NOT NULL,
  -- Nodes whose outputs are its own, in order.
  inputs integer[] NOT NULL,
  -- Keys of the outputs, if they form an object.
  names text[],
  -- Whether the output is that of its only input.
  passes boolean NOT NULL,
  on_error text NOT NULL CHECK (on_error IN ('fail', 'continue', 'ignore')),
  -- A task of another request, which does the work of this node: there was one when the graph was accepted.
  follows uuid,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'skipped')),
  PRIMARY KEY (graph_id, node)
);
CREATE INDEX graph_junctions_following ON ai.graph_junctions (graph_id) WHERE follows IS NOT NULL AND state = 'open';

-- A task to be stored if one of the nodes first_node to last_node fails.
CREATE TABLE ai.graph_links (
  graph_id uuid NOT NULL REFERENCES ai.graphs (id) ON DELETE CASCADE,
  first_node integer NOT NULL,
  last_node integer NOT NULL,
  request json NOT NULL,
  fired boolean NOT NULL DEFAULT false
);
CREATE INDEX graph_links_of_graph ON ai.graph_links (graph_id);

-- Place of a task in its graph (graph_id); node is null for the task of a link.
ALTER TABLE ai.tasks ADD COLUMN node integer, ADD COLUMN next_node integer, ADD COLUMN previous_node integer,
  ADD COLUMN on_error text;
-- A waiting task is not to be dispatched yet: nobody looks at it (check_at is infinity) before it is released.
-- Rows that are there have passed narrower checks.
ALTER TABLE ai.tasks DROP CONSTRAINT tasks_status_check, DROP CONSTRAINT tasks_check,
  ADD CONSTRAINT tasks_status_check CHECK (status IN ('waiting', 'queued', 'running', 'done', 'error', 'revoked')) NOT VALID,
  ADD CONSTRAINT tasks_check CHECK ((finished_at IS NULL) = (status IN ('waiting', 'queued', 'running'))) NOT VALID;
CREATE INDEX tasks_of_graph ON ai.tasks (graph_id, node) WHERE graph_id IS NOT NULL;
CREATE INDEX tasks_awaited ON ai.tasks (graph_id, next_node) WHERE graph_id IS NOT NULL AND finished_at IS NULL;

-- What a dispatch needs to know of a task.
CREATE TYPE ai.released_task AS (
  id uuid, name text, queue text, priority smallint, payload text, options text, delay_ms float8, expires_ms float8);

-- Lets nodes go, whose predecessors have ended, and those after them that end by that. The caller has locked the graphs.
-- blocked: whether the predecessor has failed, so that a task is skipped; a junction looks at all of its predecessors.
CREATE FUNCTION ai.advance(graphs uuid[], nodes integer[], blocked boolean[]) RETURNS SETOF ai.released_task
  LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  touched uuid[] := graphs;
BEGIN
  WHILE cardinality(nodes) > 0 LOOP
    RETURN QUERY
      UPDATE ai.tasks t SET status = 'queued', requested_at = now(), check_at = now() + interval '2 seconds',
        run_at = coalesce(t.run_at, now() + (t.options->>'delayMs')::float8 * interval '1 millisecond'),
        expires_at = now() + (t.options->>'expiresMs')::float8 * interval '1 millisecond'
      FROM unnest(graphs, nodes, blocked) AS w (graph_id, node, blocked)
      WHERE t.graph_id = w.graph_id AND t.node = w.node AND t.status = 'waiting' AND NOT w.blocked
      RETURNING t.id, t.name, t.queue, t.priority, t.payload::text, t.options::text, ai.delay_ms(t.run_at),
        (t.options->>'expiresMs')::float8;
    WITH wave AS (SELECT * FROM unnest(graphs, nodes, blocked) AS w (graph_id, node, blocked)),
      skipped AS (
        UPDATE ai.tasks t SET status = 'revoked', finished_at = now(), error_code = 'TASK_SKIPPED',
          error_message = 'A task before this one failed, so it did not run.'
        FROM wave w
        WHERE t.graph_id = w.graph_id AND t.node = w.node AND t.status = 'waiting' AND w.blocked
        RETURNING t.graph_id, t.next_node, t.on_error),
      passed AS (
        UPDATE ai.graph_junctions j SET state = CASE WHEN
            EXISTS (SELECT FROM ai.tasks t
              WHERE t.graph_id = j.graph_id AND t.node BETWEEN j.from_node AND j.node AND t.next_node = j.node
                AND t.status IN ('error', 'revoked') AND t.on_error = 'fail')
            OR EXISTS (SELECT FROM ai.graph_junctions o
              WHERE o.graph_id = j.graph_id AND j.node = ANY (o.next_nodes) AND o.state = 'skipped' AND o.on_error = 'fail')
          THEN 'skipped' ELSE 'done' END
        FROM (SELECT DISTINCT graph_id, node FROM wave) w
        WHERE j.graph_id = w.graph_id AND j.node = w.node AND j.state = 'open' AND j.follows IS NULL
          AND NOT EXISTS (SELECT FROM ai.tasks t
            WHERE t.graph_id = j.graph_id AND t.next_node = j.node AND t.finished_at IS NULL)
          AND NOT EXISTS (SELECT FROM ai.graph_junctions o
            WHERE o.graph_id = j.graph_id AND j.node = ANY (o.next_nodes) AND o.state = 'open')
        RETURNING j.graph_id, j.next_nodes, j.state = 'skipped' AND j.on_error = 'fail' AS blocks)
    SELECT array_agg(n.graph_id), array_agg(n.node), array_agg(n.blocks) INTO graphs, nodes, blocked
    FROM (SELECT graph_id, next_node AS node, on_error = 'fail' AS blocks FROM skipped WHERE next_node IS NOT NULL
          UNION ALL SELECT graph_id, unnest(next_nodes), blocks FROM passed) n;
  END LOOP;
  -- A failure goes on to the output, unless a node on the way ignores it, or continues, which the graph does not forget.
  UPDATE ai.graphs g SET finished_at = now(),
    status = CASE WHEN f.failed THEN 'error' ELSE 'done' END,
    cause = CASE WHEN f.failed THEN (SELECT t.id FROM ai.tasks t
      WHERE t.graph_id = g.id AND t.node IS NOT NULL AND t.status IN ('error', 'revoked') AND t.error_code <> 'TASK_SKIPPED'
      ORDER BY t.on_error = 'ignore', t.finished_at, t.node LIMIT 1) END
  FROM ai.graphs x CROSS JOIN LATERAL (SELECT
      EXISTS (SELECT FROM ai.tasks t WHERE t.graph_id = x.id AND t.status IN ('error', 'revoked')
        AND (t.on_error = 'continue' OR (t.on_error = 'fail' AND t.node = x.output)))
      OR EXISTS (SELECT FROM ai.graph_junctions j WHERE j.graph_id = x.id AND j.state = 'skipped'
        AND (j.on_error = 'continue' OR (j.on_error = 'fail' AND j.node = x.output))) AS failed) f
  WHERE x.id = ANY (touched) AND g.id = x.id AND g.finished_at IS NULL
    AND NOT EXISTS (SELECT FROM ai.tasks t WHERE t.graph_id = g.id AND t.finished_at IS NULL)
    AND NOT EXISTS (SELECT FROM ai.graph_junctions j WHERE j.graph_id = g.id AND j.state = 'open');
END $$;

-- Stores the tasks of links in whose part one of these nodes has failed, once each. A graph that has ended stores none. A task that took
-- the id of a link meanwhile does not keep the failed one from ending.
CREATE FUNCTION ai.fire_links(graphs uuid[], nodes integer[]) RETURNS SETOF ai.released_task LANGUAGE sql AS $$
  WITH fired AS (
    UPDATE ai.graph_links l SET fired = true
    FROM unnest(graphs, nodes) AS f (graph_id, node) JOIN ai.graphs g ON g.id = f.graph_id AND g.finished_at IS NULL
    WHERE l.graph_id = f.graph_id AND f.node BETWEEN l.first_node AND l.last_node AND NOT l.fired
    RETURNING l.graph_id, l.request)
  INSERT INTO ai.tasks AS n (id, name, queue, priority, payload, user_id, subject, options, run_at, expires_at, graph_id, on_error)
  SELECT r.id, r.name, r.queue, r.priority, r.payload::json, r.user_id, r.subject, r.options,
    coalesce(r.eta, now() + r.delay_ms * interval '1 millisecond'), now() + r.expires_ms * interval '1 millisecond', f.graph_id, 'ignore'
  FROM fired f, json_populate_record(NULL::ai.task_request, f.request) r
  ON CONFLICT (id) DO NOTHING
  RETURNING n.id, n.name, n.queue, n.priority, n.payload::text, n.options::text, ai.delay_ms(n.run_at),
    (extract(epoch FROM n.expires_at - now()) * 1000)::float8
$$;

-- Goes on after tasks that have ended in this transaction. The caller has locked their graphs before.
CREATE FUNCTION ai.advance_after(ended uuid[]) RETURNS SETOF ai.released_task LANGUAGE plpgsql AS $$
DECLARE
  graphs uuid[];
  nodes integer[];
  blocked boolean[];
BEGIN
  SELECT array_agg(t.graph_id), array_agg(t.node) INTO graphs, nodes
  FROM ai.tasks t WHERE t.id = ANY (ended) AND t.status IN ('error', 'revoked') AND t.error_code <> 'TASK_SKIPPED';
  RETURN QUERY SELECT * FROM ai.fire_links(graphs, nodes);
  SELECT array_agg(t.graph_id), array_agg(t.next_node), array_agg(t.status <> 'done' AND t.on_error = 'fail')
  INTO graphs, nodes, blocked
  FROM ai.tasks t WHERE t.id = ANY (ended) AND t.graph_id IS NOT NULL AND t.finished_at IS NOT NULL;
  RETURN QUERY SELECT * FROM ai.advance(graphs, nodes, blocked);
END $$;

-- Goes on wherever a graph could: after tasks of other requests that it follows, and after what ended without advancing it, as tasks
-- do that a process of an earlier release settles. The caller has locked the graph.
CREATE FUNCTION ai.advance_all(graph uuid) RETURNS SETOF ai.released_task LANGUAGE plpgsql AS $$
DECLARE
  graphs uuid[];
  nodes integer[];
  blocked boolean[];
BEGIN
  UPDATE ai.graph_junctions j SET state = CASE WHEN t.status = 'done' THEN 'done' ELSE 'skipped' END
  FROM ai.graph_junctions f LEFT JOIN ai.tasks t ON t.id = f.follows
  WHERE f.graph_id = graph AND f.follows IS NOT NULL AND f.state = 'open' AND (t.id IS NULL OR t.finished_at IS NOT NULL)
    AND j.graph_id = f.graph_id AND j.node = f.node;
  SELECT array_agg(graph), array_agg(n.node) INTO graphs, nodes FROM (
    SELECT t.node FROM ai.tasks t
    WHERE t.graph_id = graph AND t.status IN ('error', 'revoked') AND t.error_code <> 'TASK_SKIPPED'
    UNION ALL SELECT j.node FROM ai.graph_junctions j
    WHERE j.graph_id = graph AND j.follows IS NOT NULL AND j.state = 'skipped') n;
  RETURN QUERY SELECT * FROM ai.fire_links(graphs, nodes);
  SELECT array_agg(graph), array_agg(n.node), array_agg(n.blocks) INTO graphs, nodes, blocked FROM (
    SELECT t.next_node AS node, t.status <> 'done' AND t.on_error = 'fail' AS blocks
    FROM ai.tasks t WHERE t.graph_id = graph AND t.finished_at IS NOT NULL
    UNION ALL SELECT unnest(j.next_nodes), j.state = 'skipped' AND j.on_error = 'fail'
    FROM ai.graph_junctions j WHERE j.graph_id = graph AND j.state <> 'open'
    -- A junction that nothing leads to, or whose predecessors have all ended.
    UNION ALL SELECT j.node, false FROM ai.graph_junctions j WHERE j.graph_id = graph AND j.state = 'open'
    -- No node: the graph may have ended, even if none follows those that have.
    UNION ALL SELECT NULL, false) n;
  RETURN QUERY SELECT * FROM ai.advance(graphs, nodes, blocked);
END $$;

-- Lets what was skipped because of a task that is to run again wait for it, and the junctions after those, even such as had gone on. What
-- ran is left.
CREATE FUNCTION ai.reopen_after(reopened uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  graph uuid;
  nodes integer[];
BEGIN
  SELECT t.graph_id, ARRAY[t.next_node] INTO graph, nodes FROM ai.tasks t WHERE t.id = reopened;
  UPDATE ai.graphs g SET status = 'running', finished_at = NULL, cause = NULL WHERE g.id = graph;
  WHILE cardinality(nodes) > 0 LOOP
    WITH again AS (
        UPDATE ai.tasks t SET status = 'waiting', finished_at = NULL, error_code = NULL, error_message = NULL, check_at = 'infinity'
        WHERE t.graph_id = graph AND t.node = ANY (nodes) AND t.error_code = 'TASK_SKIPPED' RETURNING t.next_node),
      open AS (
        UPDATE ai.graph_junctions j SET state = 'open'
        WHERE j.graph_id = graph AND j.node = ANY (nodes) AND j.state <> 'open' AND j.follows IS NULL RETURNING j.next_nodes)
    SELECT array_agg(n.node) INTO nodes
    FROM (SELECT next_node AS node FROM again UNION SELECT unnest(next_nodes) FROM open) n;
  END LOOP;
END $$;
