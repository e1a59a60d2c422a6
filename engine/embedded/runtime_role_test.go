package embedded_test

import (
	"testing"

	"mybeacon/engine/embedded/embeddedtest"
)

// The server's own login is no superuser, owns nothing, and cannot become the role
// that does.
func TestRuntimeRole(t *testing.T) {
	at := embeddedtest.RuntimeURL(embeddedtest.NewPostgresDatabase(t))
	var able bool
	const rights = `SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication OR rolinherit FROM pg_roles WHERE rolname = session_user`
	if err := pgExec(t.Context(), at, rights, &able); err != nil || able {
		t.Fatalf("the runtime's role has more rights than it needs: %v, %v", able, err)
	}
	for _, forbidden := range []string{
		"SET ROLE mybeacon", "SET SESSION AUTHORIZATION mybeacon", "CREATE TABLE mine (x int)", "CREATE ROLE friend",
		"ALTER ROLE mybeacon_app SUPERUSER", "SELECT pg_read_file('postmaster.pid')", "COPY (SELECT 1) TO PROGRAM 'true'",
	} {
		if err := pgExec(t.Context(), at, forbidden); err == nil {
			t.Errorf("%s is allowed", forbidden)
		}
	}
}
