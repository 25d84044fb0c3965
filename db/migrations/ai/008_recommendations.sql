-- What people said of recommended practices. No row: nothing, or taken back.
CREATE TABLE ai.recommendation_feedback (
  -- External id of the user.
  user_id text NOT NULL,
  -- External id of the practice.
  practice_id uuid NOT NULL,
  verdict text NOT NULL CHECK (verdict IN ('like', 'dislike')),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, practice_id)
);

-- Versions of cached recommendations: taken before anything is read for them.
CREATE SEQUENCE ai.recommendation_version;
