package ask

import (
	"encoding/json"

	"mybeacon/engine/export"
)

// Words is a text in the languages of the console.
type Words = export.Words

// TableDoc says what a row of a table or view is; empty where nothing is known.
func TableDoc(name string) Words {
	return map[string]Words{
		"visits":           {En: "One stay of a tag in a zone, with names and dwell_s", Ru: "Одно пребывание метки в зоне, с именами и длительностью dwell_s"},
		"occupancy":        {En: "How many tags were in a zone from at on; one row per change", Ru: "Сколько меток было в зоне начиная с at; строка на каждое изменение"},
		"last_seen":        {En: "Where each tag was last", Ru: "Где каждую метку видели в последний раз"},
		"fixes":            {En: "Where a tag was, from at for valid_for_ms; say FINAL", Ru: "Где была метка: с момента at в течение valid_for_ms; нужен FINAL"},
		"names":            {En: "What people call a thing", Ru: "Как называются объекты"},
		"observations":     {En: "One transmitter heard once by one receiver; say FINAL when counting", Ru: "Один передатчик, услышанный один раз одним приёмником; для подсчёта нужен FINAL"},
		"zone_visits":      {En: "One stay as it is stored; ask visits instead", Ru: "Пребывание в том виде, как оно хранится; лучше спрашивать visits"},
		"quarantine":       {En: "An observation whose time cannot be believed", Ru: "Наблюдение, времени которого нельзя верить"},
		"receiver_offsets": {En: "What was learned of a receiver, in force from from_at on", Ru: "Чему система научилась о приёмнике; действует с from_at"},
		"rederivations":    {En: "A tag's late data that were worked in", Ru: "Опоздавшие данные метки, которые были учтены"},
	}[name]
}

// Text returns the text in the row's column of the name, "" where there is none.
func Text(row []any, columns []Column, name string) string {
	for i, c := range columns {
		if c.Name == name && i < len(row) {
			raw, _ := row[i].(json.RawMessage)
			var text string
			_ = json.Unmarshal(raw, &text) // no text: none
			return text
		}
	}
	return ""
}
