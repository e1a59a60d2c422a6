package mail_test

import (
	"testing"

	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
)

// An organisation's connections add mails of their own and read none, not even their
// own: a link in one opens an account.
func TestMailsOfOrganisations(t *testing.T) {
	db := postgrestest.Open(t)
	ours, theirs := postgrestest.Organisation(t, db, "Ours"), postgrestest.Organisation(t, db, "Theirs")
	f := func(what string, allowed bool, do func(postgres.Tx) error) {
		t.Helper()
		err := db.Write(t.Context(), postgres.In(ours.ID), func(tx postgres.Tx) error {
			tx.Unrecorded("a test")
			return do(tx)
		})
		if (err == nil) != allowed {
			t.Errorf("%s: %v, allowed should be %v", what, err, allowed)
		}
	}
	exec := func(sql string) func(postgres.Tx) error {
		return func(tx postgres.Tx) error { _, err := tx.Exec(t.Context(), sql); return err }
	}
	mail := func(m postgres.Mail) func(postgres.Tx) error {
		m.To, m.State, m.Template, m.Data = "a@example.org", postgres.MailKept, "test", map[string]string{}
		m.Secrets = &postgres.MailSecrets{Link: "/confirm#secret"}
		return func(tx postgres.Tx) error {
			m.ID = schema.NewID[schema.MailID]()
			return postgres.InsertMail(t.Context(), tx, m)
		}
	}
	f("a mail of its own", true, mail(postgres.Mail{Organisation: ours.ID}))
	f("a mail of another", false, mail(postgres.Mail{Organisation: theirs.ID}))
	f("to read", false, exec("SELECT secrets FROM mail"))
	f("to change", false, exec("UPDATE mail SET recipient = 'thief@example.org'"))
	f("to remove", false, exec("DELETE FROM mail"))
}
