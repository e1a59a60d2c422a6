package ble

import (
	"embed"
	"strings"

	"mybeacon/engine/ask"
)

// The statements of the ready questions, a file each, as people see and change them.
//
//go:embed questions/*.sql
var questionFiles embed.FS

// Questions implements ask.Source.
func (m *Module) Questions() []ask.Query {
	zone := ask.Param{Name: "tz", Type: "String", Default: "UTC"}
	days := func(n string) ask.Param { return ask.Param{Name: "days", Type: "UInt16", Default: n} }
	hours := func(n string) ask.Param { return ask.Param{Name: "hours", Type: "UInt16", Default: n} }
	bar := func(x, y string) *ask.Chart { return &ask.Chart{Kind: "bar", X: x, Y: y} }
	return []ask.Query{
		question("now", ask.Words{En: "Who is where now", Ru: "Кто где сейчас"}, nil, zone),
		question("zone_time", ask.Words{En: "Time in each zone today", Ru: "Время в каждой зоне за сегодня"}, bar("zone_name", "hours"), zone),
		question("busiest_hours", ask.Words{En: "Busiest hours of the day", Ru: "Самые загруженные часы"}, bar("hour_of_day", "average_tags"), days("7"), zone),
		question("first_last", ask.Words{En: "First in and last out, by day", Ru: "Первый приход и последний уход по дням"}, nil, days("7"), zone),
		question("longest", ask.Words{En: "Longest stays", Ru: "Самые долгие посещения"}, nil, days("7"), zone),
		question("routes", ask.Words{En: "Commonest ways from zone to zone", Ru: "Самые частые переходы между зонами"}, nil, days("7")),
		question("unseen", ask.Words{En: "Tags not seen lately", Ru: "Метки, которых давно не видно"}, nil, hours("24"), zone),
		question("quiet_receivers", ask.Words{En: "Receivers that hear nothing", Ru: "Приёмники, которые ничего не слышат"}, nil, hours("1"), zone),
		question("peak", ask.Words{En: "Fullest moment of each zone", Ru: "Максимальная заполненность зон"}, bar("zone_name", "most_tags"), days("7"), zone),
		question("weekdays", ask.Words{En: "Visits by weekday", Ru: "Посещения по дням недели"}, bar("weekday", "visits"), days("28"), zone),
		question("by_day", ask.Words{En: "Visits by day and zone", Ru: "Посещения по дням и зонам"}, &ask.Chart{Kind: "line", X: "day", Y: "visits", Series: "zone_name"}, days("28"), zone),
		question("strangers", ask.Words{En: "Transmitters nearby that are nobody's tag", Ru: "Чужие передатчики поблизости"}, nil, hours("24"), zone),
	}
}

func question(id string, title ask.Words, chart *ask.Chart, params ...ask.Param) ask.Query {
	sql, err := questionFiles.ReadFile("questions/" + id + ".sql")
	if err != nil {
		panic("BUG: a question has no statement: " + err.Error())
	}
	return ask.Query{ID: "ble/" + id, Product: "ble", Title: title, SQL: strings.TrimSpace(string(sql)), Params: params, Chart: chart}
}
