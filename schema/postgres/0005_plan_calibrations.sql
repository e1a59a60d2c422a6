-- +goose Up
-- What plans have learned about their receivers' radio, as it was some seconds
-- before the server stopped. Plans are products', so nothing refers to one here;
-- a row of a plan that is no more means nothing.
CREATE TABLE plan_calibrations (
    plan_id  uuid PRIMARY KEY,
    saved_at timestamptz NOT NULL,
    state    jsonb NOT NULL
);

-- +goose Down
DROP TABLE plan_calibrations;
