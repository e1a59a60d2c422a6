-- +goose Up
-- Who may do what can also change by hand or by a script: open sockets must hear
-- of it as of any other change. The server's own changes announce themselves.

-- +goose StatementBegin
CREATE FUNCTION tell_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('mybeacon_changed', 'core');
    RETURN NULL;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER account_changed AFTER UPDATE OR DELETE ON account
    FOR EACH ROW EXECUTE FUNCTION tell_changed();
CREATE TRIGGER api_token_changed AFTER UPDATE OR DELETE ON api_token
    FOR EACH ROW EXECUTE FUNCTION tell_changed();
-- Expired sessions are swept at every login and matter to nobody.
CREATE TRIGGER session_ended AFTER DELETE ON sessions
    FOR EACH ROW WHEN (old.expiry > now()) EXECUTE FUNCTION tell_changed();
-- last_seen changes every few seconds.
CREATE TRIGGER device_changed AFTER UPDATE OF org, location, clock, token_hash ON device
    FOR EACH ROW EXECUTE FUNCTION tell_changed();
CREATE TRIGGER device_removed AFTER DELETE ON device
    FOR EACH ROW EXECUTE FUNCTION tell_changed();

-- +goose Down
DROP TRIGGER device_removed ON device;
DROP TRIGGER device_changed ON device;
DROP TRIGGER session_ended ON sessions;
DROP TRIGGER api_token_changed ON api_token;
DROP TRIGGER account_changed ON account;
DROP FUNCTION tell_changed();
