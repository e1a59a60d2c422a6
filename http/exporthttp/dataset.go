package exporthttp

import (
	"context"

	"mybeacon/engine/access"
	"mybeacon/engine/export"
	shell "mybeacon/http"
)

// ExportDataset is something that can be exported.
type ExportDataset struct {
	ID      string         `json:"id" example:"ble/visits"`
	Product string         `json:"product" doc:"Empty: the core's"`
	Version int            `json:"version"`
	Title   export.Words   `json:"title"`
	Columns []ExportColumn `json:"columns" nullable:"false"`
	Filters []ExportFilter `json:"filters" nullable:"false"`
}

// ExportColumn is one column of a dataset.
type ExportColumn struct {
	Name  string       `json:"name"`
	Kind  string       `json:"kind" enum:"text,time,integer,number,bool,uuid"`
	Doc   string       `json:"doc"`
	Title export.Words `json:"title" doc:"What a CSV's head says with lang"`
}

// ExportFilter is a parameter that narrows a dataset.
type ExportFilter struct {
	Name     string       `json:"name"`
	Kind     string       `json:"kind" enum:"location,plan,zone,tag,time,time_zone,choice,text,number,flag"`
	Title    export.Words `json:"title"`
	Required bool         `json:"required"`
	Repeats  bool         `json:"repeats" doc:"It may be given more than once"`
	Choices  []string     `json:"choices" nullable:"false" doc:"Of the kind choice"`
}

func datasetOf(d export.Dataset) ExportDataset {
	out := ExportDataset{ID: d.ID, Product: d.Product(), Version: d.Version, Title: d.Title, Columns: []ExportColumn{}, Filters: []ExportFilter{}}
	for _, c := range d.Columns {
		out.Columns = append(out.Columns, ExportColumn{Name: c.Name, Kind: string(c.Kind), Doc: c.Doc, Title: c.Title})
	}
	for _, f := range d.Filters {
		out.Filters = append(out.Filters, ExportFilter{
			Name: f.Name, Kind: string(f.Kind), Title: f.Title, Required: f.Required, Repeats: f.Repeats, Choices: append([]string{}, f.Choices...),
		})
	}
	return out
}

type datasetList struct {
	Body struct {
		Items []ExportDataset `json:"items" nullable:"false"`
	}
}

// datasets lists those of the products that are switched on for the caller.
func (r *routes) datasets(ctx context.Context, _ *struct{}) (*datasetList, error) {
	p := shell.PrincipalOf(ctx)
	out := &datasetList{}
	out.Body.Items = []ExportDataset{}
	for _, d := range r.exports.Catalogue.All() {
		if p.Decide(access.Export, access.Object{Product: d.Product()}) == nil {
			out.Body.Items = append(out.Body.Items, datasetOf(d))
		}
	}
	return out, nil
}
