package export

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"mybeacon/engine/access"
	"mybeacon/engine/audit"
	"mybeacon/engine/jobs"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Limits bound what exports take.
type Limits struct {
	Keep    time.Duration // for how long a file is kept
	History time.Duration // for how long the history is
	Bytes   int64         // of an organisation's files; those that grow at once may each reach it
	Open    int           // jobs of an organisation that are queued or run
	Time    time.Duration // of one attempt to make a file, and of a stream
	Beat    time.Duration // how often what works says that it lives
	Lost    time.Duration // after which silence it is taken for dead
}

// DefaultLimits returns the limits of a server.
func DefaultLimits() Limits {
	return Limits{
		Keep: 7 * 24 * time.Hour, History: 400 * 24 * time.Hour, Bytes: 2 << 30, Open: 10,
		Time: 30 * time.Minute, Beat: time.Second, Lost: 30 * time.Second,
	}
}

// Config of the exports of one process.
type Config struct {
	DB        *postgres.DB
	Jobs      *jobs.Jobs // nil: there are no files, only streams
	Log       *slog.Logger
	Catalogue Catalogue
	Dir       string // where files are kept; of this program alone
	Limits    Limits // the zero value is DefaultLimits
	Clock     func() time.Time
}

// Service makes exports and keeps their history. It is safe for concurrent use.
type Service struct {
	Config
	files store
}

// New returns the service and registers its jobs, which must not run yet.
func New(cfg Config) (*Service, error) {
	if cfg.DB == nil || cfg.Log == nil {
		return nil, errors.New("export: Config.DB or Config.Log is missing")
	}
	if cfg.Limits == (Limits{}) {
		cfg.Limits = DefaultLimits()
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	s := &Service{Config: cfg, files: store{cfg.Dir}}
	if cfg.Jobs == nil {
		return s, nil
	}
	if err := s.files.make(); err != nil {
		return nil, err
	}
	jobs.Register(cfg.Jobs, jobs.Kind[jobArgs]{Queue: jobs.ExportQueue, Attempts: attempts, Timeout: cfg.Limits.Time + time.Minute, Pause: pause, Do: s.do})
	return s, nil
}

// Request is what somebody wants exported.
type Request struct {
	By           postgres.Identity
	Organisation schema.OrganisationID
	Dataset      string
	Format       Format
	Language     string // of a CSV's head; empty: names
	Filters      url.Values
}

// order is a request that was looked at.
type order struct {
	Request
	dataset Dataset
	scope   postgres.Scope
}

// check finds the dataset, and that the caller may export it with these filters.
func (s *Service) check(ctx context.Context, r Request) (order, error) {
	o := order{Request: r}
	var err error
	if o.dataset, err = s.Catalogue.Find(r.Dataset); err != nil {
		return o, err
	}
	if o.scope, err = scopeOf(r.By.Rights, r.Organisation, o.dataset); err != nil {
		return o, err
	}
	if _, err := ParseFormat(string(r.Format)); err != nil {
		return o, err
	}
	if !slices.Contains([]string{"", "en", "ru"}, r.Language) {
		return o, schema.Errorf(schema.Invalid, "lang", "is %q: choose en or ru", r.Language)
	}
	if err := o.dataset.checkFilters(r.Filters); err != nil {
		return o, err
	}
	if o.dataset.Check != nil {
		return o, o.dataset.Check(ctx, o.scope, r.Filters)
	}
	return o, nil
}

// scopeOf returns which rows the principal may export now, or why none.
func scopeOf(p access.Principal, organisation schema.OrganisationID, d Dataset) (postgres.Scope, error) {
	switch why := access.Decide(p, access.Export, access.Object{Organisation: organisation, Product: d.Product()}); why.Verdict {
	case access.Allowed:
	case access.Hidden:
		return postgres.Scope{}, schema.Errorf(schema.NotFound, "", "%s", why.Reason)
	default:
		return postgres.Scope{}, schema.Errorf(schema.Forbidden, "", "%s", why.Reason)
	}
	scope := postgres.In(organisation)
	if !p.Everywhere() {
		scope = scope.At(p.Grants)
	}
	return scope, nil
}

// maxFilters bounds the values of all filters together.
const maxFilters = 1000

// checkFilters refuses what the dataset does not know, before anything is asked.
func (d Dataset) checkFilters(filters url.Values) error {
	n := 0
	for name, values := range filters {
		i := slices.IndexFunc(d.Filters, func(f Filter) bool { return f.Name == name })
		if i < 0 {
			return schema.Errorf(schema.Invalid, name, "is no filter of %s", d.ID)
		}
		if len(values) > 1 && !d.Filters[i].Repeats {
			return schema.Errorf(schema.Invalid, name, "is given %d times: once is enough", len(values))
		}
		n += len(values)
	}
	if n > maxFilters {
		return schema.Errorf(schema.Invalid, "filters", "has %d values: at most %d are taken", n, maxFilters)
	}
	for _, f := range d.Filters {
		if f.Required && filters.Get(f.Name) == "" {
			return schema.Errorf(schema.Invalid, f.Name, "is required")
		}
	}
	return nil
}

// row returns the order as a line of the history.
func (o order) row(state string, direct bool) postgres.Export {
	id := schema.NewID[postgres.ExportID]()
	e := postgres.Export{
		ID: id, Organisation: o.Organisation, Dataset: o.dataset.ID, Version: o.dataset.Version, Format: string(o.Format), Language: o.Language,
		Filters: o.Filters, Direct: direct, Account: o.By.ID, Key: o.By.Key, Support: o.By.SuperAdmin, State: state, Expected: -1,
	}
	if e.Filters == nil {
		e.Filters = map[string][]string{}
	}
	holds(&e, o.By.Rights)
	return e
}

// holds notes of whose locations the export holds rows.
func holds(e *postgres.Export, p access.Principal) {
	e.Everywhere, e.Locations = p.Everywhere(), []schema.LocationID{}
	for _, g := range p.Grants {
		if !e.Everywhere {
			e.Locations = append(e.Locations, g.Location)
		}
	}
}

// entry is what the organisation's log says: what, of which time, in which format, and
// what else narrowed it.
func (o order) entry(id postgres.ExportID) audit.Entry {
	e := audit.Entry{Organisation: o.Organisation, Action: audit.Export, Object: audit.Object{Kind: "export", ID: id.String(), Name: o.dataset.title()}}
	day := func(name string) string {
		if text := o.Filters.Get(name); text != "" {
			return text
		}
		return "…"
	}
	if o.Filters.Get("from") != "" || o.Filters.Get("to") != "" {
		e.Fields = append(e.Fields, audit.Made("period", day("from")+" - "+day("to")))
	}
	e.Fields = append(e.Fields, audit.Made("format", strings.ToUpper(string(o.Format))))
	for _, f := range o.dataset.Filters {
		if values := o.Filters[f.Name]; len(values) > 0 && f.Name != "from" && f.Name != "to" {
			e.Fields = append(e.Fields, audit.Field{Name: f.Name, New: shortened(values), Personal: f.Kind == Word})
		}
	}
	return e
}

// shortened names some values and counts the others: a thousand tags are no line of a
// log; the history has them all.
func shortened(values []string) string {
	const most = 20
	text := strings.Join(values[:min(len(values), most)], ", ")
	if len(values) > most {
		text += ", …"
	}
	return text
}

func (d Dataset) title() string {
	if d.Title.En == "" {
		return d.ID
	}
	return d.Title.En
}
