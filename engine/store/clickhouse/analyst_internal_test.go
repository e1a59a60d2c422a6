package clickhouse

import (
	"strings"
	"testing"

	"mybeacon/engine/embedded/chhost"
	"mybeacon/schema"
)

// The statements that make readers on a server of its own, as text: no such server
// runs here. A policy stands before the grant that it bounds, and the organisation is
// in the reader's name, which no statement can change.
func TestReadersOfAServer(t *testing.T) {
	given := chhost.Given{Filtered: []string{"fixes", "names"}, Views: []string{"visits"}}
	setup := strings.Join(readerSetup("mybeacon", given), "\n")
	for _, want := range []string{
		"CREATE ROLE IF NOT EXISTS mybeacon_reader",
		"GRANT SELECT ON `mybeacon`.`visits` TO mybeacon_reader",
		"CREATE ROW POLICY OR REPLACE mybeacon_organisation ON `mybeacon`.`fixes` USING org = toUUIDOrNull(substring(currentUser(), 17)) TO mybeacon_reader",
		"CREATE ROW POLICY OR REPLACE mybeacon_rest ON `mybeacon`.`names` USING 1 TO ALL EXCEPT mybeacon_reader",
	} {
		if !strings.Contains(setup, want) {
			t.Errorf("the setup lacks %s\n%s", want, setup)
		}
	}
	for _, table := range given.Filtered {
		on := "`mybeacon`.`" + table + "`"
		if strings.Index(setup, "mybeacon_organisation ON "+on) > strings.Index(setup, "GRANT SELECT ON "+on) {
			t.Errorf("%s can be read before its policy stands", table)
		}
	}
	id := schema.NewID[schema.OrganisationID]()
	if name := readerName(id); name[16:] != id.String() {
		t.Errorf("the policy reads %q from %q", name[16:], name)
	}
	user := strings.Join(readerUser(id, "secret"), "\n")
	if strings.Contains(user, "secret") || !strings.Contains(user, "readonly = 1 CONST") {
		t.Errorf("%s", user)
	}
}
