package blehttp_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"mybeacon/http/blehttp"
)

type imported struct {
	Rows             []blehttp.TagRow
	Created, Changed int
}

func (r tagged) table(t *testing.T, table string, dry bool) imported {
	t.Helper()
	got := r.owner.Do("POST", fmt.Sprintf("%s/tags/import?dry_run=%t", root, dry), []byte(table), "Content-Type", "text/csv")
	if got.StatusCode != 200 {
		t.Fatalf("%d %s", got.StatusCode, got.Bytes)
	}
	var out imported
	if err := json.Unmarshal(got.Bytes, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

const uuid = "01020304-0506-0708-090A-0B0C0D0E0F10"

// Spreadsheets' own spellings are read, and each wrong line says what is wrong with it.
func TestImport(t *testing.T) {
	r := startTags(t)
	r.add(1, "old")
	table := "\ufeffUUID;Major;Minor;Type;Name;Description\r\n" +
		uuid + ";7;1;person;Мария;\r\n" + // known: bound anew
		strings.ReplaceAll(uuid, "-", "") + ";7,0;2.00;;\"Тележка \"\"синяя\"\"; большая\";строка\r\n" + // quoted, decimal
		uuid + ";7;2;asset;twice;\r\n" +
		uuid + ";70000;3;asset;x;\r\n" +
		uuid + ";7;4;robot;x;\r\n" +
		uuid + ";7;5;asset;'=1+1;\r\n" +
		uuid + ";7;6;asset;;\r\n" + // bound to nothing
		";;;;;\r\n"
	dry := r.table(t, table, true)
	var before list[blehttp.Tag]
	r.owner.Want(200, "GET", root+"/tags", nil, &before)
	if len(before.Items) != 1 || before.Items[0].Name != "old" {
		t.Fatalf("a dry run changed %+v", before.Items)
	}
	got := r.table(t, table, false)
	if fmt.Sprint(dry) != fmt.Sprint(got) {
		t.Errorf("the dry run said %+v, then it was %+v", dry, got)
	}
	var outcomes []string
	for _, row := range got.Rows {
		outcomes = append(outcomes, fmt.Sprintf("%d %s", row.Line, row.Outcome))
	}
	want := "[2 changed 3 created 4 refused 5 refused 6 refused 7 created 8 created]"
	if fmt.Sprint(outcomes) != want || got.Created != 3 || got.Changed != 1 || !strings.Contains(got.Rows[2].Problem, "line 3") {
		t.Errorf("got %v\nwant %s\n%+v", outcomes, want, got)
	}
	var after list[blehttp.Tag]
	r.owner.Want(200, "GET", root+"/tags?unbound=false", nil, &after)
	var names []string
	for _, tag := range after.Items {
		names = append(names, tag.Name)
	}
	if fmt.Sprintf("%q", names) != `["=1+1" "Мария" "Тележка \"синяя\"; большая"]` {
		t.Errorf("got %q", names)
	}
}

// What is exported changes nothing when it is imported, whatever the names are.
func TestTableRoundTrip(t *testing.T) {
	r := startTags(t)
	for i, name := range []string{"=1+1", "'=x", "-5", "a;b,\"c\"", "Ёж", "@home", "''", "+7 900"} {
		r.add(i, name)
	}
	table := r.owner.Do("GET", root+"/tags.csv", nil)
	for line := range strings.SplitSeq(string(table.Bytes), "\r\n") {
		for cell := range strings.SplitSeq(line, ",") {
			if strings.ContainsAny(cell[:min(len(cell), 1)], "=+-@") {
				t.Errorf("a formula: %s", line)
			}
		}
	}
	got := r.table(t, string(table.Bytes), false)
	if got.Created != 0 || got.Changed != 0 || len(got.Rows) != 8 {
		t.Errorf("got %+v", got)
	}
	for _, bad := range []string{"", "name\nx\n", "mac,name\n\xcc\xe0,x\n", "mac,name\n\"x\n"} {
		if r := r.owner.Do("POST", root+"/tags/import", []byte(bad), "Content-Type", "text/csv"); r.StatusCode != 422 && r.StatusCode != 400 {
			t.Errorf("%q: %d", bad, r.StatusCode)
		}
	}
}

// Ten thousand lines are done at once.
func TestLargeImport(t *testing.T) {
	r := startTags(t)
	var table strings.Builder
	table.WriteString("transmitter,type,name\n")
	for i := range 10_000 {
		fmt.Fprintf(&table, "ibeacon:%s/%d/%d,asset,Box %d\n", uuid, i/1000, i%1000, i)
	}
	began := time.Now()
	got := r.table(t, table.String(), false)
	t.Logf("10,000 lines in %v", time.Since(began))
	if got.Created != 10_000 {
		t.Errorf("%d created", got.Created)
	}
}
