-- +goose Up
CREATE TABLE temperature_sensor (
    id       uuid PRIMARY KEY,
    org      uuid NOT NULL,
    location uuid NOT NULL,
    name     text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    celsius  double precision,
    FOREIGN KEY (org, location) REFERENCES location (org, id) ON DELETE CASCADE
);
CREATE INDEX temperature_sensor_list ON temperature_sensor (org, name, id);
SELECT make_tenant('temperature_sensor');

-- +goose Down
DROP TABLE temperature_sensor;
