-- What the vector store has been told, so that unchanged text costs no call of the embedding model.

-- Versions of points: taken before the text is read, so that a greater one never stands for older text.
CREATE SEQUENCE ai.embedding_version;

CREATE TABLE ai.embedding_state (
  -- The collection, which belongs to one embedding model.
  collection text NOT NULL,
  -- External id of the user or practice: the id of its point.
  entity_id uuid NOT NULL,
  -- Version last meant to be written, and that last known to be written: different ones tell of a write that was cut short.
  version bigint NOT NULL,
  written_version bigint,
  -- Whether a point of it may be there, a removed one (a tombstone) included.
  has_point boolean NOT NULL DEFAULT false,
  -- Whether its point was removed, or never wanted.
  removed boolean NOT NULL DEFAULT false,
  content_hash text,
  payload_hash text,
  -- How new the rows were that it was made from.
  source_at timestamptz,
  PRIMARY KEY (collection, entity_id)
);
